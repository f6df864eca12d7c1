import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import type { McapTypes } from "@mcap/core";
import { McapIndexedReader, McapWriter } from "@mcap/core";
import sqlite3 from "node-sqlite3-wasm";
import { EXAMPLE_START, withFolder } from "../exampleBag.js";
import { chunkDecompressors } from "../mcap/chunkCompression.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import { formatOfferedQos, RELIABLE_QOS } from "../qosProfile.js";
import { BagCopy } from "./BagCopy.js";
import { copiedChannels } from "./copiedChannels.js";

interface Stream {
  readonly topic: string;
  readonly schema?: Omit<McapTypes.Schema, "id">;
  readonly messageEncoding: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly messages: readonly (readonly [logTime: bigint, publishTime: bigint, data: readonly number[]])[];
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const ros2msg = (name: string, text: string) => ({ name, encoding: "ros2msg", data: utf8(text) });

/** Each of them is legal in MCAP. */
const STREAMS: readonly Stream[] = [
  {
    topic: "/two/types",
    schema: ros2msg("acme_msgs/msg/A", "int32 a"),
    messageEncoding: "cdr",
    metadata: [
      ["offered_qos_profiles", `${formatOfferedQos(RELIABLE_QOS)}\n${formatOfferedQos(RELIABLE_QOS)}`],
      ["topic_type_hash", "RIHS01_12ab"],
    ],
    messages: [
      [1n, 0n, [0, 1, 0, 0, 7]],
      [5n, 5n, [0, 1, 0, 0, 8]],
    ],
  },
  {
    topic: "/two/types",
    schema: ros2msg("acme_msgs/msg/B", "int32 b"),
    messageEncoding: "cdr",
    metadata: [],
    messages: [[2n, 2n, [0, 1, 0, 0, 9]]],
  },
  {
    topic: "/two/definitions",
    schema: ros2msg("acme_msgs/msg/A", "int32 a # of another release"),
    messageEncoding: "cdr",
    metadata: [["vendor", "acme"]],
    messages: [[3n, 3n, [0, 1, 0, 0, 10]]],
  },
  {
    topic: "/no/schema",
    messageEncoding: "cdr",
    metadata: [],
    messages: [[4n, 1n, []]],
  },
  {
    topic: "/no/schema",
    messageEncoding: "json",
    metadata: [],
    // Starts as a zstd frame does, and is none.
    messages: [[6n, 6n, [0x28, 0xb5, 0x2f, 0xfd, 1]]],
  },
  {
    topic: "/proto",
    schema: { name: "foxglove.PointCloud", encoding: "protobuf", data: Uint8Array.of(1, 2, 3) },
    messageEncoding: "protobuf",
    metadata: [["a", "b"]],
    messages: [[7n, 7n, [255, 0]]],
  },
];

async function writeStreams(file: string, streams: readonly Stream[]): Promise<void> {
  const parts: Uint8Array[] = [];
  let position = 0;
  const mcap = new McapWriter({
    writable: {
      write: (bytes) => {
        parts.push(bytes.slice());
        position += bytes.byteLength;
        return Promise.resolve();
      },
      position: () => BigInt(position),
    },
  });
  await mcap.start({ profile: "ros2", library: "test" });
  for (const { topic, schema, messageEncoding, metadata, messages } of streams) {
    const schemaId = schema === undefined ? 0 : await mcap.registerSchema(schema);
    const channelId = await mcap.registerChannel({
      topic,
      schemaId,
      messageEncoding,
      metadata: new Map(metadata),
    });
    for (const [sequence, [logTime, publishTime, data]] of messages.entries()) {
      await mcap.addMessage({
        channelId,
        sequence,
        logTime: EXAMPLE_START + logTime,
        publishTime: EXAMPLE_START + publishTime,
        data: Uint8Array.from(data),
      });
    }
  }
  await mcap.end();
  await writeFile(file, Buffer.concat(parts));
}

/** By the library alone, in the order of time. */
async function readStreams(file: string): Promise<readonly unknown[]> {
  const bytes = await readFile(file);
  const reader = await McapIndexedReader.Initialize({
    readable: {
      size: () => Promise.resolve(BigInt(bytes.byteLength)),
      read: (at, length) => Promise.resolve(Uint8Array.from(bytes.subarray(Number(at), Number(at + length)))),
    },
    decompressHandlers: await chunkDecompressors(),
  });
  const found: unknown[] = [];
  for await (const { channelId, logTime, publishTime, data } of reader.readMessages()) {
    const { topic, schemaId, messageEncoding, metadata } = reader.channelsById.get(channelId)!;
    const schema = reader.schemasById.get(schemaId);
    found.push({
      topic,
      schema: schema && [schema.name, schema.encoding, Buffer.from(schema.data).toString("latin1")],
      messageEncoding,
      metadata: [...metadata],
      logTime,
      publishTime,
      data: [...data],
    });
  }
  return found;
}

async function copyAll(bag: string, copy: string): Promise<void> {
  const reader = await openBag(bag);
  const writer = await McapBagWriter.create(copy, { force: true });
  await new BagCopy(reader, writer, () => true).rest();
  await writer.close();
  await reader.close();
}

test("every legal channel is copied as it is: two types or definitions, no schema, other encodings, metadata", async () => {
  await withFolder(async (folder) => {
    const [bag, copy] = [path.join(folder, "bag.mcap"), path.join(folder, "copy.mcap")];
    await writeStreams(bag, STREAMS);
    await copyAll(bag, copy);
    const copied = await readStreams(copy);
    expect(copied).toHaveLength(7);
    expect(copied).toEqual(await readStreams(bag));
    // A copy of the copy is the same file.
    await copyAll(copy, bag);
    expect(await readFile(bag)).toEqual(await readFile(copy));
  });
});

test("names of QoS policies become the numbers that the file is declared to have, and nothing else changes", async () => {
  await withFolder(async (folder) => {
    const [bag, copy] = [path.join(folder, "bag.mcap"), path.join(folder, "copy.mcap")];
    const named =
      "- history: keep_all\n  depth: 0\n  reliability: best_effort\n  durability: transient_local\n" +
      "  deadline:\n    sec: 9223372036\n    nsec: 854775807\n  liveliness: automatic\n  avoid_ros_namespace_conventions: false\n" +
      "- history: keep_last\n  depth: 7\n  reliability: reliable\n  durability: volatile\n  liveliness: manual_by_topic";
    await writeStreams(bag, [{ ...STREAMS[0]!, metadata: [["offered_qos_profiles", named]] }]);
    await copyAll(bag, copy);
    const [first] = (await readStreams(copy)) as { metadata: [string, string][] }[];
    expect(first!.metadata).toEqual([
      [
        "offered_qos_profiles",
        named
          .replace("keep_all", "2")
          .replace("best_effort", "2")
          .replace("transient_local", "1")
          .replace("automatic", "1")
          .replace("keep_last", "1")
          .replace("reliability: reliable", "reliability: 1")
          .replace("durability: volatile", "durability: 2")
          .replace("manual_by_topic", "3"),
      ],
    ]);
  });
});

test("eight hundred topics with QoS profiles are copied in a moment", async () => {
  await withFolder(async (folder) => {
    const [bag, copy] = [path.join(folder, "bag.mcap"), path.join(folder, "copy.mcap")];
    const streams = Array.from({ length: 800 }, (_, i) => ({ ...STREAMS[0]!, topic: `/topic_${i}` }));
    await writeStreams(bag, streams);
    await copyAll(bag, copy);
    const reader = await openBag(copy);
    expect(reader.topics).toHaveLength(800);
    expect(
      reader.topics.every(({ messageCount, offeredQos }) => messageCount === 2 && offeredQos.length === 2),
    ).toBe(true);
    await reader.close();
  });
});

test("channels of a .db3 are copied with the text of their QoS, their type hash and their encoding", async () => {
  await withFolder(async (folder) => {
    const [bag, copy] = [path.join(folder, "bag.db3"), path.join(folder, "copy.mcap")];
    const database = new sqlite3.Database(bag);
    database.exec(
      "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, offered_qos_profiles TEXT, type_description_hash TEXT);" +
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);",
    );
    const qos = `${formatOfferedQos(RELIABLE_QOS)}\n  vendor: acme`;
    database.run("INSERT INTO topics VALUES (4, '/a', 'acme_msgs/msg/A', 'cdr', ?, 'RIHS01_34')", [qos]);
    database.run("INSERT INTO topics VALUES (5, '/a', 'acme_msgs/msg/B', 'flatbuffers', '', '')");
    for (const [topic, time] of [
      [4, 1],
      [5, 2],
    ]) {
      database.run("INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)", [
        topic!,
        time!,
        Uint8Array.of(0, 1, topic!),
      ]);
    }
    database.close();
    await copyAll(bag, copy);
    expect(await readStreams(copy)).toMatchObject([
      {
        schema: ["acme_msgs/msg/A", "", ""],
        metadata: [
          ["offered_qos_profiles", qos],
          ["topic_type_hash", "RIHS01_34"],
        ],
        data: [0, 1, 4],
      },
      {
        schema: ["acme_msgs/msg/B", "", ""],
        messageEncoding: "flatbuffers",
        metadata: [],
        data: [0, 1, 5],
      },
    ]);
  });
});

test("of all channels the labelled cloud and results of an earlier run stay behind", () => {
  const cloud = { kind: "points", topic: "/points" } as const;
  const selection = {
    clouds: [cloud],
    cameras: [],
    tfTopics: ["/tf"],
    problems: [],
  } as unknown as Parameters<typeof copiedChannels>[0];
  const channel = (topic: string, type = "sensor_msgs/msg/PointCloud2", messageEncoding = "cdr") => ({
    topic,
    type,
    messageEncoding,
  });
  const all = copiedChannels(selection, "all");
  expect(all(channel("/points"))).toBe(false);
  expect(all(channel("/points", "acme_msgs/msg/A"))).toBe(true);
  expect(all(channel("/points", "foxglove.PointCloud", "protobuf"))).toBe(true);
  expect(all(channel("/ditr_perception/points_labelled"))).toBe(false);
  expect(copiedChannels({ ...selection, mergedFrame: "base_link" }, "all")(channel("/points"))).toBe(true);
  expect(copiedChannels(selection, "tf")(channel("/tf"))).toBe(true);
  expect(copiedChannels(selection, "tf")(channel("/other"))).toBe(false);
  expect(copiedChannels(selection, "none")(channel("/ground_truth/label_info"))).toBe(true);
});
