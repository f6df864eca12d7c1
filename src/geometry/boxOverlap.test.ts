import { describe, expect, test } from "@jest/globals";
import { boxOverlap } from "./boxOverlap.js";
import { boxStrokes } from "./boxOutline.js";
import type { OrientedBox } from "./OrientedBox.js";

const BOX: OrientedBox = { center: [100, -50, 1], size: [4, 2, 1.5], yaw: 0.3 };

function moved(along: number, across: number, up: number): OrientedBox {
  const [cos, sin] = [Math.cos(BOX.yaw), Math.sin(BOX.yaw)];
  const [x, y, z] = BOX.center;
  return { ...BOX, center: [x + cos * along - sin * across, y + sin * along + cos * across, z + up] };
}

describe("overlap of boxes by hand", () => {
  test.each([
    ["the same", BOX, 1],
    ["turned by half a circle", { ...BOX, yaw: BOX.yaw + Math.PI }, 1],
    ["a quarter further along", moved(1, 0, 0), 3 / 5],
    ["half across", moved(0, 1, 0), 1 / 3],
    ["a third higher", moved(0, 0, 0.5), 1 / 2],
    ["beside", moved(0, 2, 0), 0],
    ["above", moved(0, 0, 1.5), 0],
    ["far away", moved(30, 0, 0), 0],
    // 2 x 2 m of either are in both.
    ["turned by a right angle", { ...BOX, yaw: BOX.yaw + Math.PI / 2 }, 4 / 12],
    ["within", { ...BOX, size: [2, 1, 1] }, 2 / 12],
    ["without a width", { ...BOX, size: [4, 0, 1.5] }, 0],
  ] as const)("%s", (_, other, expected) => {
    expect(boxOverlap(BOX, other)).toBeCloseTo(expected, 9);
    expect(boxOverlap(other, BOX)).toBeCloseTo(expected, 9);
  });

  test("squares turned by 45 degrees share an octagon", () => {
    const square: OrientedBox = { center: [0, 0, 0], size: [2, 2, 2], yaw: 0.1 };
    const octagon = 8 * (Math.SQRT2 - 1);
    const found = boxOverlap(square, { ...square, yaw: square.yaw + Math.PI / 4 });
    expect(found).toBeCloseTo(octagon / (8 - octagon), 9);
  });
});

test("the strokes of a box are its twelve edges and one to its front", () => {
  const strokes = boxStrokes({ center: [1, 2, 3], size: [4, 2, 6], yaw: Math.PI / 2 });
  const lengths = strokes.map(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  const rounded = lengths.map((length) => length.toFixed(6)).sort();
  expect(rounded).toEqual(
    [...Array<number>(5).fill(2), ...Array<number>(4).fill(4), ...Array<number>(4).fill(6)].map((length) =>
      length.toFixed(6),
    ),
  );
  const [bottom, front] = strokes.at(-1)!;
  expect(bottom).toEqual([1, 2, 0]);
  expect(front.map((value) => Number(value.toFixed(9)))).toEqual([1, 4, 0]);
});
