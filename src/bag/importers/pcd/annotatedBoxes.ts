import { z } from "zod";
import { Fault } from "../../../faults/Fault.js";

const vector = z.object({ x: z.number(), y: z.number(), z: z.number() });
const boxSchema = z.object({
  obj_type: z.string(),
  psr: z.object({ position: vector, rotation: vector, scale: vector }),
});
/** A list of boxes, or an object with one under `objs`: both are written by SUSTechPOINTS. */
const fileSchema = z.union([
  z.array(boxSchema),
  z.object({ objs: z.array(boxSchema) }).transform(({ objs }) => objs),
]);

/** A box around an object, in the frame of the cloud. */
export interface AnnotatedBox {
  readonly className: string;
  /** Metres. */
  readonly center: readonly [x: number, y: number, z: number];
  /** 3x3, row-major: from the axes of the box to those of the cloud. */
  readonly rotation: readonly number[];
  /** Half of length, width and height, metres. */
  readonly halfSize: readonly [x: number, y: number, z: number];
}

/**
 * Reads a label file of SUSTechPOINTS.
 * @param json what is in the file
 * @throws Fault `data-set-unreadable`
 */
export function parseBoxes(json: unknown): readonly AnnotatedBox[] {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    throw new Fault("data-set-unreadable", `it is not a list of boxes: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data.map(({ obj_type: className, psr: { position, rotation, scale } }) => ({
    className,
    center: [position.x, position.y, position.z],
    rotation: rotationOf(rotation),
    halfSize: [scale.x / 2, scale.y / 2, scale.z / 2],
  }));
}

/** Euler angles in radians: Rz Ry Rx. */
function rotationOf({ x, y, z: yaw }: z.infer<typeof vector>): readonly number[] {
  const [sx, cx] = [Math.sin(x), Math.cos(x)];
  const [sy, cy] = [Math.sin(y), Math.cos(y)];
  const [sz, cz] = [Math.sin(yaw), Math.cos(yaw)];
  // prettier-ignore
  return [
    cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx,
    sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx,
    -sy, cy * sx, cy * cx,
  ];
}

/**
 * The class of each point: the index of its box's name in `classNames`, 0 outside of all boxes; of boxes that overlap
 * the last one counts.
 * @param xyz [N, 3] metres, in the frame of the boxes
 */
export function classesByBox(
  xyz: Float32Array,
  boxes: readonly AnnotatedBox[],
  classNames: readonly string[],
): Uint8Array {
  const classes = new Uint8Array(xyz.length / 3);
  for (const { className, center, rotation: r, halfSize } of boxes) {
    const id = classNames.indexOf(className);
    for (let point = 0; point < classes.length; point++) {
      const dx = xyz[3 * point]! - center[0];
      const dy = xyz[3 * point + 1]! - center[1];
      const dz = xyz[3 * point + 2]! - center[2];
      const isInside =
        Math.abs(r[0]! * dx + r[3]! * dy + r[6]! * dz) <= halfSize[0] &&
        Math.abs(r[1]! * dx + r[4]! * dy + r[7]! * dz) <= halfSize[1] &&
        Math.abs(r[2]! * dx + r[5]! * dy + r[8]! * dz) <= halfSize[2];
      if (isInside) classes[point] = id;
    }
  }
  return classes;
}
