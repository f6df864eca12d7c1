/** Outcomes of scans, for tests. */
import { Fault } from "../../faults/Fault.js";
import type { FailedScan, LabelledScan } from "../../perception/ScanFrame.js";
import type { ScanInfo } from "./ScanInfo.js";

export const exampleInfo: ScanInfo = {
  stamp: 1_700_000_000_000_000_000n,
  frameId: "lidar",
  images: [
    { camera: "front", topic: "/front/image_raw", delta: 12_000_000n },
    { camera: "left", topic: "/left/image_raw", delta: -3_000_000n },
  ],
  missing: [{ camera: "rear", reason: "inactive" }],
};

export function labelledScan(changes: Partial<LabelledScan> = {}): LabelledScan {
  return {
    kind: "labelled",
    stamp: exampleInfo.stamp,
    topic: "/points",
    mode: "fused",
    reason: "images-available",
    imagesUsed: [{ camera: "front", stamp: 12_000_000n, delta: 12_000_000n }],
    missing: exampleInfo.missing,
    faults: [],
    seenShare: 0.375,
    pointCount: 120_000,
    noReturnCount: 0,
    voxelCount: 61_000,
    unlabeledCount: 7,
    classCounts: new Map(),
    overlays: [],
    boxes: { found: [] },
    overlaysMs: 0,
    times: {
      decode: 1,
      geometry: 20,
      images: 3,
      projection: 4,
      imageEncoder: 50,
      backbone: 60,
      detection: 5,
      compose: 7,
    },
    ...changes,
  };
}

export function failedScan(): FailedScan {
  const fault = new Fault("malformed-message", "/points at 5 ns: the cloud is cut off").asError();
  return { kind: "failed", stamp: exampleInfo.stamp, topic: "/points", fault };
}
