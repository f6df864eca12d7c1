import { ClassId } from "./classes.js";
import { Material } from "./Material.js";
import type { Random } from "./Random.js";
import type { SolidSet, SurfaceKind } from "./SolidSet.js";

/** Painted faces of traffic signs; the first parameter of Material.SIGN. */
export const SignFace = {
  RED_RING: 0,
  BLUE_DISC: 1,
  YELLOW_DIAMOND: 2,
  WARNING: 3,
  STOP: 4,
  DIRECTION: 5,
  PARKING: 6,
} as const;
export type SignFace = (typeof SignFace)[keyof typeof SignFace];

function steel(classId: ClassId, random: Random): SurfaceKind {
  const grey = random.uniform(0.18, 0.5);
  return {
    classId,
    material: Material.PLAIN,
    color: [grey, grey, grey * 1.03],
    reflectance: random.uniform(0.2, 0.5),
  };
}

/** A street lamp; its arm reaches out to +x. */
export function addStreetLamp(set: SolidSet, random: Random): void {
  const metal = steel(ClassId.POLE, random);
  const height = random.uniform(5, 8.5);
  const arm = random.uniform(0.6, 1.8);
  set.cylinder(metal, { center: [0, 0, height / 2 - 0.2], half: [0.075, 0.075, height / 2 + 0.2] });
  set.cylinder(metal, { center: [0, 0, 0.5], half: [0.12, 0.12, 0.7] });
  set.cylinder(metal, { center: [arm / 2, 0, height], half: [0.045, 0.045, arm / 2], pitch: Math.PI / 2 });
  set.box(metal, { center: [arm, 0, height], half: [0.35, 0.12, 0.06] });
}

/** A post of wood or concrete without a lamp. */
export function addUtilityPole(set: SolidSet, random: Random): void {
  const height = random.uniform(6, 9);
  const wood: SurfaceKind = {
    classId: ClassId.POLE,
    material: Material.BARK,
    color: [0.2, 0.15, 0.11],
    reflectance: 0.3,
  };
  set.cylinder(wood, { center: [0, 0, height / 2 - 0.2], half: [0.14, 0.14, height / 2 + 0.2] });
  set.box(wood, { center: [0, 0, height - 0.5], half: [0.06, 0.9, 0.06] });
}

/** Traffic lights on a pole facing -x. */
export function addTrafficLight(set: SolidSet, random: Random): void {
  const metal = steel(ClassId.POLE, random);
  set.cylinder(metal, { center: [0, 0, 1.6], half: [0.07, 0.07, 1.8] });
  set.box(
    { classId: ClassId.POLE, material: Material.PLAIN, color: [0.03, 0.03, 0.03], reflectance: 0.1 },
    { center: [-0.1, 0, 2.9], half: [0.12, 0.16, 0.45] },
  );
}

/** A sign on its post, its painted face turned to -x (towards traffic that drives along +x). */
export function addTrafficSign(set: SolidSet, random: Random): void {
  const face = random.pick([0, 1, 2, 3, 4, 5, 6, 0, 1, 2]);
  const height = random.uniform(2.1, 2.7);
  const size = face === SignFace.DIRECTION ? 0.32 : random.uniform(0.3, 0.42);
  const width = face === SignFace.DIRECTION ? random.uniform(0.6, 0.95) : size;
  const paint: SurfaceKind = {
    classId: ClassId.TRAFFIC_SIGN,
    material: Material.SIGN,
    color: [0.8, 0.8, 0.8],
    reflectance: random.uniform(0.7, 1),
  };
  set.cylinder(steel(ClassId.POLE, random), {
    center: [0.06, 0, height / 2 - 0.2],
    half: [0.038, 0.038, height / 2 + 0.5],
  });
  const center = [0, 0, height + 0.1] as const;
  if (face === SignFace.RED_RING || face === SignFace.BLUE_DISC) {
    set.cylinder(paint, { center, half: [size, size, 0.02], pitch: -Math.PI / 2, parameters: [face, 0] });
  } else {
    set.box(paint, {
      center,
      half: [0.02, width, size],
      roll: face === SignFace.YELLOW_DIAMOND ? Math.PI / 4 : 0,
      parameters: [face, 0],
    });
  }
}

/**
 * A board of the size and place of a sign that is none: an advertisement or a house's name plate. It counts
 * as building; its shape does not tell, its picture does.
 */
