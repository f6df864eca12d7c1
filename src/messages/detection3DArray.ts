import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { MINIMUM_HEADER_BYTES, readHeader, writeHeader } from "./header.js";
import { POSE_BYTES, readPose, readVector, writePose, writeVector } from "./pose.js";
import type { Detection3D, Detection3DArray, ObjectHypothesis } from "./types.js";

export const DETECTION3D_ARRAY_TYPE = "vision_msgs/msg/Detection3DArray";

const COVARIANCE = 36;
/** length of class_id (4) + score (8) + pose + covariance, without alignment */
const MINIMUM_HYPOTHESIS_BYTES = 4 + 8 + POSE_BYTES + COVARIANCE * 8;
/** header + length of results (4) + box (pose and size) + length of id (4), without alignment */
const MINIMUM_DETECTION_BYTES = MINIMUM_HEADER_BYTES + 4 + POSE_BYTES + 3 * 8 + 4;

/** Values are passed on as they are: a box of no size is for the reader of boxes to refuse. */
export function decodeDetection3DArray(cdr: Uint8Array): Detection3DArray {
  const input = new CdrInput(cdr, DETECTION3D_ARRAY_TYPE);
  return {
    header: readHeader(input, "header."),
    detections: input.structSequence("detections", MINIMUM_DETECTION_BYTES, (path) =>
      readDetection(input, path),
    ),
  };
}

export function encodeDetection3DArray(
  { header, detections }: Detection3DArray,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(DETECTION3D_ARRAY_TYPE, options);
  writeHeader(output, "header.", header);
  output.structSequence(detections, (detection, index) => {
    writeDetection(output, `detections[${index}]`, detection);
  });
  return output.finish();
}

function readDetection(input: CdrInput, path: string): Detection3D {
  return {
    // Many senders fill the header of the array alone, so that its stamp need not be possible.
    header: readHeader(input, `${path}.header.`, { anyStamp: true }),
    results: input.structSequence(
      `${path}.results`,
      MINIMUM_HYPOTHESIS_BYTES,
      (result): ObjectHypothesis => ({
        classId: input.string(`${result}.hypothesis.class_id`),
        score: input.float64(`${result}.hypothesis.score`),
        pose: readPose(input, `${result}.pose.pose`),
        covariance: input.float64Array(`${result}.pose.covariance`, COVARIANCE),
      }),
    ),
    center: readPose(input, `${path}.bbox.center`),
    size: readVector(input, `${path}.bbox.size`),
    id: input.string(`${path}.id`),
  };
}

function writeDetection(
  output: CdrOutput,
  path: string,
  { header, results, center, size, id }: Detection3D,
): void {
  writeHeader(output, `${path}.header.`, header);
  output.structSequence(results, ({ classId, score, pose, covariance }, index) => {
    output.string(classId);
    output.float64(score);
    writePose(output, pose);
    output.float64Array(`${path}.results[${index}].pose.covariance`, covariance, COVARIANCE);
  });
  writePose(output, center);
  writeVector(output, size);
  output.string(id);
}
