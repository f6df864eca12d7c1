import { ClassId } from "./classes.js";
import { Material } from "./Material.js";
import type { Random } from "./Random.js";
import type { SolidSet, SurfaceKind } from "./SolidSet.js";

type Color = readonly [number, number, number];

const PAINTS: readonly [Color, ...Color[]] = [
  [0.75, 0.75, 0.74],
  [0.5, 0.51, 0.53],
  [0.04, 0.04, 0.045],
  [0.12, 0.13, 0.15],
  [0.45, 0.04, 0.04],
  [0.05, 0.1, 0.35],
  [0.03, 0.2, 0.1],
  [0.5, 0.42, 0.3],
  [0.7, 0.45, 0.05],
];

/** A coat of paint; dark paint sends little of the LiDAR's light back. */
function paint(classId: ClassId, random: Random): SurfaceKind {
  const color = random.pick(PAINTS);
  const brightness = (color[0] + color[1] + color[2]) / 3;
  return { classId, material: Material.VEHICLE_PAINT, color, reflectance: 0.06 + 0.6 * brightness };
}

function glass(classId: ClassId): SurfaceKind {
  return { classId, material: Material.GLASS, color: [0.03, 0.035, 0.04], reflectance: 0.06 };
}

function rubber(classId: ClassId): SurfaceKind {
  return { classId, material: Material.PLAIN, color: [0.025, 0.025, 0.028], reflectance: 0.05 };
}

/** A lamp or a number plate; both send much light back to where it came from. */
function reflector(classId: ClassId, color: Color): SurfaceKind {
  return { classId, material: Material.LAMP, color, reflectance: 0.85 };
}

/** Two wheels at each x: `radius` metres, standing `track` metres left and right of the middle. */
function addWheels(
  set: SolidSet,
  classId: ClassId,
  places: readonly number[],
  track: number,
  radius: number,
): void {
  for (const x of places) {
    for (const y of [-track, track]) {
      set.cylinder(rubber(classId), {
        center: [x, y, radius],
        half: [radius, radius, 0.11],
        roll: Math.PI / 2,
      });
      set.cylinder(
        { classId, material: Material.PLAIN, color: [0.35, 0.35, 0.37], reflectance: 0.4 },
        { center: [x, y * 1.02, radius], half: [radius * 0.6, radius * 0.6, 0.11], roll: Math.PI / 2 },
      );
    }
  }
}

function addLampsAndPlates(
  set: SolidSet,
  classId: ClassId,
  half: number,
  width: number,
  height: number,
): void {
  for (const y of [-width * 0.75, width * 0.75]) {
    set.box(reflector(classId, [0.85, 0.85, 0.75]), { center: [half, y, height], half: [0.03, 0.17, 0.07] });
    set.box(reflector(classId, [0.6, 0.02, 0.02]), {
      center: [-half, y, height + 0.1],
      half: [0.03, 0.12, 0.1],
    });
  }
  for (const x of [-half, half]) {
    set.box(reflector(classId, [0.8, 0.8, 0.75]), {
      center: [x, 0, height - 0.15],
      half: [0.04, 0.26, 0.055],
    });
  }
}