export function addBoard(set: SolidSet, random: Random): void {
  const height = random.uniform(1.6, 2.7);
  const steelPost = steel(ClassId.POLE, random);
  const large = random.chance(0.4);
  const width = large ? random.uniform(0.8, 1.6) : random.uniform(0.3, 0.6);
  const tall = large ? random.uniform(0.6, 1.0) : random.uniform(0.3, 0.5);
  const board: SurfaceKind = {
    classId: ClassId.BUILDING,
    material: Material.BOARD,
    color: [random.uniform(0.15, 0.7), random.uniform(0.15, 0.7), random.uniform(0.15, 0.7)],
    reflectance: random.uniform(0.3, 1),
  };
  set.box(board, { center: [0, 0, height + 0.1], half: [0.02, width, tall] });
  // Not used, but without this draw every seed would give another street than before.
  random.next();
  for (const y of large ? [-width * 0.8, width * 0.8] : [0]) {
    set.cylinder(steelPost, { center: [0.06, y, height / 2 - 0.2], half: [0.04, 0.04, height / 2 + 0.3] });
  }
}

/** Things that SemanticKITTI leaves unlabeled: bins, cabinets, benches. */
export function addUnlabeledObject(set: SolidSet, random: Random): void {
  const classId = ClassId.UNLABELED;
  const surface: SurfaceKind = {
    classId,
    material: Material.PLAIN,
    color: random.pick([
      [0.05, 0.15, 0.06],
      [0.1, 0.1, 0.12],
      [0.35, 0.35, 0.33],
      [0.4, 0.25, 0.1],
    ]),
    reflectance: random.uniform(0.15, 0.5),
  };
  if (random.chance(0.6)) {
    set.box(surface, {
      center: [0, 0, 0.5],
      half: [0.3, random.uniform(0.28, 0.6), random.uniform(0.4, 0.65)],
    });
    return;
  }
  set.box(surface, { center: [0, 0, 0.45], half: [0.22, 0.8, 0.03] });
  set.box(surface, { center: [0.22, 0, 0.7], half: [0.03, 0.8, 0.2] });
  for (const y of [-0.6, 0.6]) {
    set.box(surface, { center: [0, y, 0.2], half: [0.2, 0.04, 0.25] });
  }
}

export type FenceKind = "planks" | "bars" | "mesh" | "wall" | "brush";

/**
 * One straight stretch of fence along x, `length` metres long and centred on the frame. "brush" is a mat of
 * twigs: as rough as a hedge for a LiDAR, but brown.
 */
export function addFence(
  set: SolidSet,
  random: Random,
  kind: FenceKind,
  length: number,
  height: number,
): void {
  const classId = ClassId.FENCE;
  const half = [length / 2, 0.03, height / 2] as const;
  const center = [0, 0, height / 2 - 0.05] as const;
  const tint = random.uniform(0.7, 1.2);
  const wood: SurfaceKind = {
    classId,
    material: Material.PLANKS,
    color: [0.32 * tint, 0.22 * tint, 0.14 * tint],
    reflectance: random.uniform(0.25, 0.5),
  };
  switch (kind) {
    case "planks":
      set.box(wood, {
        center,
        half,
        parameters: [random.uniform(0.12, 0.18), random.chance(0.5) ? 1 : 0.75],
      });
      break;
    case "bars":
    case "mesh": {
      const metal: SurfaceKind = {
        classId,
        material: kind === "bars" ? Material.BARS : Material.MESH,
        color: random.pick([
          [0.04, 0.04, 0.045],
          [0.05, 0.18, 0.1],
          [0.4, 0.41, 0.42],
        ]),
        reflectance: random.uniform(0.2, 0.45),
      };
      set.box(metal, { center, half, parameters: kind === "bars" ? [0.13, 0.3] : [0.07, 0.22] });
      break;
    }
    case "wall":
      set.box(
        {
          classId,
          material: Material.BRICK,
          color: random.pick([
            [0.35, 0.16, 0.1],
            [0.5, 0.47, 0.42],
            [0.6, 0.55, 0.45],
          ]),
          reflectance: random.uniform(0.25, 0.5),
        },
        { center, half: [length / 2, 0.12, height / 2] },
      );
      break;
    case "brush":
      set.leafBox(
        {
          classId,
          material: Material.LEAVES,
          color: [0.26 * tint, 0.19 * tint, 0.12 * tint],
          reflectance: 0.35,
        },
        { center, half: [length / 2, 0.25, height / 2], leaves: [0.5, 0.1] },
      );
      break;
  }
}
