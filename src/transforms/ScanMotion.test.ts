import { describe, expect, test } from "@jest/globals";
import type { TransformStamped } from "../messages/types.js";
import { deskew, scanMotion, transformPoints } from "./ScanMotion.js";
import { TransformBuffer } from "./TransformBuffer.js";

/** A vehicle drives forwards at SPEED and turns at RATE, on a circle; the LiDAR is mounted ahead, up and askew. */
const SPEED = 20;
const RATE = 1;
const STAMP = 1_700_000_001_987_654_321n;
const MOUNT = { translation: [1.2, 0.3, 1.8], rotation: [0.02, -0.01, 0.6, 0.79969] } as const;

/** The vehicle's pose t nanoseconds after the stamp. */
function vehicle(t: number): { x: number; y: number; angle: number } {
  const angle = RATE * (t / 1e9);
  const radius = SPEED / RATE;
  return { x: radius * Math.sin(angle), y: radius * (1 - Math.cos(angle)), angle };
}

function transforms(): TransformBuffer {
  const buffer = new TransformBuffer();
  const samples: TransformStamped[] = [];
  // Every millisecond, so that tf2's straight lines between samples are no part of the error.
  for (let t = -200_000_000; t <= 200_000_000; t += 1_000_000) {
    const { x, y, angle } = vehicle(t);
    samples.push({
      header: { stamp: STAMP + BigInt(t), frameId: "odom" },
      childFrameId: "base_link",
      translation: [x, y, 0],
      rotation: [0, 0, Math.sin(angle / 2), Math.cos(angle / 2)],
    });
  }
  buffer.add({ transforms: samples }, false);
  const header = { stamp: 0n, frameId: "base_link" };
  buffer.add({ transforms: [{ header, childFrameId: "lidar", ...MOUNT }] }, true);
  return buffer;
}

/** World points, and where the LiDAR sees them at their times. */
function measured(
  buffer: TransformBuffer,
  offsets: Float64Array,
): { seen: Float32Array; still: Float32Array } {
  const toLidar = buffer.lookup("lidar", "base_link", STAMP);
  const world = Float64Array.from(offsets, (_, i) => i * 0.37);
  const place = (t: number, i: number): number[] => {
    const { x, y, angle } = vehicle(t);
    const [wx, wy, wz] = [40 * Math.cos(world[i]!), 40 * Math.sin(world[i]!), (i % 7) - 2];
    const [dx, dy] = [wx - x, wy - y];
    const bx = Math.cos(angle) * dx + Math.sin(angle) * dy;
    const by = -Math.sin(angle) * dx + Math.cos(angle) * dy;
    return [0, 1, 2].map(
      (row) => toLidar[row]! * bx + toLidar[4 + row]! * by + toLidar[8 + row]! * wz + toLidar[12 + row]!,
    );
  };
  return {
    seen: Float32Array.from([...offsets].flatMap((t, i) => place(Number.isNaN(t) ? 0 : t, i))),
    still: Float32Array.from([...offsets].flatMap((_, i) => place(0, i))),
  };
}

function largestDistance(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

const OPTIONS = {
  sensorFrame: "lidar",
  sensorStamp: STAMP,
  scanFrame: "lidar",
  scanStamp: STAMP,
  fixedFrame: "odom",
};

describe("deskew", () => {
  const buffer = transforms();

  test.each([
    [[0, 100_000_000]],
    [[-100_000_000, 0]],
    [[-50_000_000.5, 49_999_999.25]],
    [[70_000_000, 170_000_000]],
  ] as const)("points of a drive on a circle, measured from %p ns on, stand still", ([first, last]) => {
    const offsets = Float64Array.from(
      { length: 500 },
      (_, i) => first + ((last - first) * ((i * 7) % 500)) / 499,
    );
    const { seen, still } = measured(buffer, offsets);
    const before = largestDistance(seen, still);
    deskew(seen, offsets, scanMotion(buffer, { ...OPTIONS, span: [first, last] }));
    // 20 m/s and 1 rad/s at 40 m for up to 170 ms, and the rounding of float32 at 60 m.
    expect(before).toBeGreaterThan(2);
    expect(largestDistance(seen, still)).toBeLessThan(3e-5);
  });

  test("points without a time stay; NaN and infinities stay themselves", () => {
    const offsets = Float64Array.of(NaN, 0, 90_000_000, 50_000_000);
    const { seen, still } = measured(buffer, offsets);
    seen.set([NaN, NaN, NaN], 9);
    deskew(seen, offsets, scanMotion(buffer, { ...OPTIONS, span: [0, 90_000_000] }));
    expect(largestDistance(seen.subarray(0, 9), still.subarray(0, 9))).toBeLessThan(3e-5);
    expect([...seen.subarray(9)]).toEqual([NaN, NaN, NaN]);
  });

  test("all points at one time, into another frame and stamp", () => {
    const offsets = new Float64Array(50).fill(30_000_000);
    const { seen } = measured(buffer, offsets);
    const expected = seen.slice();
    const stamp = STAMP - 20_000_000n;
    transformPoints(expected, buffer.lookupThrough("base_link", stamp, "lidar", STAMP + 30_000_000n, "odom"));
    const span = [30_000_000, 30_000_000] as const;
    deskew(seen, offsets, scanMotion(buffer, { ...OPTIONS, scanFrame: "base_link", scanStamp: stamp, span }));
    expect(largestDistance(seen, expected)).toBeLessThan(1e-5);
  });

  test("as many poses as milliseconds, within the known transforms", () => {
    const motion = scanMotion(buffer, { ...OPTIONS, span: [0, 200_000_000] });
    expect(motion.poses.length / 16).toBe(201);
    expect(() => scanMotion(buffer, { ...OPTIONS, span: [0, 200_000_001] })).toThrow(
      "extrapolation into the future",
    );
    expect(() => scanMotion(buffer, { ...OPTIONS, fixedFrame: "map", span: [0, 1] })).toThrow('frame "map"');
  });
});
