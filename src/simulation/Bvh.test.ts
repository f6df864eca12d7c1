import { describe, expect, test } from "@jest/globals";
import { Actor } from "./Actor.js";
import { Bvh } from "./Bvh.js";
import { ClassId } from "./classes.js";
import { HeightField } from "./HeightField.js";
import { Hit } from "./Hit.js";
import { intersectSolid } from "./intersectSolid.js";
import { Material } from "./Material.js";
import { Random } from "./Random.js";
import { SolidSet } from "./SolidSet.js";
import { StreetPath } from "./StreetPath.js";
import { addCar } from "./vehicles.js";
import { World } from "./World.js";

type Ray = [ox: number, oy: number, oz: number, dx: number, dy: number, dz: number];

/** From some metres away past the neighbourhood of a random solid. */
function randomRay(random: Random, { bounds, count }: SolidSet): Ray {
  const at = random.integer(0, count - 1) * 6;
  const target = [0, 1, 2].map(
    (axis) => (bounds[at + axis]! + bounds[at + axis + 3]!) / 2 + random.uniform(-0.5, 0.5),
  );
  const reach = random.uniform(0.5, 30);
  const origin = target.map((value, axis) => value + random.uniform(-1, 1) * (axis === 2 ? 2 : reach));
  const [dx, dy, dz] = target.map((value, axis) => value - origin[axis]!) as [number, number, number];
  const length = Math.hypot(dx, dy, dz);
  return [origin[0]!, origin[1]!, origin[2]!, dx / length, dy / length, dz / length];
}

/** The nearest of all solids before `maximum` metres. */
function bruteForce(set: SolidSet, ray: Ray, maximum: number): Hit | undefined {
  const hit = new Hit();
  hit.distance = maximum;
  let found = false;
  for (let index = 0; index < set.count; index++) {
    if (intersectSolid(set, index, ...ray, hit)) found = true;
  }
  return found ? hit : undefined;
}

function hitWithin(maximum: number): Hit {
  return Object.assign(new Hit(), { distance: maximum });
}

describe("the bounding volume hierarchy", () => {
  test("finds what a test of all solids of a street finds", () => {
    const world = new World({ seed: 5, travel: 0, egoSpeed: 8 });
    const set = world.solids;
    const bvh = new Bvh(set);
    expect(set.count).toBeGreaterThan(1000);
    const random = new Random(21);
    let hits = 0;
    for (let i = 0; i < 1500; i++) {
      const ray = randomRay(random, set);
      const maximum = random.uniform(5, 120);
      const expected = bruteForce(set, ray, maximum);
      const hit = hitWithin(maximum);
      expect(bvh.intersect(...ray, hit)).toBe(expected !== undefined);
      expect(bvh.occluded(...ray, hitWithin(maximum))).toBe(expected !== undefined);
      if (expected === undefined) continue;
      hits++;
      // The leaf may be that of a plant behind what was hit in the end.
      expect(Object.assign(hit, { leaf: expected.leaf })).toEqual(expected);
    }
    expect(hits).toBeGreaterThan(700);
  });

  test("of no solids, and of many at one place, is no special case", () => {
    const empty = new Bvh(new SolidSet());
    expect(empty.radius).toBe(0);
    expect(empty.intersect(0, 0, 0, 1, 0, 0, hitWithin(Infinity))).toBe(false);
    const set = new SolidSet();
    const surface = {
      classId: ClassId.POLE,
      material: Material.PLAIN,
      color: [1, 1, 1],
      reflectance: 1,
    } as const;
    for (let copy = 0; copy < 50; copy++) set.box(surface, { center: [5, 0, 0], half: [1, 1, 1] });
    const hit = hitWithin(Infinity);
    expect(new Bvh(set).intersect(0, 0, 0, 1, 0, 0, hit)).toBe(true);
    expect(hit.distance).toBe(4);
    expect(new Bvh(set).radius).toBeCloseTo(Math.hypot(6, 1, 1), 12);
  });
});

test("a moving object is met where it has moved to", () => {
  const build = (set: SolidSet) => {
    addCar(set, new Random(3));
  };
  const moving = new SolidSet();
  build(moving);
  const actor = new Actor(moving, { s: 20, d: 3, alongSpeed: -6, acrossSpeed: 2 });
  const path = new StreetPath(0, [
    { length: 10, curvature: 0 },
    { length: 50, curvature: 0.01 },
  ]);
  const ground = new HeightField({
    minX: -50,
    minY: -50,
    columns: 100,
    rows: 100,
    cell: 1,
    heightAt: () => 0.4,
  });
  const random = new Random(4);
  let hits = 0;
  for (const time of [0, 0.7, 2]) {
    actor.setTime(time, path, ground);
    const place = path.poseAt(20 - 6 * time, 3 + 2 * time, { x: 0, y: 0, heading: 0 });
    const still = new SolidSet();
    still.setFrame(place.x, place.y, 0.4, place.heading + Math.atan2(2, -6));
    build(still);
    for (let i = 0; i < 500; i++) {
      const ray = randomRay(random, still);
      const expected = bruteForce(still, ray, 50);
      const hit = hitWithin(50);
      expect(actor.intersect(...ray, hit, false)).toBe(expected !== undefined);
      expect(actor.intersect(...ray, hitWithin(50), true)).toBe(expected !== undefined);
      if (expected === undefined) continue;
      hits++;
      for (const key of ["distance", "normalX", "normalY", "normalZ"] as const) {
        expect(hit[key]).toBeCloseTo(expected[key], 6);
      }
    }
  }
  expect(hits).toBeGreaterThan(100);
});
