/** What the tests of importers share. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import type { CameraInfo, TFMessage } from "../../../messages/types.js";
import { TransformBuffer } from "../../../transforms/TransformBuffer.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import type { DataSetRecording } from "./DataSetRecording.js";

export async function readRecording(
  recording: DataSetRecording,
): Promise<{ messages: RecordedMessage[]; warnings: readonly string[] }> {
  const messages: RecordedMessage[] = [];
  for await (const message of recording.messages()) messages.push(message);
  return { messages, warnings: recording.warnings.map(({ message }) => message) };
}

export function ofType<T extends RecordedMessage["type"]>(
  messages: readonly RecordedMessage[],
  type: T,
  topic?: string,
): Extract<RecordedMessage, { type: T }>[] {
  return messages.filter(
    (message): message is Extract<RecordedMessage, { type: T }> =>
      message.type === type && (topic === undefined || message.topic === topic),
  );
}

/** A buffer with all transforms of the recording. */
export function transformsOf(messages: readonly RecordedMessage[]): TransformBuffer {
  const buffer = new TransformBuffer();
  for (const { topic, message } of ofType(messages, "tf2_msgs/msg/TFMessage")) {
    buffer.add(message satisfies TFMessage, topic === "/tf_static");
  }
  return buffer;
}

/** A 4x4 matrix, column-major, times a point. */
export function apply(matrix: ArrayLike<number>, point: readonly number[]): [number, number, number] {
  const row = (i: number): number =>
    matrix[i]! * point[0]! + matrix[4 + i]! * point[1]! + matrix[8 + i]! * point[2]! + matrix[12 + i]!;
  return [row(0), row(1), row(2)];
}

/** Pixel and depth of a point of the optical frame by the K of a CameraInfo. */
export function project({ k }: CameraInfo, [x, y, z]: readonly number[]): [u: number, v: number, z: number] {
  return [(k[0]! * x!) / z! + k[2]!, (k[4]! * y!) / z! + k[5]!, z!];
}

export async function writeFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

export async function imageBytes(format: "png" | "jpeg", width: number, height: number): Promise<Uint8Array> {
  const create = { width, height, channels: 3 as const, background: { r: 200, g: 100, b: 50 } };
  return sharp({ create }).toFormat(format).toBuffer();
}

/** Little-endian bytes of float32 values. */
export function floatBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function labelBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
