import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import {
  CLOUDS_ONLY,
  decodePointCloud2,
  Fault,
  labelBag,
  ModelBundle,
  openBag,
  OUTPUT_TOPICS,
  PerceptionPipeline,
  pointCount,
  readColumn,
  SIMULATOR_MODEL,
  type LabelBagOptions,
  type ScanFrame,
} from "./index.js";

const SCANS = 3;
/** One thread: other tests want the cores too. */
const MODEL = { model: SIMULATOR_MODEL, provider: "cpu", threads: 1 } as const satisfies LabelBagOptions;

let scratch: string;
let drive: string;

beforeAll(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), "ditr-library-"));
  drive = path.join(scratch, "drive.mcap");
  const writer = await McapBagWriter.create(drive);
  const cameras = [{ name: "front", width: 320, height: 160 }];
  const messages = simulateDrive({ seed: 3, scanCount: SCANS, lidar: "vlp-16", columns: 120, cameras });
  for await (const message of messages) await writer.record(message);
  await writer.close();
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

function inScratch(name: string): string {
  return path.join(scratch, name);
}

/** Files of an output, whole or not. */
function leftOf(output: string): string[] {
  return readdirSync(scratch).filter((name) => name.startsWith(path.basename(output)));
}

describe("labelBag", () => {
  test("without an output gives the scans, whose clouds are those of the labelled bag", async () => {
    const clouds: string[] = [];
    for await (const scan of labelBag(drive, MODEL)) {
      if (scan.kind !== "labelled") throw scan.fault;
      const cloud = decodePointCloud2(scan.labelledCloud);
      const labels = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
      const counted = [...scan.classCounts.values()].reduce((sum, count) => sum + count, 0);
      expect(counted + scan.unlabeledCount).toBe(labels.length);
      clouds.push(hashOf(scan.labelledCloud));
    }
    expect(clouds).toHaveLength(SCANS);

    const output = inScratch("labelled.mcap");
    const summary = await labelBag(drive, { ...MODEL, output }).summary();
    expect(summary).toMatchObject({
      output,
      scans: { received: SCANS, labelled: SCANS, lost: 0 },
      provider: { obtained: "cpu" },
    });
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
    expect(await hashesOf(output)).toEqual(clouds);
  });

  test("takes a reader, which stays open, and labels what was not taken before the summary", async () => {
    const reader = await openBag(drive);
    const labelling = labelBag(reader, MODEL);
    const first = await labelling[Symbol.asyncIterator]().next();
    expect(first).toMatchObject({ done: false, value: { kind: "labelled" } });
    expect((await labelling.summary()).scans.labelled).toBe(SCANS);
    // Both are asked for as often as one likes.
    expect((await labelling.summary()).per_scan).toHaveLength(SCANS);
    expect(await labelling[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
    const messages = reader.messages();
    expect((await messages.next()).done).toBe(false);
    await messages.return();
    await reader.close();
  });

  test("labels two bags at the same time, each as if it were alone", async () => {
    const [alone, ...together] = [
      await labelBag(drive, MODEL).summary(),
      ...(await Promise.all([labelBag(drive, MODEL).summary(), labelBag(drive, MODEL).summary()])),
    ];
    for (const { class_points } of together) expect(class_points).toEqual(alone.class_points);
  });

  test("leaves no output when its loop is left, and then has no summary", async () => {
    const output = inScratch("left.mcap");
    const labelling = labelBag(drive, { ...MODEL, output });
    for await (const scan of labelling) {
      expect(scan.kind).toBe("labelled");
      expect(leftOf(output)).not.toEqual([]);
      break;
    }
    expect(leftOf(output)).toEqual([]);
    await expect(labelling.summary()).rejects.toThrow(/was left before its end/);
  });

  test("lets a process end by itself after each way of ending, and prints nothing", () => {
    const source = `
      import { labelBag } from ${JSON.stringify(new URL("index.js", import.meta.url).href)};
      const options = ${JSON.stringify(MODEL)};
      const drive = ${JSON.stringify(drive)};
      labelBag(drive, options);
      for await (const scan of labelBag(drive, options)) break;
      await labelBag(drive, { ...options, maxScans: 1 }).summary();
      const codes = [];
      for (const wrong of [{ filterClasses: ["dragon"] }, { cloudTopics: ["/none"] }, { model: "nowhere" }]) {
        await labelBag(drive, { ...options, ...wrong }).summary().catch(({ code }) => codes.push(code));
      }
      for await (const scan of labelBag(drive, options)) throw new Error(codes.join());`;
    const script = inScratch("ends.mjs");
    writeFileSync(script, source);
    const child = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 60_000 });
    expect(child.stdout).toBe("");
    expect(child.stderr).toMatch(/Error: invalid-configuration,invalid-configuration,bad-bundle\n/);
    expect(child.stderr.split("\n").filter((line) => line.startsWith("Error"))).toHaveLength(1);
    expect(child.status).toBe(1);
  });

  test("a signal ends it early, with a finished bag and its reason", async () => {
    const output = inScratch("stopped.mcap");
    const controller = new AbortController();
    const labelling = labelBag(drive, { ...MODEL, output, signal: controller.signal });
    for await (const scan of labelling) {
      expect(scan.kind).toBe("labelled");
      controller.abort("the robot moves");
    }
    const { stopped_by, scans } = await labelling.summary();
    expect(stopped_by).toBe("the robot moves");
    expect(await hashesOf(output)).toHaveLength(scans.labelled);
    expect(leftOf(output)).toEqual(["stopped.mcap"]);

    const nothing = inScratch("nothing.mcap");
    const early = labelBag(drive, { ...MODEL, output: nothing, signal: AbortSignal.abort() });
    expect((await early.summary()).scans.labelled).toBe(0);
    expect(leftOf(nothing)).toEqual([]);
  });

  test("tells what is ready before the first scan", async () => {
    const told: unknown[] = [];
    const onStart: LabelBagOptions["onStart"] = ({ scanCount, selection, provider }) =>
      told.push([scanCount, selection.clouds[0].topic, provider.obtained]);
    for await (const scan of labelBag(drive, { ...MODEL, maxScans: 1, onStart })) {
      expect([scan.kind, told.length]).toEqual(["labelled", 1]);
    }
    expect(told).toEqual([[SCANS, "/lidar/points", "cpu"]]);
  });

  test.each<[string, LabelBagOptions, string, RegExp]>([
    ["a class that the model lacks", { filterClasses: ["dragon"] }, "invalid-configuration", /"dragon"/],
    ["a topic that the bag lacks", { cloudTopics: ["/none"] }, "invalid-configuration", /\/none/],
    ["a folder without a model", { model: "nowhere" }, "bad-bundle", /nowhere/],
    ["an option that is none", { outputs: "x" } as LabelBagOptions, "invalid-configuration", /"outputs"/],
    [
      "a value that is not allowed",
      { provider: "cdua" as "cuda" },
      "invalid-configuration",
      /"cuda"[\s\S]*provider/,
    ],
    [
      "milliseconds",
      { tolerance: 50 as unknown as bigint },
      "invalid-configuration",
      /bigint[\s\S]*tolerance/,
    ],
    ["a probability of nothing", { filterProbability: 0.5 }, "invalid-configuration", /needs filterClasses/],
  ])("throws a fault for %s, and prints nothing", async (_, options, code, words) => {
    const printed = [jest.spyOn(process.stderr, "write"), jest.spyOn(process.stdout, "write")];
    const output = inScratch("refused.mcap");
    const refused = labelBag(drive, { ...MODEL, output, ...options })
      .summary()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    const fault = await refused;
    for (const spy of printed) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(leftOf(output)).toEqual([]);
  });

  test("overwrites neither its input nor what exists", async () => {
    const before = hashOf(readFileSync(drive));
    const refuse = { code: "output-refused" };
    await expect(labelBag(drive, { ...MODEL, output: drive, force: true }).summary()).rejects.toMatchObject(
      refuse,
    );
    const reader = await openBag(drive);
    await expect(labelBag(reader, { ...MODEL, output: drive, force: true }).summary()).rejects.toMatchObject(
      refuse,
    );
    await reader.close();
    await expect(
      labelBag(drive, { ...MODEL, output: inScratch("drive.mcap") }).summary(),
    ).rejects.toMatchObject(refuse);
    expect(hashOf(readFileSync(drive))).toBe(before);
    await expect(labelBag(inScratch("none.mcap"), MODEL).summary()).rejects.toMatchObject({
      code: "bag-unreadable",
    });
  });
});

