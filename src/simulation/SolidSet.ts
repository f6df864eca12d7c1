import { mat4 } from "gl-matrix";
import type { ClassId } from "./classes.js";
import type { Material } from "./Material.js";

/**
 * Shapes, each an affine image of a unit shape: cube [-1, 1]^3, sphere of radius 1, cylinder of radius 1
 * along z in [-1, 1], cube whose top is smaller than its bottom, and two volumes of leaves.
 */
export const Shape = {
  BOX: 0,
  ELLIPSOID: 1,
  CYLINDER: 2,
  TAPERED_BOX: 3,
  LEAF_ELLIPSOID: 4,
  LEAF_BOX: 5,
} as const;
export type Shape = (typeof Shape)[keyof typeof Shape];

/** What a solid is made of. */
export interface SurfaceKind {
  readonly classId: ClassId;
  readonly material: Material;
  /** Linear albedo, 0..1. */
  readonly color: readonly [number, number, number];
  /** Share of the LiDAR's light that comes back at normal incidence, 0..1. */
  readonly reflectance: number;
}

/** Where a solid stands in the set's current frame, and the parameters of its shape. */
export interface Placement {
  /** Metres. */
  readonly center: readonly [number, number, number];
  /** Half extents in metres along the solid's own axes. */
  readonly half: readonly [number, number, number];
  /** Radians, applied as yaw (z) * pitch (y) * roll (x). */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
  /** Tapered box: scale of the top in x and y, and its shift in units of the half length. */
  readonly taper?: readonly [x: number, y: number, shiftX: number];
  /** Leaves: share of cells that hold a leaf, and the edge of a cell in metres. */
  readonly leaves?: readonly [density: number, cell: number];
  /**
   * Two parameters of the material. FACADE: metres from window to window and from floor to floor; PLANKS, BARS,
   * MESH: metres from bar to bar and the filled share of it; SIGN: its SignFace.
   */
  readonly parameters?: readonly [number, number];
}

/** Neighbouring solids of a set that are one thing, such as a car. */
export interface SolidGroup {
  readonly first: number;
  readonly count: number;
  /** Column-major 4x4: from the frame that it was put together in (x forward, standing on z = 0) to the set's. */
  readonly frame: Float64Array;
}

/** Solids in typed arrays: what rays are tested against. Built once by `add`, then `freeze`. */
export class SolidSet {
  count = 0;
  /** What was added by `group`, in its order. */
  readonly groups: SolidGroup[] = [];
  shape = new Uint8Array(64);
  classId = new Uint8Array(64);
  material = new Uint8Array(64);
  color = new Float32Array(64 * 3);
  reflectance = new Float32Array(64);
  half = new Float64Array(64 * 3);
  seed = new Int32Array(64);
  parameters = new Float32Array(64 * 2);
  /** Row-major 3x4: set frame -> unit shape. */
  toUnit = new Float64Array(64 * 12);
  /** Taper or leaf parameters of the shape. */
  form = new Float64Array(64 * 3);
  /** min x, y, z, max x, y, z in the set frame. */
  bounds = new Float64Array(64 * 6);
  /** Where `add` puts things: the pose of the current object in the set frame. */
  readonly frame: Float64Array = mat4.identity(new Float64Array(16)) as Float64Array;

  /** Following solids are given in a frame at x, y, z (metres) turned by yaw (radians). */
  setFrame(x: number, y: number, z: number, yaw: number): void {
    mat4.fromTranslation(this.frame, [x, y, z]);
    mat4.rotateZ(this.frame, this.frame, yaw);
  }

  /** The solids that `add` adds are one thing, in the current frame; it is called with the set and the rest. */
  group<Rest extends unknown[]>(add: (set: SolidSet, ...rest: Rest) => void, ...rest: Rest): void {
    const first = this.count;
    add(this, ...rest);
    this.groups.push({ first, count: this.count - first, frame: Float64Array.from(this.frame) });
  }

