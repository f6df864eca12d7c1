import { describe, expect, test } from "@jest/globals";
import { borrowMissingSlots, patchLayout, writeInverse } from "./patches.js";

describe("patchLayout", () => {
  test.each([
    [0, 8, 1, 0],
    [1, 8, 1, 1],
    [8, 8, 1, 8],
    [9, 8, 2, 8],
    [16, 8, 2, 8],
    [17, 8, 3, 8],
  ])("%d voxels in patches of %d are %d of %d", (voxels, configured, patchCount, patchSize) => {
    expect(patchLayout(voxels, configured)).toEqual({ patchCount, patchSize });
  });
});

describe("the last patch", () => {
  test("is filled from the same places of the patch before it, and each voxel keeps its own slot", () => {
    const slots = Int32Array.of(6, 5, 4, 3, 2, 1, 0, -1, -1);
    borrowMissingSlots(slots, 7, 3);
    expect([...slots]).toEqual([6, 5, 4, 3, 2, 1, 0, 2, 1]);
    const inverse = new Int32Array(7);
    writeInverse(slots, 7, inverse);
    expect([...inverse]).toEqual([6, 5, 4, 3, 2, 1, 0]);
  });
});
