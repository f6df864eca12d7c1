import { describe, expect, test } from "@jest/globals";
import type { IntensityReading } from "../messages/IntensityReader.js";
import { intensitySense, scanSense } from "./ScanSense.js";

/** 400 points on rings of 5 to 40 m around the sensor, moved and scaled. */
function scan(scale = 1, offset: readonly [number, number, number] = [0, 0, 0]): Float32Array {
  return Float32Array.from({ length: 1200 }, (_, i) => {
    const point = Math.floor(i / 3);
    const [angle, radius] = [point * 0.37, 5 + (35 * ((point * 7919) % 400)) / 400];
    const value = [radius * Math.cos(angle), radius * Math.sin(angle), -1.5 + (point % 10) / 5][i % 3]!;
    return value * scale + offset[i % 3]!;
  });
}

function sense(xyz: Float32Array, noReturnCount = 0): { severity: string; message: string }[] {
  const faults = scanSense({
    xyz,
    noReturnCount,
    frameId: "lidar",
    pointRange: [-50, -50, -4, 50, 50, 4],
    gridSize: 0.1,
  });
  return faults.map(({ code, severity, message }) => {
    expect(code).toBe("implausible-points");
    return { severity, message };
  });
}

/** The first `count` points measured nothing. */
function without(xyz: Float32Array, count: number): Float32Array {
  return xyz.fill(NaN, 0, 3 * count);
}

describe("scanSense", () => {
  test.each<[string, Float32Array, number]>([
    ["a scan", scan(), 0],
    ["a scan of far things, half of them out of range", scan(2), 0],
    ["a scan with an open sky, 60 % without a return", without(scan(), 240), 240],
    ["a scan half of NaN", without(scan(), 200), 0],
    ["a small room", scan(0.05), 0],
    ["no scan to speak of", new Float32Array(30), 10],
    ["nothing", new Float32Array(0), 0],
  ])("has nothing to say of %s", (_, xyz, noReturns) => {
    expect(sense(xyz, noReturns)).toEqual([]);
  });

  test.each<[string, Float32Array, number, string, RegExp]>([
    [
      "UTM",
      scan(1, [500_000, 5_400_000, 300]),
      0,
      "error",
      /^none of 400 points in lidar are within the range of the model \(x -50 to 50, .* which looks like coordinates of a map \(UTM\).*--target-frame/,
    ],
    ["millimetres", scan(1000), 0, "error", /none of 400 points .* looks like millimetres and not metres/],
    ["another frame", scan(0.5, [75, 0, 0]), 0, "error", /none of 400 .* they lie around \(/],
    [
      "points at the origin",
      without(scan(), 350),
      350,
      "warning",
      /^350 of 400 points in lidar are at \(0, 0, 0\), which are no returns/,
    ],
    ["all points at the origin", without(scan(), 400), 400, "warning", /^all of 400 points in lidar are at/],
    ["NaN", without(scan(), 400), 0, "warning", /^none of 400 points in lidar is finite/],
    [
      "no returns that were moved",
      scan().map((value, at) => (Math.floor(at / 3) % 4 === 0 ? [1.2, 0, 1.73][at % 3]! : value)),
      0,
      "warning",
      /^25 % of 400 points in lidar are at exactly the same place, \(1\.2\d*, 0, 1\.73\d*\), .*no returns/,
    ],
    [
      "one voxel",
      scan(0.0005, [0.05, 0.05, 0.05]),
      0,
      "warning",
      /^all 400 points in lidar lie in 1 voxel of 0.1 m/,
    ],
  ])("names %s", (_, xyz, noReturns, severity, sentence) => {
    expect(sense(xyz, noReturns)).toEqual([{ severity, message: expect.stringMatching(sentence) }]);
  });

  test("a few points within the range do not hide that the rest is not", () => {
    const xyz = scan(1, [500_000, 5_400_000, 300]);
    xyz.fill(1, 0, 30);
    expect(sense(xyz)).toEqual([
      { severity: "warning", message: expect.stringMatching(/^only 10 of 400 points in lidar are within/) },
    ]);
  });
});

describe("intensitySense", () => {
  const reading = { field: "intensity", scale: 255, beyond: 0 };
  const messages = (more: Partial<IntensityReading>): string[] =>
    intensitySense({ ...reading, ...more }).map(({ code, message }) => `${code}: ${message}`);

  test("intensities are named when many of them are beyond the scale", () => {
    expect(messages({ beyond: 0.1 })).toEqual([]);
    expect(messages({ beyond: 0.91 })).toEqual([
      expect.stringMatching(
        /^implausible-points: 91 % of the values of intensity are above 255, .*--intensity-scale \(parameter intensity_scale\)/,
      ),
    ]);
  });

  test("a scale that the values gave is named with the share beyond that of the layout", () => {
    expect(messages({ scale: 6973, fitted: { fullScales: [1, 255], beyondByte: 0.91 } })).toEqual([
      expect.stringMatching(
        /^intensity-fitted: 91 % .* above 255, .*\(0\.\.1 or 0\.\.255\).* 6973, .*--intensity-scale \(parameter intensity_scale\)/,
      ),
    ]);
  });

  test("intensities that are all the same are none", () => {
    expect(messages({ constant: 0 })).toEqual([
      expect.stringMatching(
        /^feature-missing: all values of intensity are read as the same, the first is 0: .*--intensity-field/,
      ),
    ]);
  });
});
