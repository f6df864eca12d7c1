import { mat4 } from "gl-matrix";
import type { Actor } from "./Actor.js";
import type { ClassId } from "./classes.js";
import { reachOf, type Shape, type SolidGroup, type SolidSet } from "./SolidSet.js";

/** A vehicle or a person, parked or moving, a rider together with the bicycle. */
export interface StreetObject {
  readonly classId: ClassId;
  /** Middle of its box in its own frame (x forward, standing on z = 0), metres. */
  readonly center: readonly [x: number, y: number, z: number];
  /** Length, width and height of its box, metres. */
  readonly size: readonly [length: number, width: number, height: number];
  /** Column-major 4x4, from its frame to the world's, where it stands still; the actor says it where it moves. */
  readonly place: Float64Array | Actor;
}

/** What the group of solids is, with the smallest box along its own axes that holds all of them. */
export function streetObject(set: SolidSet, group: SolidGroup, actor?: Actor): StreetObject {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const toGroup = mat4.invert(new Float64Array(16), group.frame)!;
  const pose = new Float64Array(16);
  for (let solid = group.first; solid < group.first + group.count; solid++) {
    mat4.invert(pose, unitFrom(set, solid));
    mat4.multiply(pose, toGroup, pose);
    const shape = set.shape[solid]! as Shape;
    for (let axis = 0; axis < 3; axis++) {
      const middle = pose[12 + axis]!;
      const reach = reachOf(shape, pose, axis);
      low[axis] = Math.min(low[axis]!, middle - reach);
      high[axis] = Math.max(high[axis]!, middle + reach);
    }
  }
  const along = (axis: number): number => high[axis]! - low[axis]!;
  const middle = (axis: number): number => (low[axis]! + high[axis]!) / 2;
  return {
    classId: set.classId[group.first]! as ClassId,
    center: [middle(0), middle(1), middle(2)],
    size: [along(0), along(1), along(2)],
    place: actor ?? group.frame,
  };
}

/** Column-major 4x4: from the set's frame to the solid's unit shape. */
function unitFrom({ toUnit }: SolidSet, solid: number): Float64Array {
  const matrix = mat4.identity(new Float64Array(16)) as Float64Array;
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 4; column++) {
      matrix[4 * column + row] = toUnit[12 * solid + 4 * row + column]!;
    }
  }
  return matrix;
}
