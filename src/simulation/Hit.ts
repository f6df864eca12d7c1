/** Hit.solid where the ray met the ground instead of a solid. */
export const GROUND = -1;

/**
 * Where a ray ends; one object is reused for many rays. `distance` is the farthest allowed distance before
 * a cast, and the distance of the nearest surface (metres) after it.
 */
export class Hit {
  distance = 0;
  /** Index of the solid in its SolidSet, or GROUND. */
  solid = GROUND;
  /** The moving object that was hit; -1 for the static world. */
  actor = -1;
  /** Unit normal: world frame after World.cast. */
  normalX = 0;
  normalY = 0;
  normalZ = 0;
  /** The hit in the solid's own coordinates, in metres from its centre. */
  localX = 0;
  localY = 0;
  localZ = 0;
  /** Which sides of a box were hit: 0 is x, 1 is y, 2 is z, of the solid's own axes; a cylinder's ends are 2. */
  axis = 0;
  /** Random bits of the leaf that was hit; meaningless on other surfaces. */
  leaf = 0;
}
