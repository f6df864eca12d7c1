import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import { readTime, TIME_BYTES, writeTime } from "./time.js";
import { SCAN_MODES, type ScanMode, type ScanStatus } from "./types.js";

export const SCAN_STATUS_TYPE = "ditr_perception/msg/ScanStatus";

/** length of name (4) + used (1) + delta + length of missing_reason (4), without alignment */
const MINIMUM_CAMERA_BYTES = 4 + 1 + TIME_BYTES + 4;

export function decodeScanStatus(cdr: Uint8Array): ScanStatus {
  const input = new CdrInput(cdr, SCAN_STATUS_TYPE);
  return {
    header: readHeader(input, "header."),
    mode: readMode(input),
    reason: input.string("reason"),
    cameras: input.structSequence("cameras", MINIMUM_CAMERA_BYTES, (path) => ({
      name: input.string(`${path}.name`),
      used: input.bool(`${path}.used`),
      delta: readTime(input, `${path}.delta`),
      missingReason: input.string(`${path}.missing_reason`),
    })),
    seenShare: input.float32("seen_share"),
    pointCount: input.uint32("point_count"),
    voxelCount: input.uint32("voxel_count"),
    unlabeledCount: input.uint32("unlabeled_count"),
    decodeMs: input.float32("decode_ms"),
    geometryMs: input.float32("geometry_ms"),
    imagesMs: input.float32("images_ms"),
    projectionMs: input.float32("projection_ms"),
    imageEncoderMs: input.float32("image_encoder_ms"),
    backboneMs: input.float32("backbone_ms"),
    detectionMs: input.float32("detection_ms"),
    composeMs: input.float32("compose_ms"),
    latencyMs: input.float32("latency_ms"),
  };
}

export function encodeScanStatus(status: ScanStatus, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(SCAN_STATUS_TYPE, options);
  writeHeader(output, "header.", status.header);
  output.string(status.mode);
  output.string(status.reason);
  output.structSequence(status.cameras, ({ name, used, delta, missingReason }, index) => {
    output.string(name);
    output.bool(used);
    writeTime(output, `cameras[${index}].delta`, delta);
    output.string(missingReason);
  });
  output.float32(status.seenShare);
  output.uint32("point_count", status.pointCount);
  output.uint32("voxel_count", status.voxelCount);
  output.uint32("unlabeled_count", status.unlabeledCount);
  output.float32(status.decodeMs);
  output.float32(status.geometryMs);
  output.float32(status.imagesMs);
  output.float32(status.projectionMs);
  output.float32(status.imageEncoderMs);
  output.float32(status.backboneMs);
  output.float32(status.detectionMs);
  output.float32(status.composeMs);
  output.float32(status.latencyMs);
  return output.finish();
}

function readMode(input: CdrInput): ScanMode {
  const read = input.string("mode");
  const mode = SCAN_MODES.find((known) => known === read);
  if (mode === undefined) {
    throw input.fault("mode", `"${read}" is not one of ${SCAN_MODES.join(", ")}`);
  }
  return mode;
}
