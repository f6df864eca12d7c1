import { describe, expect, test } from "@jest/globals";
import { LIDAR_PRESETS, type LidarPreset, type LidarPresetName } from "./beamTables.js";

/** Of the makers' data sheets: beams, lowest and highest elevation, finest spacing (degrees). */
const SHEETS: [LidarPresetName, beams: number, low: number, high: number, finest: number][] = [
  ["hdl-64e", 64, -24.8, 2, 1 / 3],
  ["hdl-32e", 32, -30.67, 10.67, 4 / 3],
  ["vlp-16", 16, -15, 15, 2],
  ["os1-64", 64, -22.5, 22.5, 45 / 63],
  ["os1-128", 128, -22.5, 22.5, 45 / 127],
  ["vlp-32c", 32, -25, 15, 1 / 3],
  ["pandar40p", 40, -25, 15, 1 / 3],
];

test.each(SHEETS)(
  "%s has the %i beams of its data sheet, from %d to %d degrees",
  (name, beams, low, high, finest) => {
    const preset: LidarPreset = LIDAR_PRESETS[name];
    const degrees = preset.elevations.map((elevation) => (elevation * 180) / Math.PI);
    expect(degrees).toHaveLength(beams);
    expect(degrees[0]).toBeCloseTo(low, 6);
    expect(degrees.at(-1)).toBeCloseTo(high, 6);
    const steps = degrees.slice(1).map((degree, beam) => degree - degrees[beam]!);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.abs(Math.min(...steps) - finest)).toBeLessThan(0.01);
  },
);

describe("the beam tables", () => {
  test("are all checked above, and named by their keys", () => {
    expect(SHEETS.map(([name]) => name).sort()).toEqual(Object.keys(LIDAR_PRESETS).sort());
    for (const [key, preset] of Object.entries(LIDAR_PRESETS)) expect(preset.name).toBe(key);
  });
});
