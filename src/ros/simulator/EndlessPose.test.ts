import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { rigidPose } from "../../simulation/RigidPose.js";
import { EndlessPose } from "./EndlessPose.js";

const yaw = fc.double({ min: -3, max: 3, noNaN: true });
const metres = fc.double({ min: -500, max: 500, noNaN: true });
const tilt = fc.double({ min: -0.1, max: 0.1, noNaN: true });
const pose = fc
  .tuple(metres, metres, fc.double({ min: -5, max: 5, noNaN: true }), yaw, tilt, tilt)
  .map(([x, y, z, turn, pitch, roll]) => rigidPose([x, y, z], turn, pitch, roll));

function headingOf({ rotation: [x, y, z, w] }: ReturnType<EndlessPose["place"]>): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

describe("EndlessPose", () => {
  test("begins with the drive as it is", () => {
    const recorded = rigidPose([1, 2, 3], 0.4, 0.05, -0.02);
    const placed = new EndlessPose().place(recorded);
    expect(placed.translation).toEqual([1, 2, 3]);
    placed.rotation.forEach((value, index) => {
      expect(value).toBeCloseTo(recorded.rotation[index]!, 12);
    });
  });

  test("starts each repetition in the place and heading where the last one ended", () => {
    const seed = Date.now() & 0x7fffffff;
    fc.assert(
      fc.property(pose, pose, fc.integer({ min: 1, max: 20 }), (first, end, repetitions) => {
        const endless = new EndlessPose();
        for (let i = 0; i < repetitions; i++) {
          const reached = endless.place(end);
          endless.repeat(first, end);
          const start = endless.place(first);
          expect(start.translation[0]).toBeCloseTo(reached.translation[0], 6);
          expect(start.translation[1]).toBeCloseTo(reached.translation[1], 6);
          const turned = headingOf(start) - headingOf(reached);
          expect(Math.cos(turned)).toBeCloseTo(1, 9);
          expect(start.translation[2]).toBe(first.translation[2]);
        }
      }),
      { seed, numRuns: 50 },
    );
  });
});
