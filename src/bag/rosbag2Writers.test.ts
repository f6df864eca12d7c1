import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { Fault } from "../faults/Fault.js";
import { isKnownMessageType } from "../messages/messageDefinition.js";
import { BagCopy } from "./labelling/BagCopy.js";
import type { ExampleMessage } from "./exampleBag.js";
import { comparable, exampleMessages, readAll, withFolder } from "./exampleBag.js";
import { McapBagWriter } from "./mcap/McapBagWriter.js";
import { openBag } from "./openBag.js";

/** As recorded by rosbag2 without vision_msgs and without publish times, later messages first. */
const MESSAGES: readonly ExampleMessage[] = exampleMessages(12)
  .filter(({ type }) => type !== "vision_msgs/msg/LabelInfo")
  .map((message, i) => {
    // Larger than a page, and of no two the same bytes.
    const data = new Uint8Array(message.data.byteLength + 3000 * (i % 4) + 4);
    data.set(message.data);
    new DataView(data.buffer).setUint32(message.data.byteLength, i * 2654435761);
    return { ...message, publishTime: message.logTime, data };
  });
const KNOWN = new Set(comparable(MESSAGES).map(String));

function writeWithPython(folder: string): void {
  const late = [...MESSAGES.slice(30), ...MESSAGES.slice(0, 30)];
  const messages = late.map(({ topic, type, logTime, data }) => [
    topic,
    type,
    logTime.toString(),
    Buffer.from(data).toString("hex"),
  ]);
  runReference("write_rosbag2.py", {}, { folder, messages });
}

async function readBag(bag: string): Promise<{ messages: readonly unknown[]; warnings: readonly Fault[] }> {
  const reader = await openBag(bag);
  const messages = comparable(await readAll(reader));
  const { warnings } = reader;
  await reader.close();
  return { messages, warnings };
}

