import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { compress, isLoaded } from "@foxglove/wasm-zstd";
import type { ExampleMessage } from "./exampleBag.js";
import {
  comparable,
  EXAMPLE_PERIOD,
  EXAMPLE_START,
  exampleMessages,
  mcapBytes,
  readAll,
  withFolder,
  writeBag,
} from "./exampleBag.js";
import { openBag } from "./openBag.js";

/** Opens `bag`, reads it all, and closes it. */
async function readBag(bag: string): Promise<{ messages: readonly unknown[]; warnings: readonly string[] }> {
  const reader = await openBag(bag);
  const messages = comparable(await readAll(reader));
  const warnings = reader.warnings.map(({ message }) => message.replaceAll(bag, "BAG"));
  await reader.close();
  return { messages, warnings };
}

test("topics, counts and times are known before reading", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const messages = exampleMessages(20);
    await writeBag(file, messages);
    const reader = await openBag(file);
    expect(reader.topics.map(({ topic, type, messageCount }) => [topic, type, messageCount])).toEqual([
      ["/camera/camera_info", "sensor_msgs/msg/CameraInfo", 20],
      ["/camera/image_raw", "sensor_msgs/msg/Image", 20],
      ["/camera/image_raw/compressed", "sensor_msgs/msg/CompressedImage", 20],
      ["/lidar/points", "sensor_msgs/msg/PointCloud2", 20],
      ["/segmentation/label_info", "vision_msgs/msg/LabelInfo", 1],
      ["/tf_static", "tf2_msgs/msg/TFMessage", 1],
    ]);
    expect(
      reader.topics.every(
        ({ messageEncoding, schema }) => messageEncoding === "cdr" && schema?.encoding === "ros2msg",
      ),
    ).toBe(true);
    expect([reader.startTime, reader.endTime]).toEqual([messages[0]!.logTime, messages.at(-1)!.logTime]);
    await reader.close();
  });
});

test("messages() filters by topic and by log time, both ends included", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeBag(file, exampleMessages(20));
    const reader = await openBag(file);
    const clouds = exampleMessages(20).filter(({ topic }) => topic === "/lidar/points");
    const filter = { topics: ["/lidar/points"], startTime: clouds[3]!.logTime, endTime: clouds[7]!.logTime };
    expect(comparable(await readAll(reader, filter))).toEqual(comparable(clouds.slice(3, 8)));
    expect(await readAll(reader, { topics: [] })).toEqual([]);
    expect(await readAll(reader, { topics: ["/none"] })).toEqual([]);
    expect(await readAll(reader, { startTime: EXAMPLE_START + 1000n * EXAMPLE_PERIOD })).toEqual([]);
    await reader.close();
  });
});

test("each message owns its buffer: it can be transferred, and others stay what they are", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeBag(file, exampleMessages(20));
    const reader = await openBag(file);
    const [a, b] = await Promise.all([readAll(reader), readAll(reader)]);
    expect(a.every(({ data }) => data.byteOffset === 0 && data.buffer.byteLength === data.byteLength)).toBe(
      true,
    );
    for (const { data } of a) {
      data.fill(0xee);
      structuredClone(data, { transfer: [data.buffer] });
    }
    expect(comparable(b)).toEqual(comparable(exampleMessages(20)));
    await reader.close();
  });
});

test.each([
  ["without chunks", { useChunks: false }],
  ["without message index", { useMessageIndex: false }],
  ["without chunk index", { useChunkIndex: false }],
  ["without statistics", { useStatistics: false }],
  ["without schemas in the summary", { repeatSchemas: false, repeatChannels: false }],
  ["with small chunks", { chunkSize: 300, useMessageIndex: false }],
  [
    "without any summary",
    {
      useStatistics: false,
      repeatChannels: false,
      repeatSchemas: false,
      useChunkIndex: false,
      useSummaryOffsets: false,
    },
  ],
])("a file %s is read in time order, with a warning if its index was needed", async (_, options) => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const messages = exampleMessages(30);
    await writeFile(file, await mcapBytes([...messages.slice(20), ...messages.slice(0, 20)], options));
    const read = await readBag(file);
    expect(read.messages).toEqual(comparable(messages));
    expect(read.warnings).toEqual([expect.stringMatching(/^BAG has no usable index \(.+\); it was rebuilt/)]);
  });
});

