import { describe, expect, test } from "@jest/globals";
import { ClassId } from "./classes.js";
import { Hit } from "./Hit.js";
import { intersectSolid } from "./intersectSolid.js";
import { Material } from "./Material.js";
import { Random } from "./Random.js";
import { SolidSet, type Placement, type SurfaceKind } from "./SolidSet.js";

const PLAIN: SurfaceKind = {
  classId: ClassId.BUILDING,
  material: Material.PLAIN,
  color: [0.5, 0.5, 0.5],
  reflectance: 0.5,
};

type Vector = readonly [x: number, y: number, z: number];

/** Casts from `from` in the direction of `to`. */
function cast(set: SolidSet, index: number, from: Vector, to: Vector, maximum = Infinity): Hit | undefined {
  const direction = to.map((value, axis) => value - from[axis]!);
  const length = Math.hypot(...direction);
  const [dx, dy, dz] = direction.map((value) => value / length) as [number, number, number];
  const hit = new Hit();
  hit.distance = maximum;
  return intersectSolid(set, index, ...from, dx, dy, dz, hit) ? hit : undefined;
}

function expectHit(hit: Hit | undefined, distance: number, normal: Vector): void {
  expect(hit).toBeDefined();
  expect(hit!.distance).toBeCloseTo(distance, 9);
  const actual = [hit!.normalX, hit!.normalY, hit!.normalZ];
  actual.forEach((value, axis) => {
    expect(value).toBeCloseTo(normal[axis]!, 9);
  });
}

describe("a ray meets", () => {
  test("a box on the sides that face it", () => {
    const set = new SolidSet();
    const box = set.box(PLAIN, { center: [10, 0, 1], half: [2, 1, 1] });
    expectHit(cast(set, box, [0, 0, 1], [1, 0, 1]), 8, [-1, 0, 0]);
    expectHit(cast(set, box, [20, 0.5, 1], [0, 0.5, 1]), 8, [1, 0, 0]);
    expectHit(cast(set, box, [10, -5, 1], [10, 0, 1]), 4, [0, -1, 0]);
    expectHit(cast(set, box, [10, 0, 9], [10, 0, 0]), 7, [0, 0, 1]);
    expect(cast(set, box, [0, 1.001, 1], [1, 1.001, 1])).toBeUndefined();
    expect(cast(set, box, [0, 0, 1], [-1, 0, 1])).toBeUndefined();
    expect(cast(set, box, [0, 0, 1], [1, 0, 1], 7.9)).toBeUndefined();
  });

  test("a turned box where its wall is", () => {
    const set = new SolidSet();
    set.setFrame(10, 0, 0, Math.PI / 4);
    const box = set.box(PLAIN, { center: [0, 0, 0], half: [1, 1, 1] });
    const leaning = Math.SQRT1_2;
    expectHit(cast(set, box, [0, 0.5, 0], [1, 0.5, 0]), 10 - Math.SQRT2 + 0.5, [-leaning, leaning, 0]);
  });

  test("an ellipsoid where x^2/a^2 + y^2/b^2 + z^2/c^2 = 1", () => {
    const set = new SolidSet();
    const ellipsoid = set.ellipsoid(PLAIN, { center: [0, 0, 0], half: [3, 2, 1] });
    const x = 3 * Math.sqrt(1 - 0.25 / 4 - 0.25);
    const gradient = [x / 9, 0.5 / 4, 0.5] as const;
    const length = Math.hypot(...gradient);
    expectHit(cast(set, ellipsoid, [10, 0.5, 0.5], [0, 0.5, 0.5]), 10 - x, [
      gradient[0] / length,
      gradient[1] / length,
      gradient[2] / length,
    ]);
    expect(cast(set, ellipsoid, [10, 0, 1.001], [0, 0, 1.001])).toBeUndefined();
  });

  test("a cylinder on its mantle and on its ends", () => {
    const set = new SolidSet();
    const cylinder = set.cylinder(PLAIN, { center: [0, 0, 5], half: [0.5, 0.5, 5] });
    expectHit(cast(set, cylinder, [4, 0.3, 2], [0, 0.3, 2]), 3.6, [0.8, 0.6, 0]);
    expectHit(cast(set, cylinder, [0.2, 0.2, 13], [0.2, 0.2, 0]), 3, [0, 0, 1]);
    // Over the rim onto the upper end: falls 3 over 4 metres.
    expectHit(cast(set, cylinder, [4, 0, 13], [0, 0, 10]), 5, [0, 0, 1]);
    expect(cast(set, cylinder, [4, 0, 10.001], [0, 0, 10.001])).toBeUndefined();
    expect(cast(set, cylinder, [0.6, 0, 13], [0.6, 0, 0])).toBeUndefined();
  });

  test("a tapered box on its leaning sides", () => {
    const set = new SolidSet();
    // A roof: 8 m wide at the bottom, a ridge at the top, 2 m high.
    const roof = set.box(PLAIN, { center: [0, 0, 1], half: [4, 4, 1], taper: [1, 0, 0] });
    const slope = [0, 1 / Math.sqrt(5), 2 / Math.sqrt(5)] as const;
    expectHit(cast(set, roof, [0, 10, 1], [0, 0, 1]), 8, slope);
    expectHit(cast(set, roof, [0, 1, 9], [0, 1, 0]), 7.5, slope);
    expectHit(cast(set, roof, [9, 1, 1], [0, 1, 1]), 5, [1, 0, 0]);
    expect(cast(set, roof, [9, 3, 1], [0, 3, 1])).toBeUndefined();
    const shifted = set.box(PLAIN, { center: [0, 0, 1], half: [4, 4, 1], taper: [0.5, 1, 0.5] });
    // The rear side leans by 4 m over 2 m of height, the front side stands upright.
    expectHit(cast(set, shifted, [9, 0, 1], [0, 0, 1]), 5, [1, 0, 0]);
    expectHit(cast(set, shifted, [-9, 0, 1], [0, 0, 1]), 7, [-1 / Math.sqrt(5), 0, 2 / Math.sqrt(5)]);
  });

  test("the bars of a fence, and what is behind it between them", () => {
    const set = new SolidSet();
    const fence = set.box(
      { ...PLAIN, material: Material.BARS },
      { center: [0, 0, 1], half: [2, 0.03, 1], parameters: [0.2, 0.5] },
    );
    expectHit(cast(set, fence, [0.05, 5, 1], [0.05, 0, 1]), 4.97, [0, 1, 0]);
    expect(cast(set, fence, [0.15, 5, 1], [0.15, 0, 1])).toBeUndefined();
    // The upper rail has no gaps.
    expectHit(cast(set, fence, [0.15, 5, 1.85], [0.15, 0, 1.85]), 4.97, [0, 1, 0]);
  });

  test("leaves inside their volume only, from every side at the same place", () => {
    const set = new SolidSet();
    const placement: Placement = { center: [0, 0, 0], half: [2, 2, 2], leaves: [0.3, 0.25] };
    const hedge = set.leafBox({ ...PLAIN, material: Material.LEAVES }, placement);
    const crown = set.leafEllipsoid({ ...PLAIN, material: Material.LEAVES }, placement);
    const random = new Random(5);
    const draw = (): Vector => [random.uniform(-6, 6), random.uniform(-6, 6), random.uniform(-6, 6)];
    let hits = 0;
    for (let ray = 0; ray < 2000; ray++) {
      const from = draw();
      if (Math.max(...from.map(Math.abs)) < 2.1) continue;
      const to = draw().map((value) => value / 4) as unknown as Vector;
      for (const index of [hedge, crown]) {
        const hit = cast(set, index, from, to);
        if (hit === undefined) continue;
        hits++;
        const place: Vector = [hit.localX, hit.localY, hit.localZ];
        const reach = index === hedge ? Math.max(...place.map(Math.abs)) : Math.hypot(...place);
        expect(reach).toBeLessThan(2 + 1e-9);
        // Seen from the other side of a short gap the surface is still there.
        const near = place.map((value, axis) => value + (from[axis]! - value) * 1e-3) as unknown as Vector;
        expect(cast(set, index, near, place)!.distance).toBeCloseTo(hit.distance * 1e-3, 6);
      }
    }
    expect(hits).toBeGreaterThan(1000);
  });
});