test("a pipeline labels a scan that comes from anywhere, with what it does by default", async () => {
  const reader = await openBag(drive);
  const { value: message } = await reader.messages({ topics: ["/lidar/points"] }).next();
  await reader.close();
  const { header } = decodePointCloud2(message!.data);
  const { topic, data: cdr } = message!;
  const frame: ScanFrame = {
    stamp: header.stamp,
    topic,
    sources: [{ kind: "points", index: 0, topic, frameId: header.frameId, cdr }],
    images: [],
    missing: [],
  };
  const pipeline = await PerceptionPipeline.start({
    bundle: await ModelBundle.load(SIMULATOR_MODEL),
    threads: 1,
  });
  try {
    expect(await pipeline.labelFrame(frame, CLOUDS_ONLY)).toMatchObject({
      kind: "labelled",
      mode: "image-free",
      reason: "no-images",
      labelledCloud: expect.any(Uint8Array),
    });
  } finally {
    await pipeline.close();
  }
});

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Of the labelled clouds of a bag. */
async function hashesOf(file: string): Promise<string[]> {
  expect(existsSync(file)).toBe(true);
  const reader = await openBag(file);
  const hashes: string[] = [];
  for await (const { data } of reader.messages({ topics: [OUTPUT_TOPICS.labelled] }))
    hashes.push(hashOf(data));
  await reader.close();
  return hashes;
}
