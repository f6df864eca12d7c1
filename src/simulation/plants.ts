import { ClassId } from "./classes.js";
import { Material } from "./Material.js";
import type { Random } from "./Random.js";
import type { SolidSet, SurfaceKind } from "./SolidSet.js";

function leaves(random: Random, season: number): SurfaceKind {
  const light = random.uniform(0.75, 1.3);
  const autumn = season > 0.75 && random.chance(0.5) ? random.uniform(0.3, 1) : 0;
  return {
    classId: ClassId.VEGETATION,
    material: Material.LEAVES,
    color: [(0.07 + 0.2 * autumn) * light, (0.16 - 0.04 * autumn) * light, 0.035 * light],
    reflectance: random.uniform(0.25, 0.5),
  };
}

function bark(random: Random): SurfaceKind {
  const tint = random.uniform(0.6, 1.3);
  return {
    classId: ClassId.TRUNK,
    material: Material.BARK,
    color: [0.16 * tint, 0.12 * tint, 0.085 * tint],
    reflectance: random.uniform(0.2, 0.4),
  };
}

/** A broad-leaved tree or a conifer: trunk, boughs and a crown that rays get into. */
export function addTree(set: SolidSet, random: Random, season: number): void {
  const wood = bark(random);
  const foliage = leaves(random, season);
  const height = random.uniform(4.5, 10);
  const radius = random.uniform(0.1, 0.26);
  if (random.chance(0.22)) {
    set.cylinder(wood, { center: [0, 0, height * 0.2], half: [radius, radius, height * 0.25] });
    for (let level = 0; level < 4; level++) {
      const reach = (1 - level / 4.6) * height * 0.22;
      set.leafEllipsoid(foliage, {
        center: [0, 0, height * (0.28 + level * 0.2)],
        half: [reach, reach, height * 0.16],
        leaves: [0.3, 0.22],
      });
    }
    return;
  }
  const clear = random.uniform(1.7, 2.8);
  set.cylinder(wood, {
    center: [0, 0, (clear + 1) / 2 - 0.2],
    half: [radius, radius, (clear + 1) / 2 + 0.2],
  });
  const crown = (height - clear) / 2;
  const middle = clear + crown * 0.9;
  const spread = crown * random.uniform(0.55, 0.9);
  for (let bough = 0; bough < 4; bough++) {
    const angle = (bough / 4) * 2 * Math.PI + random.uniform(0, 1);
    const lean = random.uniform(0.4, 0.8);
    set.cylinder(wood, {
      center: [
        Math.cos(angle) * lean * crown * 0.4,
        Math.sin(angle) * lean * crown * 0.4,
        clear + 0.6 + crown * 0.3,
      ],
      half: [radius * 0.4, radius * 0.4, crown * 0.5],
      yaw: angle,
      pitch: lean,
    });
  }
  const cell = random.uniform(0.2, 0.3);
  const density = random.uniform(0.1, 0.24);
  for (let ball = 0; ball < 6; ball++) {
    const angle = (ball / 5) * 2 * Math.PI;
    const out = ball === 5 ? 0 : spread * 0.55;
    const size = spread * random.uniform(0.55, 0.8);
    set.leafEllipsoid(foliage, {
      center: [
        Math.cos(angle) * out,
        Math.sin(angle) * out,
        middle + (ball === 5 ? crown * 0.55 : random.uniform(-0.3, 0.3) * crown),
      ],
      half: [size, size, size * random.uniform(0.7, 1)],
      leaves: [density, cell],
    });
  }
}

export function addBush(set: SolidSet, random: Random, season: number): void {
  const foliage = leaves(random, season);
  for (let ball = random.integer(1, 3); ball > 0; ball--) {
    const size = random.uniform(0.4, 1.1);
    set.leafEllipsoid(foliage, {
      center: [random.uniform(-0.6, 0.6), random.uniform(-0.6, 0.6), size * 0.6],
      half: [size, size, size * random.uniform(0.7, 1.1)],
      leaves: [random.uniform(0.3, 0.5), 0.14],
    });
  }
}

/** A clipped hedge along x, `length` metres long and centred on the frame. */
export function addHedge(
  set: SolidSet,
  random: Random,
  season: number,
  length: number,
  height: number,
): void {
  set.leafBox(leaves(random, season), {
    center: [0, 0, height / 2 - 0.05],
    half: [length / 2, random.uniform(0.22, 0.45), height / 2],
    leaves: [random.uniform(0.45, 0.65), random.uniform(0.08, 0.13)],
  });
}

/** Shrubs that have grown together, leafy down to the ground: 1 to 4 m high. */
export function addThicket(set: SolidSet, random: Random, season: number): void {
  for (let ball = random.integer(2, 5); ball > 0; ball--) {
    const size = random.uniform(0.6, 1.5);
    set.leafEllipsoid(leaves(random, season), {
      center: [random.uniform(-1.5, 1.5), random.uniform(-1, 1), size * random.uniform(0.5, 1.2)],
      half: [size, size * random.uniform(0.7, 1), size * random.uniform(0.8, 1.3)],
      leaves: [random.uniform(0.2, 0.45), random.uniform(0.12, 0.22)],
    });
  }
}
