import { describe, expect, test } from "@jest/globals";
import { SERIALIZATION_ORDERS } from "./geometryConfig.js";
import { SPACE_FILLING_CURVES } from "./spaceFillingCurve.js";
import type { SerializationOrder } from "./types.js";

type Cell = readonly [x: number, y: number, z: number];

/** Cells of a cube of edge 2^depth in the order in which a curve visits them. */
function visit(order: SerializationOrder, depth: number): Cell[] {
  const { startState, octantAt, stateAt } = SPACE_FILLING_CURVES[order];
  let front: { cell: Cell; state: number }[] = [{ cell: [0, 0, 0], state: startState }];
  for (let level = 0; level < depth; level++) {
    front = front.flatMap(({ cell: [x, y, z], state }) =>
      Array.from({ length: 8 }, (_, digit) => {
        const octant = octantAt[8 * state + digit]!;
        const cell: Cell = [2 * x + (octant >> 2), 2 * y + ((octant >> 1) & 1), 2 * z + (octant & 1)];
        return { cell, state: stateAt[8 * state + digit]! };
      }),
    );
  }
  return front.map(({ cell }) => cell);
}

describe.each(SERIALIZATION_ORDERS)("the curve %s", (order) => {
  test.each([1, 2, 3, 4])("visits every cell once at depth %d", (depth) => {
    const cells = visit(order, depth);
    expect(cells).toHaveLength(8 ** depth);
    expect(new Set(cells.map(String)).size).toBe(8 ** depth);
  });
});

describe("the Hilbert curves", () => {
  test.each(["hilbert", "hilbert-trans"] as const)(
    "%s steps from each cell to one that shares a face",
    (order) => {
      for (const depth of [1, 2, 3, 4, 5]) {
        const cells = visit(order, depth);
        const steps = cells.slice(1).map((cell, i) => {
          const before = cells[i]!;
          return (
            Math.abs(cell[0] - before[0]) + Math.abs(cell[1] - before[1]) + Math.abs(cell[2] - before[2])
          );
        });
        expect(new Set(steps)).toEqual(new Set([1]));
      }
    },
  );

  test("start at the origin", () => {
    expect(visit("hilbert", 4)[0]).toEqual([0, 0, 0]);
  });
});

test.each([
  ["z", "z-trans"],
  ["hilbert", "hilbert-trans"],
] as const)("%s and %s differ by the swap of x and y", (order, swapped) => {
  expect(visit(swapped, 4)).toEqual(visit(order, 4).map(([x, y, z]) => [y, x, z]));
});

test("z is the ascending z-order code, the order in which voxels are kept", () => {
  expect(visit("z", 1).map(([x, y, z]) => 4 * x + 2 * y + z)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