test("an empty bag is a bag", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeBag(file, []);
    const reader = await openBag(file);
    expect([reader.topics, reader.startTime, reader.endTime, await readAll(reader), reader.warnings]).toEqual(
      [[], undefined, undefined, [], []],
    );
    await reader.close();
  });
});

test("channels that are not CDR are listed and skipped, and those of no sensor reported in one sentence", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeFile(file, await mcapBytes(exampleMessages(3), {}, "protobuf"));
    const reader = await openBag(file);
    expect(reader.topics.length).toBe(6);
    expect(await readAll(reader)).toEqual([]);
    expect(reader.warnings.map(({ code, message }) => [code, message])).toEqual([
      [
        "unsupported-encoding",
        `${file}: only messages encoded as 'cdr' are read, so that one topic is skipped: ` +
          "/segmentation/label_info (vision_msgs/msg/LabelInfo, 'protobuf')",
      ],
    ]);
    await reader.close();
  });
});

test("a recording of ROS 1 in MCAP is refused with the command that converts it", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeFile(file, await mcapBytes(exampleMessages(3), {}, "ros1"));
    await expect(openBag(file)).rejects.toMatchObject({
      code: "bag-unreadable",
      message: expect.stringMatching(
        /its 6 topics are 'ros1', and 'cdr' of ROS 2 is read; .*rosbags-convert --src/,
      ),
    });
  });
});

test("messages that rosbag2 compressed one by one are unpacked; a damaged one costs itself and a warning", async () => {
  await isLoaded;
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const messages = exampleMessages(5);
    const packed = messages.map((message) => ({ ...message, data: new Uint8Array(compress(message.data)) }));
    // Behind the frame header, where the first block starts.
    packed[7]!.data.fill(0xff, 6);
    await writeFile(file, await mcapBytes(packed, {}));
    const read = await readBag(file);
    expect(read.messages).toEqual(comparable(messages.toSpliced(7, 1)));
    expect(read.warnings).toEqual([
      expect.stringMatching(
        `^BAG: a message on ${messages[7]!.topic} at ${messages[7]!.logTime} ns cannot be decompressed`,
      ),
    ]);
  });
});

const METADATA = (files: readonly string[], extra = ""): string => `rosbag2_bagfile_information:
  version: 5
  storage_identifier: mcap
  relative_file_paths:
${files.map((file) => `    - ${file}`).join("\n")}
  compression_format: ""
  compression_mode: ""
${extra}`;

async function writeSplits(
  folder: string,
  messages: readonly ExampleMessage[],
  names: readonly string[],
): Promise<void> {
  const length = Math.ceil(messages.length / names.length);
  for (const [i, name] of names.entries()) {
    await writeBag(path.join(folder, name), messages.slice(i * length, (i + 1) * length));
  }
}

test("the splits of a rosbag2 folder are one bag", async () => {
  await withFolder(async (folder) => {
    const messages = exampleMessages(30);
    const names = ["drive_0.mcap", "drive_1.mcap", "drive_2.mcap"];
    await writeSplits(folder, messages, names);
    await writeFile(path.join(folder, "metadata.yaml"), METADATA(names));
    const reader = await openBag(folder);
    expect(comparable(await readAll(reader))).toEqual(comparable(messages));
    expect(reader.topics.find(({ topic }) => topic === "/lidar/points")?.messageCount).toBe(30);
    expect([reader.startTime, reader.endTime]).toEqual([messages[0]!.logTime, messages.at(-1)!.logTime]);
    const half = { startTime: messages[40]!.logTime, topics: ["/lidar/points"] };
    expect(comparable(await readAll(reader, half))).toEqual(
      comparable(messages.slice(40).filter(({ topic }) => topic === "/lidar/points")),
    );
    expect(reader.warnings).toEqual([]);
    await reader.close();

    await rm(path.join(folder, names[1]!));
    const rest = await readBag(folder);
    expect(rest.messages.length).toBe(messages.length - Math.ceil(messages.length / 3));
    expect(rest.warnings).toEqual([expect.stringContaining("drive_1.mcap cannot be opened")]);
  });
});