  box(surface: SurfaceKind, placement: Placement): number {
    return this.#add(placement.taper ? Shape.TAPERED_BOX : Shape.BOX, surface, placement);
  }

  ellipsoid(surface: SurfaceKind, placement: Placement): number {
    return this.#add(Shape.ELLIPSOID, surface, placement);
  }

  cylinder(surface: SurfaceKind, placement: Placement): number {
    return this.#add(Shape.CYLINDER, surface, placement);
  }

  leafEllipsoid(surface: SurfaceKind, placement: Placement): number {
    return this.#add(Shape.LEAF_ELLIPSOID, surface, placement);
  }

  leafBox(surface: SurfaceKind, placement: Placement): number {
    return this.#add(Shape.LEAF_BOX, surface, placement);
  }

  #add(shape: Shape, surface: SurfaceKind, placement: Placement): number {
    const index = this.count++;
    if (index === this.shape.length) {
      this.#grow();
    }
    this.shape[index] = shape;
    this.classId[index] = surface.classId;
    this.material[index] = surface.material;
    this.color.set(surface.color, index * 3);
    this.reflectance[index] = surface.reflectance;
    this.half.set(placement.half, index * 3);
    this.seed[index] = Math.imul(index + 1, 0x9e3779b1);
    this.parameters.set(placement.parameters ?? [0, 0], index * 2);
    this.form.set(placement.leaves ?? placement.taper ?? [0, 0, 0], index * 3);

    const pose = new Float64Array(16);
    mat4.translate(pose, this.frame, placement.center);
    mat4.rotateZ(pose, pose, placement.yaw ?? 0);
    mat4.rotateY(pose, pose, placement.pitch ?? 0);
    mat4.rotateX(pose, pose, placement.roll ?? 0);
    mat4.scale(pose, pose, placement.half);
    const inverse = new Float64Array(16);
    mat4.invert(inverse, pose);
    for (let row = 0; row < 3; row++) {
      const reach = reachOf(shape, pose, row);
      const center = pose[12 + row]!;
      this.bounds[index * 6 + row] = center - reach;
      this.bounds[index * 6 + 3 + row] = center + reach;
      for (let column = 0; column < 4; column++) {
        this.toUnit[index * 12 + row * 4 + column] = inverse[column * 4 + row]!;
      }
    }
    return index;
  }

  #grow(): void {
    const grown = <T extends Uint8Array | Int32Array | Float32Array | Float64Array>(old: T, into: T): T => {
      into.set(old);
      return into;
    };
    const size = this.shape.length * 2;
    this.shape = grown(this.shape, new Uint8Array(size));
    this.classId = grown(this.classId, new Uint8Array(size));
    this.material = grown(this.material, new Uint8Array(size));
    this.color = grown(this.color, new Float32Array(size * 3));
    this.reflectance = grown(this.reflectance, new Float32Array(size));
    this.half = grown(this.half, new Float64Array(size * 3));
    this.seed = grown(this.seed, new Int32Array(size));
    this.parameters = grown(this.parameters, new Float32Array(size * 2));
    this.toUnit = grown(this.toUnit, new Float64Array(size * 12));
    this.form = grown(this.form, new Float64Array(size * 3));
    this.bounds = grown(this.bounds, new Float64Array(size * 6));
  }
}

/** How far from its centre the unit shape under `pose` (column-major 4x4) goes along an axis, metres; never too little. */
export function reachOf(shape: Shape, pose: Float64Array, axis: number): number {
  const isRound = shape === Shape.ELLIPSOID || shape === Shape.LEAF_ELLIPSOID;
  let reach = 0;
  for (let column = 0; column < 3; column++) {
    const extent = pose[column * 4 + axis]!;
    reach += isRound ? extent * extent : Math.abs(extent);
  }
  return isRound ? Math.sqrt(reach) : reach;
}