/** A passenger car (saloon, estate, small car or sport utility) facing +x, on the ground. */
export function addCar(set: SolidSet, random: Random): void {
  const kind = random.pick(["saloon", "estate", "small", "utility"]);
  const length = kind === "small" ? random.uniform(3.5, 3.9) : random.uniform(4.2, 4.9);
  const width = random.uniform(1.68, 1.9) / 2;
  const height = kind === "utility" ? random.uniform(1.62, 1.8) : random.uniform(1.4, 1.52);
  const belt = height * 0.6;
  const clearance = kind === "utility" ? 0.26 : 0.18;
  const half = length / 2;
  const body = paint(ClassId.CAR, random);
  const middle = (belt + clearance) / 2;
  const thickness = (belt - clearance) / 2;
  // The lower body, and above it a bonnet that is lower than the belt line.
  set.box(body, {
    center: [0, 0, middle - 0.06],
    half: [half, width, thickness - 0.06],
    taper: [0.97, 0.96, 0],
  });
  const cabinLength = kind === "saloon" ? length * 0.3 : kind === "small" ? length * 0.38 : length * 0.36;
  const cabinCenter = kind === "saloon" ? -length * 0.05 : -half + cabinLength + length * 0.04;
  set.box(body, {
    center: [cabinCenter, 0, belt - 0.06],
    half: [cabinLength * 1.08, width * 0.97, 0.07],
  });
  const roof = (height - belt) / 2;
  set.box(glass(ClassId.CAR), {
    center: [cabinCenter, 0, belt + roof],
    half: [cabinLength, width * 0.94, roof],
    taper: [kind === "saloon" ? 0.58 : 0.72, 0.8, kind === "saloon" ? 0.02 : -0.16],
  });
  set.box(body, {
    center: [cabinCenter - (kind === "saloon" ? 0 : cabinLength * 0.14), 0, height - 0.01],
    half: [cabinLength * (kind === "saloon" ? 0.6 : 0.75), width * 0.77, 0.025],
  });
  for (const y of [-width, width]) {
    set.box(body, {
      center: [cabinCenter + cabinLength * 0.8, y * 1.06, belt + 0.08],
      half: [0.07, 0.08, 0.06],
    });
    // Pillars between the side windows.
    set.box(body, {
      center: [cabinCenter - cabinLength * 0.1, y * 0.86, belt + roof * 0.95],
      half: [0.05, 0.03, roof],
      roll: (y > 0 ? 1 : -1) * 0.22,
    });
  }
  addWheels(set, ClassId.CAR, [-half * 0.62, half * 0.64], width - 0.1, kind === "utility" ? 0.35 : 0.31);
  addLampsAndPlates(set, ClassId.CAR, half - 0.01, width, clearance + 0.42);
}

/** A lorry with a box body or a delivery van, facing +x. */
export function addTruck(set: SolidSet, random: Random): void {
  const classId = ClassId.TRUCK;
  const length = random.uniform(6, 9.5);
  const half = length / 2;
  const width = random.uniform(1.1, 1.25);
  const height = random.uniform(2.8, 3.6);
  const cabLength = 1.0;
  const cabin = paint(classId, random);
  const cargo: SurfaceKind = {
    classId,
    material: Material.VEHICLE_PAINT,
    color: random.pick([
      [0.8, 0.8, 0.78],
      [0.75, 0.76, 0.8],
      [0.1, 0.2, 0.45],
      [0.55, 0.1, 0.08],
      [0.2, 0.4, 0.2],
    ]),
    reflectance: random.uniform(0.25, 0.55),
  };
  set.box(cargo, {
    center: [-cabLength - 0.1, 0, (height + 1) / 2],
    half: [half - cabLength - 0.1, width, (height - 1) / 2],
  });
  set.box(cabin, { center: [half - cabLength, 0, 0.95], half: [cabLength, width * 0.95, 0.55] });
  set.box(glass(classId), {
    center: [half - cabLength, 0, 1.9],
    half: [cabLength * 0.98, width * 0.94, 0.42],
    taper: [0.86, 0.92, -0.1],
  });
  set.box(cabin, {
    center: [half - cabLength * 1.15, 0, 2.36],
    half: [cabLength * 0.83, width * 0.88, 0.08],
  });
  set.box(rubber(classId), { center: [0, 0, 0.75], half: [half - 0.3, width * 0.4, 0.18] });
  addWheels(set, classId, [-half * 0.75, -half * 0.5, half * 0.66], width - 0.15, 0.48);
  addLampsAndPlates(set, classId, half, width, 0.75);
}

/** A bus, or a caravan-like trailer: SemanticKITTI's other-vehicle. Facing +x. */
export function addOtherVehicle(set: SolidSet, random: Random): void {
  const classId = ClassId.OTHER_VEHICLE;
  if (random.chance(0.35)) {
    const length = random.uniform(4.5, 6);
    const white: SurfaceKind = {
      classId,
      material: Material.VEHICLE_PAINT,
      color: [0.8, 0.79, 0.74],
      reflectance: random.uniform(0.3, 0.6),
    };
    set.box(white, { center: [0, 0, 1.5], half: [length / 2, 1.1, 1.05], taper: [0.88, 0.97, -0.05] });
    set.box(glass(classId), { center: [0.2, 0, 1.8], half: [length * 0.25, 1.115, 0.25] });
    set.box(rubber(classId), { center: [length / 2 + 0.4, 0, 0.5], half: [0.6, 0.06, 0.05] });
    addWheels(set, classId, [-0.2], 1.0, 0.32);
    return;
  }
  const length = random.uniform(9.5, 12);
  const half = length / 2;
  const body = paint(classId, random);
  set.box(body, { center: [0, 0, 0.85], half: [half, 1.25, 0.5] });
  set.box(glass(classId), { center: [0, 0, 1.95], half: [half - 0.02, 1.23, 0.6] });
  set.box(body, { center: [0, 0, 2.85], half: [half, 1.25, 0.3], taper: [0.98, 0.85, 0] });
  for (let x = -half + 1; x < half - 0.5; x += 1.6) {
    set.box(body, { center: [x, 0, 1.95], half: [0.08, 1.245, 0.6] });
  }
  addWheels(set, classId, [-half * 0.55, half * 0.6], 1.12, 0.48);
  addLampsAndPlates(set, classId, half, 1.2, 0.7);
}