test("splits that overlap in time are merged, ties in recording order", async () => {
  await withFolder(async (folder) => {
    const messages = exampleMessages(30);
    const even = messages.filter((_, i) => i % 2 === 0);
    const odd = messages.filter((_, i) => i % 2 === 1);
    await writeBag(path.join(folder, "drive_9.mcap"), [...even, even[3]!]);
    await writeBag(path.join(folder, "drive_10.mcap"), [...odd, { ...even[3]!, topic: "/again" }]);
    const read = await readBag(folder);
    expect(read.messages).toEqual(
      comparable(messages.toSpliced(6, 1, even[3]!, even[3]!, { ...even[3]!, topic: "/again" })),
    );
  });
});

test("what is not MCAP is refused with what it seems to be and the way round", async () => {
  await withFolder(async (folder) => {
    const refusals: [string, Uint8Array | string, RegExp][] = [
      ["a.bag", "#ROSBAG V2.0\n", /is a ROS 1 bag.*rosbags-convert/],
      ["a.mcap.gz", Uint8Array.of(0x1f, 0x8b, 8), /is a gzip-compressed file/],
      ["a.pcd", "# .PCD v0.7", /is a single PCD point cloud/],
      [
        "a.mcap",
        "hello world",
        /is neither an MCAP nor an SQLite file, although it is named .mcap: it starts with 68 65 6c 6c 6f/,
      ],
      ["lfs.mcap", "version https://git-lfs.github.com/spec/v1\n", /is a Git LFS pointer/],
      ["empty.mcap", "", /is empty/],
      ["short.mcap", Uint8Array.of(0x89, 0x4d), /is neither an MCAP nor an SQLite file/],
    ];
    for (const [name, content, message] of refusals) {
      const file = path.join(folder, name);
      await writeFile(file, content);
      await expect(openBag(file)).rejects.toMatchObject({
        code: "bag-unreadable",
        message: expect.stringMatching(message),
      });
    }
    await expect(openBag(path.join(folder, "none.mcap"))).rejects.toMatchObject({
      code: "bag-unreadable",
    });
  });
});

test("folders that cannot be read say why", async () => {
  await withFolder(async (root) => {
    const folder = path.join(root, "bag");
    const refuse = async (files: Record<string, string>, message: RegExp): Promise<void> => {
      await mkdir(folder);
      for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
      await expect(openBag(folder)).rejects.toMatchObject({
        code: "bag-unreadable",
        message: expect.stringMatching(message),
      });
      await rm(folder, { recursive: true });
    };
    const metadata = METADATA(["a.mcap"]);
    await refuse({}, /holds neither metadata.yaml nor a .mcap or .db3 file/);
    await refuse({ "a.bag": "#ROSBAG V2.0" }, /is a ROS 1 bag/);
    await refuse({ "metadata.yaml": metadata }, /a.mcap cannot be opened/);
    await refuse(
      { "metadata.yaml": metadata.replace("identifier: mcap", "identifier: rocksdb") },
      /storage 'rocksdb' is not read, only mcap and sqlite3/,
    );
    await refuse(
      { "metadata.yaml": metadata.replace('format: ""', "format: lz4") },
      /compression 'lz4' is not read, only zstd/,
    );
    await refuse({ "metadata.yaml": "a: [" }, /is not YAML/);
    await refuse({ "metadata.yaml": "a: 1" }, /is not rosbag2 metadata: rosbag2_bagfile_information/);
    await refuse({ "metadata.yaml": METADATA([]) }, /is not rosbag2 metadata: .*relative_file_paths/);
  });
});