describeWithPython("bags written by the Python package rosbags and by SQLite", () => {
  test("are read whatever their storage and compression, and nothing is left beside them", async () => {
    await withFolder(async (folder) => {
      writeWithPython(folder);
      const before = await readdir(folder, { recursive: true });
      for (const bag of [
        "sqlite3",
        "sqlite3_file",
        "sqlite3_message",
        "mcap_file",
        "humble.db3",
        "wal.db3",
        "sqlite3/sqlite3.db3",
      ]) {
        const { messages, warnings } = await readBag(path.join(folder, bag));
        expect([bag, warnings]).toEqual([bag, []]);
        expect(messages).toEqual(comparable(MESSAGES));
      }
      expect(await readdir(folder, { recursive: true })).toEqual(before);
    });
  });

  test("have counts, times, definitions and filters; two readers share a file", async () => {
    await withFolder(async (folder) => {
      writeWithPython(folder);
      for (const bag of ["sqlite3", "humble.db3"]) {
        const reader = await openBag(path.join(folder, bag));
        const other = await openBag(path.join(folder, bag));
        expect([reader.startTime, reader.endTime]).toEqual([MESSAGES[0]!.logTime, MESSAGES.at(-1)!.logTime]);
        expect(reader.topics.map(({ topic, messageCount }) => [topic, messageCount])).toEqual([
          ["/camera/camera_info", 12],
          ["/camera/image_raw", 12],
          ["/camera/image_raw/compressed", 12],
          ["/lidar/points", 12],
          ["/tf_static", 1],
        ]);
        const [definition] = reader.topics.map(({ schema }) => schema!);
        expect(definition).toMatchObject({ name: "sensor_msgs/msg/CameraInfo", encoding: "ros2msg" });
        expect(new TextDecoder().decode(definition!.data)).toContain("float64[9] k");
        const clouds = MESSAGES.filter(({ topic }) => topic === "/lidar/points");
        const filter = {
          topics: ["/lidar/points"],
          startTime: clouds[3]!.logTime,
          endTime: clouds[7]!.logTime,
        };
        const [mine, others] = await Promise.all([readAll(reader, filter), readAll(other, filter)]);
        expect(comparable(mine)).toEqual(comparable(clouds.slice(3, 8)));
        expect(comparable(others)).toEqual(comparable(mine));
        expect(mine.every(({ data }) => data.buffer.byteLength === data.byteLength)).toBe(true);
        await Promise.all([reader.close(), other.close()]);
      }
    });
  });

  test("are read when their files were unpacked or compressed after the metadata was written, and without it", async () => {
    await withFolder(async (folder) => {
      writeWithPython(folder);
      const plain = path.join(folder, "sqlite3", "sqlite3.db3");
      const packed = path.join(folder, "sqlite3_file", "sqlite3_file.db3.zstd");
      await rename(plain, path.join(folder, "sqlite3_file", "sqlite3_file.db3"));
      await rename(packed, `${plain}.zstd`);
      for (const bag of ["sqlite3", "sqlite3_file"]) {
        expect((await readBag(path.join(folder, bag))).messages).toEqual(comparable(MESSAGES));
        await rm(path.join(folder, bag, "metadata.yaml"));
        expect((await readBag(path.join(folder, bag))).messages).toEqual(comparable(MESSAGES));
      }
    });
  });

  test("of types that nobody defines can be copied", async () => {
    await withFolder(async (folder) => {
      writeWithPython(folder);
      const file = path.join(folder, "humble.db3");
      const bytes = (await readFile(file)).toString("latin1");
      const type = "acme_msgs/msg/PointCloud2";
      expect(isKnownMessageType(type)).toBe(false);
      await writeFile(file, bytes.replaceAll("sensor_msgs/msg/PointCloud2", `${type}xx`), "latin1");
      const reader = await openBag(file);
      const writer = await McapBagWriter.create(path.join(folder, "copy.mcap"));
      await new BagCopy(reader, writer, ({ topic }) => topic === "/lidar/points").rest();
      await writer.close();
      await reader.close();
      const copy = await openBag(path.join(folder, "copy.mcap"));
      expect(copy.topics).toMatchObject([{ type: `${type}xx`, messageCount: 12, schema: { encoding: "" } }]);
      await copy.close();
    });
  });

  test("that are damaged or cut off cost the damaged messages, and say so", async () => {
    await withFolder(async (folder) => {
      writeWithPython(folder);
      const whole = await readFile(path.join(folder, "humble.db3"));
      const pageBytes = whole.readUInt16BE(16);
      const file = path.join(folder, "damaged.db3");
      const intactWith = async (bytes: Uint8Array): Promise<number> => {
        await writeFile(file, bytes);
        const { messages, warnings } = await readBag(file);
        expect(warnings.map(({ code }) => code)).toContain("bag-damaged");
        expect(messages.filter((message) => !KNOWN.has(String(message)))).toEqual([]);
        return messages.length;
      };
      // Each page behind the definitions of the tables is wiped in turn.
      const counts: number[] = [];
      for (let page = 6; page < whole.byteLength / pageBytes; page++) {
        const bytes = Buffer.from(whole);
        bytes.fill(0xa5, page * pageBytes, (page + 1) * pageBytes);
        await writeFile(file, bytes);
        counts.push((await readBag(file)).messages.length);
      }
      // A leaf holds several small messages.
      expect(Math.min(...counts)).toBeGreaterThan(MESSAGES.length / 3);
      expect(await intactWith(whole.subarray(0, (whole.byteLength * 0.7) | 0))).toBeGreaterThan(10);
      const packed = await readFile(path.join(folder, "sqlite3_file", "sqlite3_file.db3.zstd"));
      const half = path.join(folder, "half.db3.zstd");
      await writeFile(half, packed.subarray(0, packed.byteLength - 100));
      expect((await readBag(half)).warnings[0]!.message).toContain("its compressed data are damaged after");
    });
  });

  test("are refused in one sentence when they are something else", async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, "bag"));
      const refuse = async (name: string, content: Uint8Array | string, message: RegExp): Promise<void> => {
        const file = path.join(folder, name);
        await writeFile(file, content);
        await expect(openBag(file)).rejects.toThrow(Fault);
        await expect(openBag(file)).rejects.toMatchObject({
          code: "bag-unreadable",
          message: expect.stringMatching(message),
        });
      };
      await refuse("a.db3", "SQLite format 3\0rest", /cannot be opened as an SQLite file|no rosbag2 bag/);
      await refuse("a.db3.zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2), /unpacked, is empty/);
      await refuse(
        "b.db3.zstd",
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0x7f, 0, 0, 0, 0),
        /unpacks to 91\d+ bytes, and \d+ may be used/,
      );
      await refuse(
        "c.db3.zstd",
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 0, 0, 0),
        /zstd window of \d+ bytes/,
      );
    });
  });
});
