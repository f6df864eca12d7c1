import { expect, test } from "@jest/globals";
import { ScanGeometryBuilder } from "./ScanGeometryBuilder.js";
import { farthestPoints, tokenPositions } from "./tokens.js";
import type { GeometryConfig } from "./types.js";

const CONFIG: GeometryConfig = {
  gridSize: 1,
  pointRange: [-8, -8, -8, 8, 8, 8],
  orders: ["z"],
  stemKernelSize: 3,
  stages: [
    { convolution: true, patchSize: 0 },
    { convolution: true, patchSize: 0 },
  ],
};

/** Two points in one voxel, one in another of the same parent, one of another parent and beyond the range. */
const XYZ = Float32Array.of(0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1.75, 0.25, 0.25, 9, 0.5, 0.5);

function positions(clamp: boolean, stage: number): number[] {
  const geometry = new ScanGeometryBuilder({ ...CONFIG, clamp }).build(XYZ, 4);
  const out = new Float32Array(3 * geometry.stages[stage]!.voxelCount);
  const input = { xyz: XYZ, geometry, stage };
  tokenPositions(clamp ? { ...input, clampTo: CONFIG.pointRange } : input, out);
  return [...out];
}

test("a token is where the representatives of its voxels are in the mean", () => {
  expect(positions(false, 0)).toEqual([0.25, 0.25, 0.25, 1.75, 0.25, 0.25]);
  expect(positions(false, 1)).toEqual([1, 0.25, 0.25]);
});

test("points that a model clamps count where they were moved to", () => {
  expect(positions(true, 1)).toEqual([1, 0.25, 0.25, 8, 0.5, 0.5]);
});

test("the farthest row comes next, of equals the lowest", () => {
  const line = Float32Array.from([0, 4, -4, 1, 4].flatMap((x) => [x, 0, 0]));
  const rows = new Int32Array(5);
  farthestPoints(line, rows);
  expect([...rows]).toEqual([0, 1, 2, 3, 0]);
  farthestPoints(line.subarray(0, 9), rows.subarray(0, 3));
  expect([...rows.subarray(0, 3)]).toEqual([0, 1, 2]);
});