interface Rider {
  readonly classId: ClassId;
}

/** A bicycle facing +x, its frame upright. With a rider the whole is one bicyclist, as in SemanticKITTI. */
export function addBicycle(set: SolidSet, random: Random, rider?: Rider): void {
  const classId = rider?.classId ?? ClassId.BICYCLE;
  const tube: SurfaceKind = {
    classId,
    material: Material.VEHICLE_PAINT,
    color: random.pick(PAINTS),
    reflectance: random.uniform(0.2, 0.5),
  };
  const radius = 0.34;
  for (const x of [-0.52, 0.52]) {
    // A wheel is rim and spokes; a ring of eight short tubes keeps the hole in the middle.
    for (let piece = 0; piece < 8; piece++) {
      const angle = (piece / 8) * 2 * Math.PI;
      set.box(rubber(classId), {
        center: [x + Math.cos(angle) * radius * 0.94, 0, radius + Math.sin(angle) * radius * 0.94],
        half: [0.03, 0.025, 0.14],
        pitch: -angle,
      });
    }
  }
  set.cylinder(tube, { center: [0.12, 0, 0.72], half: [0.03, 0.03, 0.3], pitch: Math.PI / 2 + 0.2 });
  set.cylinder(tube, { center: [0.15, 0, 0.5], half: [0.03, 0.03, 0.34], pitch: Math.PI / 2 - 0.75 });
  set.cylinder(tube, { center: [-0.2, 0, 0.6], half: [0.03, 0.03, 0.32], pitch: -0.25 });
  set.cylinder(tube, { center: [-0.32, 0, 0.38], half: [0.025, 0.025, 0.22], pitch: Math.PI / 2 + 0.1 });
  set.cylinder(tube, { center: [0.48, 0, 0.65], half: [0.03, 0.03, 0.36], pitch: -0.2 });
  set.box(rubber(classId), { center: [-0.28, 0, 0.95], half: [0.13, 0.07, 0.04] });
  set.cylinder(rubber(classId), { center: [0.42, 0, 1.02], half: [0.025, 0.025, 0.28], roll: Math.PI / 2 });
}

/** A motorcycle or scooter facing +x; with a rider the whole is one motorcyclist. */
export function addMotorcycle(set: SolidSet, random: Random, rider?: Rider): void {
  const classId = rider?.classId ?? ClassId.MOTORCYCLE;
  const body = paint(classId, random);
  for (const x of [-0.68, 0.7]) {
    set.cylinder(rubber(classId), { center: [x, 0, 0.32], half: [0.32, 0.32, 0.07], roll: Math.PI / 2 });
  }
  set.box(body, { center: [0.12, 0, 0.86], half: [0.32, 0.16, 0.16], taper: [0.7, 0.6, 0] });
  set.box(rubber(classId), { center: [-0.42, 0, 0.86], half: [0.4, 0.13, 0.07] });
  set.box(
    { classId, material: Material.PLAIN, color: [0.2, 0.2, 0.21], reflectance: 0.35 },
    { center: [0.05, 0, 0.5], half: [0.34, 0.18, 0.22] },
  );
  set.box(body, { center: [-0.72, 0, 0.75], half: [0.22, 0.1, 0.06] });
  set.cylinder(body, { center: [0.58, 0, 0.7], half: [0.05, 0.09, 0.42], pitch: -0.4 });
  set.cylinder(rubber(classId), { center: [0.42, 0, 1.08], half: [0.03, 0.03, 0.38], roll: Math.PI / 2 });
  set.ellipsoid(reflector(classId, [0.85, 0.85, 0.75]), { center: [0.62, 0, 0.95], half: [0.09, 0.1, 0.1] });
  set.box(reflector(classId, [0.6, 0.02, 0.02]), { center: [-0.92, 0, 0.78], half: [0.02, 0.08, 0.05] });
}
