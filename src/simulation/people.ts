import { ClassId } from "./classes.js";
import { Material } from "./Material.js";
import type { Random } from "./Random.js";
import type { SolidSet, SurfaceKind } from "./SolidSet.js";
import { addBicycle, addMotorcycle } from "./vehicles.js";

type Color = readonly [number, number, number];

const CLOTHES: readonly [Color, ...Color[]] = [
  [0.06, 0.07, 0.1],
  [0.1, 0.15, 0.3],
  [0.5, 0.08, 0.08],
  [0.7, 0.68, 0.62],
  [0.12, 0.3, 0.15],
  [0.6, 0.5, 0.1],
  [0.25, 0.2, 0.17],
  [0.45, 0.25, 0.5],
];
const SKINS: readonly [Color, ...Color[]] = [
  [0.6, 0.42, 0.33],
  [0.45, 0.3, 0.2],
  [0.2, 0.12, 0.08],
];

function cloth(classId: ClassId, random: Random): SurfaceKind {
  return {
    classId,
    material: Material.CLOTH,
    color: random.pick(CLOTHES),
    reflectance: random.uniform(0.15, 0.6),
  };
}

function addHead(
  set: SolidSet,
  classId: ClassId,
  random: Random,
  center: readonly [number, number, number],
): void {
  const [x, y, z] = center;
  const skin: SurfaceKind = {
    classId,
    material: Material.PLAIN,
    color: random.pick(SKINS),
    reflectance: 0.45,
  };
  set.ellipsoid(skin, { center, half: [0.1, 0.085, 0.125] });
  set.ellipsoid(
    {
      classId,
      material: Material.PLAIN,
      color: random.pick([
        [0.03, 0.02, 0.02],
        [0.2, 0.12, 0.05],
        [0.4, 0.3, 0.15],
      ]),
      reflectance: 0.2,
    },
    { center: [x - 0.02, y, z + 0.04], half: [0.105, 0.095, 0.11] },
  );
}

/** A person facing +x; `stride` -1..1 is the phase of the legs, 0 stands still. */
export function addPedestrian(set: SolidSet, random: Random, stride: number): void {
  const classId = ClassId.PERSON;
  const scale = random.chance(0.15) ? random.uniform(0.65, 0.8) : random.uniform(0.92, 1.06);
  const coat = cloth(classId, random);
  const trousers = cloth(classId, random);
  for (const side of [-1, 1]) {
    const swing = side * stride * 0.45;
    set.ellipsoid(trousers, {
      center: [-Math.sin(swing) * 0.42 * scale, side * 0.09 * scale, 0.42 * scale],
      half: [0.085 * scale, 0.08 * scale, 0.45 * scale],
      pitch: swing,
    });
    set.ellipsoid(coat, {
      center: [Math.sin(swing) * 0.25 * scale, side * 0.25 * scale, 1.1 * scale],
      half: [0.055 * scale, 0.055 * scale, 0.34 * scale],
      pitch: -swing,
    });
  }
  set.ellipsoid(coat, { center: [0, 0, 1.15 * scale], half: [0.13 * scale, 0.21 * scale, 0.36 * scale] });
  addHead(set, classId, random, [0.02, 0, 1.62 * scale]);
  if (random.chance(0.25)) {
    set.box(cloth(classId, random), { center: [-0.2 * scale, 0, 1.2 * scale], half: [0.09, 0.15, 0.22] });
  }
}

function addRider(
  set: SolidSet,
  random: Random,
  classId: ClassId,
  hip: readonly [x: number, z: number],
): void {
  const coat = cloth(classId, random);
  const trousers = cloth(classId, random);
  const [x, z] = hip;
  set.ellipsoid(coat, { center: [x + 0.14, 0, z + 0.3], half: [0.14, 0.2, 0.36], pitch: 0.4 });
  for (const side of [-1, 1]) {
    set.ellipsoid(trousers, {
      center: [x + 0.2, side * 0.12, z - 0.08],
      half: [0.25, 0.085, 0.09],
      pitch: 0.35,
    });
    set.ellipsoid(trousers, {
      center: [x + 0.33, side * 0.13, z - 0.36],
      half: [0.07, 0.07, 0.28],
      pitch: side * 0.2,
    });
    set.ellipsoid(coat, {
      center: [x + 0.45, side * 0.24, z + 0.32],
      half: [0.28, 0.055, 0.06],
      pitch: 0.55,
    });
  }
  addHead(set, classId, random, [x + 0.34, 0, z + 0.75]);
}

export function addBicyclist(set: SolidSet, random: Random): void {
  const classId = ClassId.BICYCLIST;
  addBicycle(set, random, { classId });
  addRider(set, random, classId, [-0.25, 1.02]);
}

export function addMotorcyclist(set: SolidSet, random: Random): void {
  const classId = ClassId.MOTORCYCLIST;
  addMotorcycle(set, random, { classId });
  addRider(set, random, classId, [-0.3, 1.0]);
  set.ellipsoid(
    { classId, material: Material.VEHICLE_PAINT, color: random.pick(CLOTHES), reflectance: 0.4 },
    { center: [0.05, 0, 1.77], half: [0.16, 0.14, 0.15] },
  );
}
