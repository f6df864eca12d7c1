import { expect, test } from "@jest/globals";
import { Fault } from "../faults/Fault.js";
import { checkGeometryConfig } from "./geometryConfig.js";
import type { GeometryConfig } from "./types.js";

const GOOD: GeometryConfig = {
  gridSize: 0.05,
  pointRange: [-10, -10, -2, 10, 10, 2],
  orders: ["z", "hilbert"],
  stemKernelSize: 3,
  stages: [{ convolution: true, patchSize: 16 }],
};

/** As it may come from JSON. */
function check(changes: Record<string, unknown>): void {
  checkGeometryConfig({ ...GOOD, ...changes });
}

test("a good configuration passes", () => {
  expect(() => {
    check({});
  }).not.toThrow();
});

test.each([
  [{ gridSize: 0 }, "gridSize is 0,"],
  [{ gridSize: NaN }, "gridSize is NaN,"],
  [{ pointRange: [0, 0, 0, 1, 1] }, "pointRange is [0, 0, 0, 1, 1], but has to be six finite numbers"],
  [{ pointRange: [0, 0, 0, 1, 1, Infinity] }, "six finite numbers"],
  [{ pointRange: [0, 0, 5, 1, 1, 5] }, "from 5 to 5 along z"],
  [{ orders: ["z", "peano"] }, 'orders has "peano", but knows only z, z-trans, hilbert, hilbert-trans.'],
  [{ stemKernelSize: 4 }, "stemKernelSize is 4, but has to be 3 or 5."],
  [{ stages: [] }, "stages is empty"],
  [{ stages: [{ convolution: true, patchSize: -1 }] }, "stages[0].patchSize is -1"],
  [{ stages: [{ convolution: true, patchSize: 1.5 }] }, "stages[0].patchSize is 1.5"],
  [{ orders: [] }, "stages[0].patchSize is 16, but orders is empty."],
])("%j is refused by name and value", (changes, message) => {
  const refused = (): void => {
    check(changes);
  };
  expect(refused).toThrow(message);
  expect(refused).toThrow(Fault);
});
