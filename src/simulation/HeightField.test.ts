import { describe, expect, test } from "@jest/globals";
import { HeightField } from "./HeightField.js";
import { Hit } from "./Hit.js";
import { Random, valueNoise } from "./Random.js";

/** 40 x 24 m of hills, up to 2 m high; all corners exact in float32. */
const HILLS = new HeightField({
  minX: -20,
  minY: -12,
  columns: 80,
  rows: 48,
  cell: 0.5,
  heightAt: (x, y) => Math.round(64 * 2 * valueNoise(x / 4, y / 4, 9)) / 64,
});

type Ray = readonly [ox: number, oy: number, oz: number, dx: number, dy: number, dz: number];

function cast(field: HeightField, ray: Ray, maximum: number): Hit | undefined {
  const hit = Object.assign(new Hit(), { distance: maximum });
  return field.intersect(...ray, hit) ? hit : undefined;
}

/** Walks along the ray in small steps until it is below the surface, then halves the step. */
function walk(field: HeightField, [ox, oy, oz, dx, dy, dz]: Ray, maximum: number): number {
  const above = (t: number) => oz + dz * t - field.heightAt(ox + dx * t, oy + dy * t);
  const step = 0.01;
  for (let t = step; t < maximum; t += step) {
    if (above(t) >= 0) continue;
    let [low, high] = [t - step, t];
    for (let round = 0; round < 40; round++) {
      const middle = (low + high) / 2;
      if (above(middle) < 0) high = middle;
      else low = middle;
    }
    return high;
  }
  return Infinity;
}

describe("the ground", () => {
  test("is met where a small-step walk along the ray gets below it", () => {
    const random = new Random(31);
    let hits = 0;
    for (let i = 0; i < 1500; i++) {
      const heading = random.uniform(0, 2 * Math.PI);
      const rise = random.uniform(-0.7, 0.1);
      const [ox, oy] = [random.uniform(-19, 19), random.uniform(-11, 11)];
      const ray: Ray = [
        ox,
        oy,
        HILLS.heightAt(ox, oy) + random.uniform(0.1, 3),
        Math.cos(heading) * Math.cos(rise),
        Math.sin(heading) * Math.cos(rise),
        Math.sin(rise),
      ];
      // As far as the hills go; beyond their border the surface has a step.
      const toX = (Math.sign(ray[3]) * 20 - ox) / ray[3];
      const toY = (Math.sign(ray[4]) * 12 - oy) / ray[4];
      const border = Math.min(toX, toY) - 1e-6;
      const expected = walk(HILLS, ray, border);
      const hit = cast(HILLS, ray, border);
      // Steps may miss a crest that the ray only scratches.
      if (expected === Infinity && hit !== undefined) {
        const height = ray[2] + ray[5] * hit.distance;
        expect(height).toBeCloseTo(HILLS.heightAt(ox + ray[3] * hit.distance, oy + ray[4] * hit.distance), 6);
        continue;
      }
      expect(hit?.distance ?? Infinity).toBeCloseTo(expected, 6);
      if (hit === undefined) continue;
      hits++;
      expect(Math.hypot(hit.normalX, hit.normalY, hit.normalZ)).toBeCloseTo(1, 9);
      expect(hit.normalX * ray[3] + hit.normalY * ray[4] + hit.normalZ * ray[5]).toBeLessThan(0);
    }
    expect(hits).toBeGreaterThan(700);
  });

  test("has the normal of its slope", () => {
    const slope = new HeightField({
      minX: 0,
      minY: 0,
      columns: 32,
      rows: 32,
      cell: 0.5,
      heightAt: (x, y) => x / 4 - y / 2,
    });
    const hit = cast(slope, [5.2, 3.3, 9, 0, 0, -1], 100)!;
    expect(hit.distance).toBeCloseTo(9 - (5.2 / 4 - 3.3 / 2), 6);
    const length = Math.hypot(1 / 4, 1 / 2, 1);
    expect([hit.normalX, hit.normalY, hit.normalZ].map((value) => value * length)).toEqual([
      expect.closeTo(-1 / 4, 6),
      expect.closeTo(1 / 2, 6),
      expect.closeTo(1, 6),
    ]);
  });

  test("outside the grid is the plane z = 0, before it and behind it", () => {
    const flat = new HeightField({
      minX: -20,
      minY: -12,
      columns: 80,
      rows: 48,
      cell: 0.5,
      heightAt: () => -1,
    });
    const down = Math.SQRT1_2;
    expect(cast(flat, [-50, 0, 2, down, 0, -down], 100)!.distance).toBeCloseTo(2 / down, 9);
    expect(cast(flat, [0, 100, 3, 0, 0, -1], 100)!.distance).toBeCloseTo(3, 9);
    // Over the grid and down behind it: falls 2 m in 100.
    const length = Math.hypot(100, 2);
    expect(cast(flat, [0, 5, 2, 100 / length, 0, -2 / length], 200)!.distance).toBeCloseTo(length, 9);
    // Into the grid, where the ground is 1 m lower.
    expect(cast(flat, [0, 0, 2, down, 0, -down], 100)!.distance).toBeCloseTo(3 / down, 9);
    expect(cast(flat, [0, 0, 2, 0, 0, 1], 100)).toBeUndefined();
    expect(cast(flat, [0, 0, 2, 1, 0, 0], 1e4)).toBeUndefined();
    expect(cast(flat, [0, 0, 2, 0, 0, -1], 2.99)).toBeUndefined();
  });
});
