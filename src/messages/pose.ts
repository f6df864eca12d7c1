import type { CdrInput } from "./CdrInput.js";
import type { CdrOutput } from "./CdrOutput.js";
import type { PoseMessage } from "./types.js";

/** position (24) + orientation (32) */
export const POSE_BYTES = 3 * 8 + 4 * 8;

/** `path` names the field in errors. Values are passed on as they are. */
export function readPose(input: CdrInput, path: string): PoseMessage {
  const orientation = `${path}.orientation`;
  return {
    position: readVector(input, `${path}.position`),
    orientation: [
      input.float64(orientation),
      input.float64(orientation),
      input.float64(orientation),
      input.float64(orientation),
    ],
  };
}

export function writePose(output: CdrOutput, { position, orientation }: PoseMessage): void {
  writeVector(output, position);
  for (const value of orientation) output.float64(value);
}

/** geometry_msgs/Point and Vector3. */
export function readVector(input: CdrInput, path: string): [x: number, y: number, z: number] {
  return [input.float64(path), input.float64(path), input.float64(path)];
}

export function writeVector(output: CdrOutput, vector: readonly [number, number, number]): void {
  for (const value of vector) output.float64(value);
}