test("bounds hold every shape in every pose", () => {
  const random = new Random(8);
  const set = new SolidSet();
  const half = (): Vector => [random.uniform(0.1, 3), random.uniform(0.1, 3), random.uniform(0.1, 3)];
  for (let solid = 0; solid < 60; solid++) {
    set.setFrame(random.uniform(-9, 9), random.uniform(-9, 9), random.uniform(-1, 1), random.uniform(0, 6));
    const placement: Placement = {
      center: [random.uniform(-3, 3), random.uniform(-3, 3), random.uniform(-3, 3)],
      half: half(),
      yaw: random.uniform(-3, 3),
      pitch: random.uniform(-1, 1),
      roll: random.uniform(-1, 1),
    };
    switch (solid % 4) {
      case 0:
        set.box(PLAIN, placement);
        break;
      case 1:
        set.ellipsoid(PLAIN, placement);
        break;
      case 2:
        set.cylinder(PLAIN, placement);
        break;
      case 3:
        set.box(PLAIN, { ...placement, taper: [random.uniform(0, 1), random.uniform(0, 1), 0] });
        break;
    }
  }
  let hits = 0;
  for (let ray = 0; ray < 20_000; ray++) {
    const index = ray % set.count;
    const [minX, minY, minZ, maxX, maxY, maxZ] = set.bounds.subarray(index * 6, index * 6 + 6);
    const from: Vector = [random.uniform(-40, 40), random.uniform(-40, 40), random.uniform(-20, 20)];
    const to: Vector = [
      random.uniform(minX! - 1, maxX! + 1),
      random.uniform(minY! - 1, maxY! + 1),
      random.uniform(minZ! - 1, maxZ! + 1),
    ];
    const hit = cast(set, index, from, to);
    if (hit === undefined) continue;
    hits++;
    const length = Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
    const place = from.map((value, axis) => value + ((to[axis]! - value) * hit.distance) / length);
    [minX, minY, minZ].forEach((low, axis) => {
      expect(place[axis]).toBeGreaterThan(low! - 1e-9);
    });
    [maxX, maxY, maxZ].forEach((high, axis) => {
      expect(place[axis]).toBeLessThan(high! + 1e-9);
    });
  }
  expect(hits).toBeGreaterThan(5000);
});
