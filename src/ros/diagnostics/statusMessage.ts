import type { CameraUse, ScanStatus } from "../../messages/types.js";
import type { ScanOutcome } from "../../perception/ScanFrame.js";
import type { ScanInfo } from "./ScanInfo.js";

/**
 * The status message of one scan.
 *
 * @param cameras names of all cameras, in the order of the message
 * @param latencyMs from the arrival of the cloud to the publication of its labels
 */
export function statusMessage(
  outcome: ScanOutcome,
  info: ScanInfo,
  cameras: readonly string[],
  latencyMs: number,
): ScanStatus {
  const header = { stamp: info.stamp, frameId: info.frameId };
  const uses = cameras.map((camera) => cameraUse(camera, outcome, info));
  if (outcome.kind === "failed") {
    return { ...NOTHING, header, mode: "failed", reason: outcome.fault.message, cameras: uses, latencyMs };
  }
  const { mode, reason, seenShare, pointCount, voxelCount, unlabeledCount, times } = outcome;
  return {
    header,
    mode,
    reason,
    cameras: uses,
    seenShare,
    pointCount,
    voxelCount,
    unlabeledCount,
    decodeMs: times.decode,
    geometryMs: times.geometry,
    imagesMs: times.images,
    projectionMs: times.projection,
    imageEncoderMs: times.imageEncoder,
    backboneMs: times.backbone,
    detectionMs: times.detection,
    composeMs: times.compose,
    latencyMs,
  };
}

const NOTHING = {
  seenShare: 0,
  pointCount: 0,
  voxelCount: 0,
  unlabeledCount: 0,
  decodeMs: 0,
  geometryMs: 0,
  imagesMs: 0,
  projectionMs: 0,
  imageEncoderMs: 0,
  backboneMs: 0,
  detectionMs: 0,
  composeMs: 0,
};

function cameraUse(name: string, outcome: ScanOutcome, { images, missing }: ScanInfo): CameraUse {
  const image = images.find(({ camera }) => camera === name);
  if (image === undefined) {
    // A camera of which nothing is known was not part of the join.
    const reason = missing.find(({ camera }) => camera === name)?.reason ?? "never_seen";
    return { name, used: false, delta: 0n, missingReason: reason };
  }
  const { delta, topic } = image;
  if (outcome.kind === "failed") return { name, used: false, delta, missingReason: "" };
  const used = outcome.imagesUsed.some(({ camera }) => camera === name);
  // An image that could not be decoded or projected is told by a fault of its topic.
  const fault = used ? undefined : outcome.faults.find(({ place }) => place?.topic === topic);
  const missingReason = fault === undefined ? "" : `${fault.code}: ${fault.message}`;
  return { name, used, delta, missingReason };
}
