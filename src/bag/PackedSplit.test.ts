import { readdirSync, readlinkSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { compress, isLoaded } from "@foxglove/wasm-zstd";
import { comparable, exampleMessages, readAll, withFolder, writeBag } from "./exampleBag.js";
import { openBag } from "./openBag.js";

const MESSAGES = exampleMessages(40);
const SPLITS = 4;
const LENGTH = MESSAGES.length / SPLITS;
const partOf = (i: number) => MESSAGES.slice(Math.round(i * LENGTH), Math.round((i + 1) * LENGTH));
const nameOf = (i: number) => `drive_${i}.mcap.zstd`;

/** Files that take space without a name. */
function unpackedFiles(): number {
  const links = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The descriptor that lists the folder is closed by now.
      return [];
    }
  });
  return links.filter((link) => link.includes("ditr-unpacked-")).length;
}

async function writeDrive(folder: string): Promise<void> {
  await isLoaded;
  for (let i = 0; i < SPLITS; i++) {
    const plain = path.join(folder, "plain.mcap");
    await writeBag(plain, partOf(i));
    await writeFile(path.join(folder, nameOf(i)), compress(await readFile(plain)));
    await rm(plain);
  }
}

const counted = (topics: readonly { readonly topic: string }[], topic: string) =>
  topics.filter((message) => message.topic === topic).length;

function metadata(): string {
  const topics = [...new Map(MESSAGES.map(({ topic, type }) => [topic, type]))];
  return `rosbag2_bagfile_information:
  version: 5
  storage_identifier: mcap
  message_count: ${MESSAGES.length}
  topics_with_message_count:
${topics
  .map(
    ([topic, type]) =>
      `    - topic_metadata: {name: ${topic}, type: ${type}, serialization_format: cdr, offered_qos_profiles: ""}\n      message_count: ${counted(MESSAGES, topic)}`,
  )
  .join("\n")}
  relative_file_paths: [${Array.from({ length: SPLITS }, (_, i) => nameOf(i)).join(", ")}]
  compression_format: zstd
  compression_mode: FILE
  files:
${Array.from({ length: SPLITS }, (_, i) => {
  const [first, last] = [partOf(i)[0]!.logTime, partOf(i).at(-1)!.logTime];
  return `    - {path: drive_${i}.mcap, starting_time: {nanoseconds_since_epoch: ${first}}, duration: {nanoseconds: ${last - first}}, message_count: ${partOf(i).length}}`;
}).join("\n")}
`;
}

test.each([true, false])(
  "compressed splits are unpacked one at a time; with metadata (%p) only when read",
  async (hasMetadata) => {
    await withFolder(async (folder) => {
      await writeDrive(folder);
      if (hasMetadata) await writeFile(path.join(folder, "metadata.yaml"), metadata());
      const before = (await readdir(tmpdir())).filter((name) => name.startsWith("ditr-unpacked"));
      const reader = await openBag(folder);
      expect(unpackedFiles()).toBe(hasMetadata ? 0 : 1);
      expect(reader.topics.map(({ topic, messageCount }) => [topic, messageCount])).toEqual(
        [...new Set(MESSAGES.map(({ topic }) => topic))]
          .sort()
          .map((topic) => [topic, counted(MESSAGES, topic)]),
      );
      expect([reader.startTime, reader.endTime]).toEqual([MESSAGES[0]!.logTime, MESSAGES.at(-1)!.logTime]);
      const read = [];
      for await (const message of reader.messages()) {
        expect(unpackedFiles()).toBe(1);
        read.push(message);
      }
      expect(comparable(read)).toEqual(comparable(MESSAGES));
      // Two that read at their own pace, in different splits.
      const [slow, fast] = [reader.messages(), reader.messages()];
      await slow.next();
      const all = [];
      for await (const message of fast) {
        all.push(message);
        expect(unpackedFiles()).toBeLessThanOrEqual(2);
      }
      expect(comparable(all)).toEqual(comparable(MESSAGES));
      await slow.return();
      const late = { topics: ["/lidar/points"], startTime: partOf(SPLITS - 1)[0]!.logTime };
      expect(comparable(await readAll(reader, late))).toEqual(
        comparable(partOf(SPLITS - 1).filter(({ topic }) => topic === "/lidar/points")),
      );
      expect(reader.warnings).toEqual([]);
      await reader.close();
      expect(unpackedFiles()).toBe(0);
      expect((await readdir(tmpdir())).filter((name) => name.startsWith("ditr-unpacked"))).toEqual(before);
    });
  },
);

test("a split that cannot be unpacked is lost alone, and counts as a loss once", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await writeFile(path.join(folder, "metadata.yaml"), metadata());
    const packed = await readFile(path.join(folder, nameOf(1)));
    packed.fill(0xff, 5, 9);
    await writeFile(path.join(folder, nameOf(1)), packed);
    await writeFile(path.join(folder, nameOf(2)), packed.subarray(0, 4));
    const reader = await openBag(folder);
    for (let pass = 0; pass < 2; pass++) {
      expect(comparable(await readAll(reader))).toEqual(comparable([...partOf(0), ...partOf(3)]));
    }
    expect(reader.warnings.map(({ severity }) => severity)).toEqual(["error", "error"]);
    expect(
      reader.warnings.map(({ message }) => path.basename(message.split(" ")[0]!.replace(/[,:]$/, ""))),
    ).toEqual([nameOf(1), nameOf(2)]);
    await reader.close();
  });
});

test("metadata that say less than the splits hold are named when the split is reached", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    const text = metadata()
      .replace("name: /lidar/points", "name: /lidar/other")
      .replace("/tf_static,", "/tf_static,");
    await writeFile(path.join(folder, "metadata.yaml"), text);
    const reader = await openBag(folder);
    expect(comparable(await readAll(reader))).toEqual(comparable(MESSAGES));
    expect(reader.warnings[0]!.message).toMatch(
      /drive_0\.mcap\.zstd has messages on \/lidar\/points, which metadata\.yaml does not name/,
    );
    await reader.close();
  });
});
