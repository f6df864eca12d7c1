/** A small recorded drive of every message type, for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { exampleOf } from "../messages/exampleMessages.js";
import type { MessageTypeName } from "../messages/messageTypes.js";
import { MESSAGE_TYPES } from "../messages/messageTypes.js";
import type { McapBagWriterOptions } from "./McapBagWriter.js";
import { McapBagWriter } from "./McapBagWriter.js";
import type { BagMessage, BagReader, MessageFilter } from "./types.js";

export const EXAMPLE_START = 1_700_000_000_123_456_789n;
export const EXAMPLE_PERIOD = 100_000_000n;

export const EXAMPLE_TOPICS: readonly (readonly [topic: string, type: MessageTypeName])[] = [
  ["/tf_static", "tf2_msgs/msg/TFMessage"],
  ["/lidar/points", "sensor_msgs/msg/PointCloud2"],
  ["/camera/image_raw", "sensor_msgs/msg/Image"],
  ["/camera/image_raw/compressed", "sensor_msgs/msg/CompressedImage"],
  ["/camera/camera_info", "sensor_msgs/msg/CameraInfo"],
  ["/segmentation/label_info", "vision_msgs/msg/LabelInfo"],
];

export interface ExampleMessage {
  readonly topic: string;
  readonly type: MessageTypeName;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** `rounds` messages on every topic, one topic every 1/10 of the period; latched ones only in the first round. */
export function exampleMessages(rounds: number): ExampleMessage[] {
  return Array.from({ length: rounds }, (_, round) =>
    EXAMPLE_TOPICS.filter(([topic]) => round === 0 || !/tf_static|label_info/.test(topic)).map(
      ([topic, type], i): ExampleMessage => {
        const logTime = EXAMPLE_START + BigInt(round) * EXAMPLE_PERIOD + (BigInt(i) * EXAMPLE_PERIOD) / 10n;
        return {
          topic,
          type,
          logTime,
          publishTime: logTime - 1_234_567n,
          data: MESSAGE_TYPES[type].encode(exampleOf(type)),
        };
      },
    ),
  ).flat();
}

export async function writeBag(
  file: string,
  messages: readonly ExampleMessage[],
  options?: McapBagWriterOptions,
): Promise<void> {
  const writer = await McapBagWriter.create(file, options);
  for (const { topic, type, logTime, publishTime, data } of messages) {
    await writer.write(topic, type, { logTime, publishTime }, data);
  }
  await writer.close();
}

export async function readAll(reader: BagReader, filter?: MessageFilter): Promise<BagMessage[]> {
  const messages: BagMessage[] = [];
  for await (const message of reader.messages(filter)) messages.push(message);
  return messages;
}

/** Runs with a folder that is gone afterwards. */
export async function withFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "ditr-bag-"));
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
