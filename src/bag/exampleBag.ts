/** A small recorded drive of every message type, for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { McapWriterOptions } from "@mcap/core";
import { McapWriter } from "@mcap/core";
import { exampleOf } from "../messages/exampleMessages.js";
import type { MessageTypeName } from "../messages/messageTypes.js";
import { MESSAGE_TYPES } from "../messages/messageTypes.js";
import type { McapBagWriterOptions } from "./mcap/McapBagWriter.js";
import { McapBagWriter } from "./mcap/McapBagWriter.js";
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

/** `messages` as JSON-like values that `toEqual` compares quickly. */
export function comparable(messages: readonly (ExampleMessage | BagMessage)[]): readonly unknown[] {
  return messages.map(({ topic, type, logTime, publishTime, data }) => [
    topic,
    type,
    logTime,
    publishTime,
    Buffer.from(data).toString("latin1"),
  ]);
}

/** The bytes of an MCAP file as other recorders write it: without parts that are optional. */
export async function mcapBytes(
  messages: readonly (Omit<ExampleMessage, "type"> & { readonly type: string })[],
  options: Omit<McapWriterOptions, "writable">,
  messageEncoding = "cdr",
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let position = 0;
  const mcap = new McapWriter({
    ...options,
    writable: {
      write: (bytes) => {
        parts.push(bytes);
        position += bytes.byteLength;
        return Promise.resolve();
      },
      position: () => BigInt(position),
    },
  });
  await mcap.start({ profile: "ros2", library: "test" });
  const channels = new Map<string, number>();
  for (const [sequence, { topic, type, logTime, publishTime, data }] of messages.entries()) {
    let channelId = channels.get(`${topic} ${type}`);
    if (channelId === undefined) {
      const schemaId = await mcap.registerSchema({
        name: type,
        encoding: "ros2msg",
        data: new Uint8Array(0),
      });
      channelId = await mcap.registerChannel({ topic, schemaId, messageEncoding, metadata: new Map() });
      channels.set(`${topic} ${type}`, channelId);
    }
    await mcap.addMessage({ channelId, sequence, logTime, publishTime, data });
  }
  await mcap.end();
  return Buffer.concat(parts);
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
