import { expect, test } from "@jest/globals";
import { Fault } from "../../faults/Fault.js";
import { decodeScanStatus, encodeScanStatus } from "../../messages/scanStatus.js";
import { exampleInfo, failedScan, labelledScan } from "./exampleScans.js";
import { scanInfo } from "./ScanInfo.js";
import { statusMessage } from "./statusMessage.js";

const CAMERAS = ["front", "left", "rear", "new"];

test("says how a scan was labelled, with which images, and why the others were not used", () => {
  const fault = new Fault("image-decoding-failed", "the JPEG is cut off", {
    place: { topic: "/left/image_raw" },
  });
  const status = statusMessage(labelledScan({ faults: [fault] }), exampleInfo, CAMERAS, 161.5);
  expect(status).toEqual({
    header: { stamp: exampleInfo.stamp, frameId: "lidar" },
    mode: "fused",
    reason: "images-available",
    cameras: [
      { name: "front", used: true, delta: 12_000_000n, missingReason: "" },
      {
        name: "left",
        used: false,
        delta: -3_000_000n,
        missingReason: "image-decoding-failed: the JPEG is cut off",
      },
      { name: "rear", used: false, delta: 0n, missingReason: "inactive" },
      { name: "new", used: false, delta: 0n, missingReason: "never_seen" },
    ],
    seenShare: 0.375,
    pointCount: 120_000,
    voxelCount: 61_000,
    unlabeledCount: 7,
    decodeMs: 1,
    geometryMs: 20,
    imagesMs: 3,
    projectionMs: 4,
    imageEncoderMs: 50,
    backboneMs: 60,
    detectionMs: 5,
    composeMs: 7,
    latencyMs: 161.5,
  });
  expect(decodeScanStatus(encodeScanStatus(status))).toEqual(status);
});

test("an image that an image-free scan had no use for is there, and not used", () => {
  const outcome = labelledScan({ mode: "image-free", reason: "too-few-points-seen", imagesUsed: [] });
  const { mode, cameras } = statusMessage(outcome, exampleInfo, ["front"], 1);
  expect(mode).toBe("image-free");
  expect(cameras).toEqual([{ name: "front", used: false, delta: 12_000_000n, missingReason: "" }]);
});

test("says why a scan failed", () => {
  const status = statusMessage(failedScan(), exampleInfo, ["front", "rear"], 12);
  expect(status).toMatchObject({
    mode: "failed",
    reason: "/points at 5 ns: the cloud is cut off",
    pointCount: 0,
    backboneMs: 0,
    detectionMs: 0,
    latencyMs: 12,
  });
  expect(status.cameras.map(({ used, missingReason }) => [used, missingReason])).toEqual([
    [false, ""],
    [false, "inactive"],
  ]);
});

test("takes the frame that the points are in from a frame: merged, the cloud's, or none", () => {
  const source = {
    kind: "points",
    index: 0,
    topic: "/points",
    frameId: "lidar",
    cdr: new Uint8Array(0),
  } as const;
  const frame = { stamp: 5n, topic: "/points", sources: [source], images: [], missing: [] };
  expect(scanInfo(frame)).toEqual({ stamp: 5n, frameId: "lidar", images: [], missing: [] });
  expect(scanInfo({ ...frame, mergedFrame: "base_link" }).frameId).toBe("base_link");
  expect(scanInfo({ ...frame, sources: [] }).frameId).toBe("");
});
