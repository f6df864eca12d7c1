import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { codeDepth, MAX_GRID_COORDINATE, zOrderHigh, zOrderLow } from "./zOrder.js";

/** Bit by bit, as the definition says. */
function interleave(x: number, y: number, z: number): bigint {
  let code = 0n;
  for (let bit = 15; bit >= 0; bit--) {
    for (const coordinate of [x, y, z]) code = code * 2n + BigInt((coordinate >> bit) & 1);
  }
  return code;
}

const coordinate = fc.integer({ min: 0, max: MAX_GRID_COORDINATE });

describe("z-order codes", () => {
  test.each([
    ["fixed", { seed: 1 }],
    ["fresh", {}],
  ])("are the interleaved bits, x first (%s seed)", (_, parameters) => {
    fc.assert(
      fc.property(coordinate, coordinate, coordinate, (x, y, z) => {
        const code = BigInt(zOrderHigh(x, y, z)) * 2n ** 24n + BigInt(zOrderLow(x, y, z));
        expect(code).toBe(interleave(x, y, z));
      }),
      parameters,
    );
  });

  test("have the depth of the largest coordinate, at least 1", () => {
    expect([0, 1, 2, 3, 4, 255, 256, 65535].map(codeDepth)).toEqual([1, 1, 2, 2, 3, 8, 9, 16]);
  });
});
