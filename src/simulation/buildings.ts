import { ClassId } from "./classes.js";
import { Material } from "./Material.js";
import type { Random } from "./Random.js";
import type { SolidSet, SurfaceKind } from "./SolidSet.js";

/** A house `width` metres along x and `depth` metres along y, centred on the frame, its front at -y. */
export function addBuilding(set: SolidSet, random: Random, width: number, depth: number): void {
  const classId = ClassId.BUILDING;
  const floors = random.integer(1, 5);
  const floorHeight = random.uniform(2.7, 3.3);
  const height = floors * floorHeight + random.uniform(0.2, 0.8);
  const brick = random.chance(0.35);
  const wall: SurfaceKind = {
    classId,
    material: Material.FACADE,
    color: brick
      ? random.pick([
          [0.36, 0.17, 0.11],
          [0.45, 0.27, 0.18],
          [0.3, 0.2, 0.17],
        ])
      : random.pick([
          [0.68, 0.63, 0.52],
          [0.7, 0.69, 0.66],
          [0.62, 0.48, 0.3],
          [0.5, 0.55, 0.56],
          [0.6, 0.36, 0.28],
          [0.42, 0.42, 0.4],
        ]),
    reflectance: random.uniform(0.25, 0.6),
  };
  const parameters = [random.uniform(1.8, 3.4), floorHeight] as const;
  set.box(wall, { center: [0, 0, height / 2 - 1], half: [width / 2, depth / 2, height / 2 + 1], parameters });
  const tiles: SurfaceKind = {
    classId,
    material: Material.ROOF,
    color: random.pick([
      [0.3, 0.11, 0.07],
      [0.12, 0.11, 0.12],
      [0.25, 0.2, 0.17],
    ]),
    reflectance: random.uniform(0.15, 0.4),
  };
  if (floors <= 3 && random.chance(0.75)) {
    const rise = random.uniform(1.2, 2.6);
    set.box(tiles, {
      center: [0, 0, height + rise],
      half: [width / 2 + 0.3, depth / 2 + 0.4, rise],
      taper: [random.chance(0.5) ? 1 : 0.6, 0.02, 0],
    });
  } else {
    set.box(tiles, { center: [0, 0, height + 0.15], half: [width / 2 + 0.15, depth / 2 + 0.15, 0.15] });
  }
  // What stands out of the front: balconies, a bay, a porch with steps.
  if (floors > 1 && random.chance(0.5)) {
    const pitch = parameters[0] * 2;
    for (let floor = 1; floor < floors; floor++) {
      for (let x = -width / 2 + pitch * 0.75; x < width / 2 - 1.2; x += pitch) {
        set.box(
          { ...wall, material: Material.PLAIN },
          {
            center: [x, -depth / 2 - 0.5, floor * floorHeight + 0.4],
            half: [1.1, 0.5, 0.5],
          },
        );
      }
    }
  }
  set.box(
    { ...tiles, material: Material.PLAIN },
    {
      center: [random.uniform(-0.3, 0.3) * width, -depth / 2 - 0.6, 2.5],
      half: [1.1, 0.6, 0.08],
    },
  );
  set.box(
    { ...wall, material: Material.PLAIN },
    {
      center: [random.uniform(-0.3, 0.3) * width, 0, height + 1.5],
      half: [0.4, 0.4, 1.4],
    },
  );
}
