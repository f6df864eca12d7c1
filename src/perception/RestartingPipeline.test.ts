import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import { killThread } from "../../test/support/pipelineThreads.mjs";
import { encodePointCloud2 } from "../messages/pointCloud2.js";
import { PointFieldType } from "../messages/types.js";
import { ModelBundle } from "../model/ModelBundle.js";
import { RestartingPipeline } from "./RestartingPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "./ScanFrame.js";

const bundle = await ModelBundle.load(fileURLToPath(new URL("../../models/street-tiny", import.meta.url)));

function frame(stamp: bigint): ScanFrame {
  const data = new Float32Array(4000).map((_, i) => [3 + (i % 97) / 5, (i % 31) / 4 - 4, -1.7, 0.5][i % 4]!);
  const fields = ["x", "y", "z", "intensity"].map((name, index) => ({
    name,
    offset: 4 * index,
    datatype: PointFieldType.FLOAT32,
    count: 1,
  }));
  const cdr = encodePointCloud2({
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: 1000,
    fields,
    isBigEndian: false,
    pointStep: 16,
    rowStep: 16_000,
    data: new Uint8Array(data.buffer),
    isDense: true,
  });
  const source = { kind: "points", index: 0, topic: "/points", frameId: "lidar", cdr } as const;
  return { stamp, topic: "/points", sources: [source], images: [], missing: [] };
}

let pipeline: RestartingPipeline;
afterEach(async () => {
  await pipeline.close();
});

/** Labels scans 1, 2, ...; `before` is called when the scan of that number is about to be given to the pipeline. */
async function label(count: number, before: (scan: number) => void): Promise<(ScanWithCloud | FailedScan)[]> {
  pipeline = await RestartingPipeline.start({
    bundle,
    provider: "cpu",
    threads: 1,
    fusion: { mode: "auto", minImages: 1, minSeenShare: 0, seenShareHysteresis: 0 },
  });
  async function* frames(): AsyncGenerator<ScanFrame> {
    for (let scan = 1; scan <= count; scan++) {
      before(scan);
      yield await Promise.resolve(frame(BigInt(scan)));
    }
  }
  const outcomes: (ScanWithCloud | FailedScan)[] = [];
  for await (const outcome of pipeline.label(frames())) outcomes.push(outcome);
  return outcomes;
}

test.each(["preparation", "inference"] as const)(
  "a dead %s thread costs the scans that were under way, each named, and no other",
  async (which) => {
    const outcomes = await label(14, (scan) => {
      if (scan === 6) expect(killThread(which)).toBe(true);
    });
    expect(outcomes.map(({ stamp }) => stamp)).toEqual(Array.from({ length: 14 }, (_, i) => BigInt(i + 1)));
    const failed = outcomes.filter((outcome) => outcome.kind === "failed");
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThanOrEqual(3);
    for (const { fault, stamp } of failed) {
      expect([fault.code, fault.severity, fault.place?.stamp]).toEqual([
        "labelling-interrupted",
        "error",
        stamp,
      ]);
      expect(fault.message).toMatch(
        new RegExp(
          `^/points .*: the scan is lost, since the ${which} worker failed: .*; labelling goes on with new threads$`,
        ),
      );
    }
    expect(outcomes.slice(-5).every(({ kind }) => kind === "labelled")).toBe(true);
  },
);

test("a thread that dies again and again ends the labelling with a Fault", async () => {
  await expect(
    label(60, () => {
      killThread("preparation");
    }),
  ).rejects.toMatchObject({
    code: "labelling-interrupted",
    message: expect.stringMatching(
      /^labelling is given up after it was started anew 5 times: the preparation worker failed: /,
    ),
  });
});
