import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { readAll, withFolder } from "../../bag/exampleBag.js";
import { inspectBag } from "../../bag/labelling/inspectBag.js";
import { openBag } from "../../bag/openBag.js";
import { encodeRecorded } from "../../bag/RecordedMessage.js";
import { encodeHeader, HEADER_TYPE } from "../../messages/header.js";
import { labelInfo } from "../../messages/exampleMessages.js";
import { encodeLabelInfo, LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { ExampleDrive } from "../../simulation/exampleDrive.js";
import type { SimulatedMessage } from "../../simulation/simulateDrive.js";
import { RecentMessages, savedSentence } from "./RecentMessages.js";

const main = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
const SECOND = 1_000_000_000n;
const IMAGE = "sensor_msgs/msg/Image";

function header(stamp: bigint): Uint8Array {
  return encodeHeader({ stamp, frameId: "lidar" });
}

describe("a recording of the last quarter of a second of a drive", () => {
  test("can be inspected and labelled like any bag", async () => {
    const front = { name: "front", width: 160, height: 80 };
    const drive = await ExampleDrive.record({
      scanCount: 5,
      lidar: "vlp-16",
      columns: 90,
      cameras: [front],
    });
    const start = drive.messages[0]!.stamp;
    const at = ({ stamp }: SimulatedMessage): number => Number(stamp - start) / 1e6;
    await withFolder(async (directory) => {
      let now = 0;
      const clock = (): number => now;
      const recent = new RecentMessages({ duration: SECOND / 4n, maxBytes: 100e6, directory, clock });
      recent.add("/ditr_perception/label_info", LABEL_INFO_TYPE, encodeLabelInfo(labelInfo), start);
      for (const message of drive.messages) {
        now = at(message);
        const cdr = encodeRecorded(message);
        recent.add(message.topic, message.type, cdr, message.stamp);
        // As the pipeline does.
        structuredClone(cdr, { transfer: [cdr.buffer] });
      }
      const saved = await recent.save();
      expect(savedSentence(saved)).toMatch(/^\/.*\.mcap: 0\.[23] s, \d+ messages, \d+\.\d MB$/);

      const reader = await openBag(saved.path);
      const read = await readAll(reader);
      expect([reader.warnings, read.length]).toEqual([[], saved.messages]);
      // What stood when the recording begins, then what came.
      expect(new Set(read.slice(0, 3).map(({ topic }) => topic))).toEqual(
        new Set(["/tf_static", "/ditr_perception/label_info", "/camera/front/camera_info"]),
      );
      const late = drive.messages.filter((message) => at(message) >= now - 250);
      expect(
        read
          .slice(3)
          .map(({ topic, logTime, data }) => [topic, logTime, Buffer.from(data).toString("base64")]),
      ).toEqual(
        late.map((message) => [
          message.topic,
          message.stamp,
          Buffer.from(encodeRecorded(message)).toString("base64"),
        ]),
      );
      const durability = reader.topics.map(({ topic, offeredQos }) => [topic, offeredQos[0]?.durability]);
      expect(Object.fromEntries(durability)).toMatchObject({
        "/tf_static": "transient_local",
        "/ditr_perception/label_info": "transient_local",
        "/lidar/points": "volatile",
      });
      const { warnings, frames } = await inspectBag(reader);
      expect(warnings).toEqual([]);
      expect(frames.map(({ frame }) => frame)).toContain("camera_front_optical_frame");
      await reader.close();

      const json = path.join(directory, "run.json");
      const args = ["run", saved.path, "-o", path.join(directory, "out.mcap"), "--json", json];
      expect(spawnSync(process.execPath, [main, ...args], { encoding: "utf8" })).toMatchObject({ status: 0 });
      const { per_scan } = JSON.parse(await readFile(json, "utf8")) as { per_scan: { mode: string }[] };
      const scans = late.filter(({ type }) => type === "sensor_msgs/msg/PointCloud2");
      expect(per_scan.length).toBe(scans.length);
      expect(per_scan.at(-1)!.mode).toBe("fused");
    });
  });
});

describe("saving", () => {
  test("goes on beside the traffic of six raw cameras, which has the event loop for itself", async () => {
    await withFolder(async (directory) => {
      const recent = new RecentMessages({ duration: 60n * SECOND, maxBytes: 60e6, directory });
      const image = new Uint8Array(4_320_000).map((_, i) => (i * 31) ^ (i >> 7));
      let time = 1n;
      const add = (): void => {
        recent.add(`/camera_${(time % 6n).toString()}`, IMAGE, image, time++);
      };
      for (let i = 0; i < 20; i++) add();
      expect(recent.droppedForSpace).toBe(7);
      let done = false;
      const saving = recent.save().finally(() => {
        done = true;
      });
      // 72 images a second.
      const adding = async (): Promise<void> => {
        while (!done) {
          await sleep(14);
          add();
        }
      };
      const [saved] = await Promise.all([saving, adding()]);
      expect(saved).toMatchObject({ messages: 13, shortened: true });
      expect(time).toBeGreaterThan(22n);
      const reader = await openBag(saved.path);
      const read = await readAll(reader);
      expect(read.map(({ logTime }) => logTime)).toEqual(Array.from({ length: 13 }, (_, i) => BigInt(i + 8)));
      for (const { data } of read) expect(Buffer.compare(data, image)).toBe(0);
      await reader.close();
      // The buffers that were lent to the thread are back.
      expect((await recent.save()).messages).toBe(13);
    });
  });

  test("calls at the same time get the same recording, later calls one of their own", async () => {
    await withFolder(async (directory) => {
      const recent = new RecentMessages({ duration: 60n * SECOND, maxBytes: 1e6, directory });
      recent.add("/a", HEADER_TYPE, header(1n), 1n);
      const [one, other] = await Promise.all([recent.save(), recent.save()]);
      expect(other).toBe(one);
      recent.add("/a", HEADER_TYPE, header(2n), 2n);
      await sleep(2);
      const later = await recent.save();
      expect([one.messages, later.messages]).toEqual([1, 2]);
      expect((await readdir(directory)).sort()).toEqual(
        [one.path, later.path].map((file) => path.basename(file)),
      );
    });
  });

  test("two in a row have what stands, both of them, whether or not it was sent", async () => {
    await withFolder(async (directory) => {
      let now = 0;
      const recent = new RecentMessages({ duration: SECOND, maxBytes: 1e6, directory, clock: () => now });
      recent.add("/label_info", LABEL_INFO_TYPE, encodeLabelInfo(labelInfo), 1n);
      for (now of [5000, 5100, 5200]) {
        recent.add("/a", HEADER_TYPE, header(2n), 2n);
        const saved = await recent.save();
        const reader = await openBag(saved.path);
        const standing = (await readAll(reader)).filter(({ topic }) => topic === "/label_info");
        await reader.close();
        expect(standing.map(({ data }) => Buffer.from(data))).toEqual([
          Buffer.from(encodeLabelInfo(labelInfo)),
        ]);
        await sleep(2);
      }
    });
  });

  test("is refused beyond the quota, in one sentence, and what is there stays", async () => {
    await withFolder(async (directory) => {
      const quota = { maxRecordings: 2, maxTotalBytes: 1e9, minFreeBytes: 0 };
      const make = (changed: Partial<typeof quota>): RecentMessages => {
        const options = { duration: 60n * SECOND, maxBytes: 1e7, directory, quota: { ...quota, ...changed } };
        const recent = new RecentMessages(options);
        recent.add("/a", IMAGE, new Uint8Array(100_000), 1n);
        return recent;
      };
      await writeFile(path.join(directory, "ditr_perception.log"), "not a recording");
      await expect(make({ maxTotalBytes: 50_000 }).save()).rejects.toMatchObject({
        code: "bag-unwritable",
        message: `the recordings in ${directory} take 0.0 MB, this one needs up to 0.1 MB, and recording.max_total_megabytes is 0.05: move some away, or delete them`,
      });
      await expect(make({ minFreeBytes: 1e18 }).save()).rejects.toMatchObject({
        message: expect.stringMatching(
          /^the disk of \/.* has [\d.]+ MB free, the recording needs up to 0.1 MB, and recording.min_free_megabytes is 1000000000000: make room$/,
        ),
      });
      // As a loop of a peer does.
      const recent = make({});
      const answers = [];
      for (let i = 0; i < 5; i++) {
        answers.push(await recent.save().then(({ messages }) => messages, String));
        await sleep(2);
      }
      const refused = `Fault: ${directory} has 2 recordings, and recording.max_recordings is 2: move some away, or delete them`;
      expect(answers).toEqual([1, 1, refused, refused, refused]);
      const names = (await readdir(directory)).sort();
      expect(names.length).toBe(3);
      await rm(path.join(directory, names.at(-1)!));
      expect((await recent.save()).messages).toBe(1);
    });
  });

  test("is finished early when the node ends, as a bag that can be read", async () => {
    await withFolder(async (directory) => {
      const recent = new RecentMessages({ duration: 600n * SECOND, maxBytes: 4e8, directory });
      // Many small ones: each has to be answered by the thread.
      for (let i = 1n; i <= 200_000n; i++) recent.add("/a", HEADER_TYPE, header(i), i);
      const saving = recent.save();
      const start = performance.now();
      await recent.close();
      expect(performance.now() - start).toBeLessThan(3000);
      const saved = await saving;
      expect(saved.missing).toBeGreaterThan(0);
      expect(saved.messages + saved.missing).toBe(200_000);
      expect(savedSentence(saved)).toContain(
        `(finished early: the last ${saved.missing} messages are missing)`,
      );
      const reader = await openBag(saved.path);
      expect([reader.warnings, (await readAll(reader)).length]).toEqual([[], saved.messages]);
      await reader.close();
      await expect(recent.save()).rejects.toThrow("the node is ending");
    });
  });

  test("says in one sentence why it cannot be, leaves nothing behind, and can be tried again", async () => {
    await withFolder(async (folder) => {
      const directory = path.join(folder, "recordings");
      const recent = new RecentMessages({ duration: SECOND, maxBytes: 1e7, directory, clock: () => 0 });
      await expect(recent.save()).rejects.toMatchObject({
        code: "bag-unwritable",
        message: "no message came or went in the last 1 s, so that there is nothing to save",
      });
      const large = new Uint8Array(100_000).fill(7);
      recent.add("/a", IMAGE, large, 1n);
      await writeFile(directory, "a file where the folder should be");
      await expect(recent.save()).rejects.toMatchObject({
        code: "bag-unwritable",
        message: expect.stringMatching(/^\/.*recordings cannot be written: ENOTDIR: .*$/),
      });
      await writeFile(directory, "");
      const off = new RecentMessages({ duration: 0n, maxBytes: 1e6, directory });
      off.add("/a", HEADER_TYPE, header(1n), 1n);
      await expect(off.save()).rejects.toThrow("recording.seconds is 0");
    });
  });

  test("a disk that takes no more costs the recording, but not the messages", async () => {
    await withFolder(async (folder) => {
      // A limit on the size of files stands for a full disk: 2 MB, of 3 MB that do not compress.
      const script = `
        import { readdirSync } from "node:fs";
        import { randomBytes } from "node:crypto";
        import { RecentMessages } from ${JSON.stringify(new URL("./RecentMessages.js", import.meta.url).href)};
        const recent = new RecentMessages({ duration: 10n ** 11n, maxBytes: 1e7, directory: process.argv[2] });
        for (let i = 1n; i <= 3n; i++) recent.add("/a", ${JSON.stringify(IMAGE)}, randomBytes(1e6), i);
        for (const attempt of [1, 2]) {
          await recent.save().catch(({ code, message }) => console.log(attempt, code, message));
          console.log(readdirSync(process.argv[2]).length);
        }`;
      const limited = `trap "" XFSZ; ulimit -f 2000; exec "$0" "$@"`;
      const directory = path.join(folder, "recordings");
      await mkdir(directory);
      await writeFile(path.join(folder, "save.mjs"), script);
      const node = [process.execPath, path.join(folder, "save.mjs"), directory];
      const { stdout, stderr } = spawnSync("bash", ["-c", limited, ...node], { encoding: "utf8" });
      const refused = `bag-unwritable ${directory}/<name> cannot be written: EFBIG: file too large, write`;
      const lines = stdout.replaceAll(/ditr_perception_\S+\.mcap/g, "<name>");
      expect([lines, stderr]).toEqual([`1 ${refused}\n0\n2 ${refused}\n0\n`, ""]);
    });
  });

  test("a type without a definition is a defect of the caller, and leaves nothing behind either", async () => {
    await withFolder(async (directory) => {
      const recent = new RecentMessages({ duration: SECOND, maxBytes: 1e7, directory, clock: () => 0 });
      recent.add("/a", "unknown_msgs/msg/Thing", header(1n), 1n);
      await expect(recent.save()).rejects.toThrow('no message definition of "unknown_msgs/Thing" is known');
      expect(await readdir(directory)).toEqual([]);
    });
  });
});
