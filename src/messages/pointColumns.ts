import { Fault } from "../faults/Fault.js";
import { pointCount } from "./pointCloud2.js";
import { PointFieldType, type PointCloud2, type PointField } from "./types.js";

/** What a column can be read into. */
export type ColumnArray = Float32Array | Float64Array | Int32Array | Uint32Array;

export function findField(cloud: PointCloud2, name: string): PointField | undefined {
  return cloud.fields.find((field) => field.name === name);
}

export function hasField(cloud: PointCloud2, name: string): boolean {
  return findField(cloud, name) !== undefined;
}

/**
 * One field of all N points, row by row, as float32 [N]: see `readColumn`. `out` is used when it has at
 * least N elements (the result is then its first N), so that memory can be kept from scan to scan.
 */
export function readFloat32Column(cloud: PointCloud2, name: string, out?: Float32Array): Float32Array {
  return readColumn(cloud, name, sized(out, pointCount(cloud)));
}

/**
 * Reads one field of all N points, row by row, into `out` [N], whatever the datatype, offset and byte
 * order; of an array field the first element. Values are converted as by assignment to `out`: NaN and
 * infinities pass through into floats. Returns `out`.
 * Throws Fault("malformed-message") when there is no such field, a RangeError when `out` is not [N].
 */
export function readColumn<T extends ColumnArray>(cloud: PointCloud2, name: string, out: T): T {
  const points = pointCount(cloud);
  if (out.length !== points) {
    throw new RangeError(`out has ${out.length} elements instead of the cloud's ${points} points`);
  }
  gather(cloud, requireField(cloud, name), out, 0, 1);
  return out;
}

/**
 * x, y, z of all N points, row by row, in metres in the cloud's frame as float32 [N, 3]; points that are
 * not finite included. `out` is used when it has at least 3 N elements.
 * Throws Fault("malformed-message") when x, y or z is missing.
 */
export function readXyz(cloud: PointCloud2, out?: Float32Array): Float32Array {
  return gatherXyz(cloud, sized(out, 3 * pointCount(cloud)), false).xyz;
}

/**
 * As `readXyz`, with NaN for points exactly at (0, 0, 0), where a sensor measured nothing, and how many there are of them.
 */
export function readReturns(
  cloud: PointCloud2,
  out?: Float32Array,
): { readonly xyz: Float32Array; readonly noReturnCount: number } {
  return gatherXyz(cloud, sized(out, 3 * pointCount(cloud)), true);
}

function gatherXyz(
  cloud: PointCloud2,
  xyz: Float32Array,
  clear: boolean,
): { readonly xyz: Float32Array; readonly noReturnCount: number } {
  const fields = ["x", "y", "z"].map((name) => requireField(cloud, name));
  if (fields.every(({ datatype }) => datatype === PointFieldType.FLOAT32)) {
    const [x, y, z] = fields as [PointField, PointField, PointField];
    return { xyz, noReturnCount: gatherFloat32Xyz(cloud, x.offset, y.offset, z.offset, xyz, clear) };
  }
  fields.forEach((field, axis) => {
    gather(cloud, field, xyz, axis, 3);
  });
  return { xyz, noReturnCount: clear ? clearNoReturns(xyz) : 0 };
}

/** Does some coordinate hold more digits than float32 keeps? */
export function hasFineXyz(cloud: PointCloud2): boolean {
  return ["x", "y", "z"].some((name) => {
    const datatype = findField(cloud, name)?.datatype;
    return (
      datatype === PointFieldType.FLOAT64 ||
      datatype === PointFieldType.INT32 ||
      datatype === PointFieldType.UINT32
    );
  });
}

/** As `readXyz`, with all digits of the fields. */
export function readFineXyz(cloud: PointCloud2): Float64Array {
  const xyz = new Float64Array(3 * pointCount(cloud));
  ["x", "y", "z"].forEach((name, axis) => {
    gather(cloud, requireField(cloud, name), xyz, axis, 3);
  });
  return xyz;
}

/** Points exactly at (0, 0, 0), where a sensor measured nothing, become NaN, in place; how many there were. */
export function clearNoReturns(xyz: Float32Array | Float64Array): number {
  let count = 0;
  for (let at = 0; at < xyz.length; at += 3) {
    if (xyz[at] !== 0 || xyz[at + 1] !== 0 || xyz[at + 2] !== 0) continue;
    xyz[at] = xyz[at + 1] = xyz[at + 2] = NaN;
    count++;
  }
  return count;
}

function sized(out: Float32Array | undefined, length: number): Float32Array {
  return out !== undefined && out.length >= length ? out.subarray(0, length) : new Float32Array(length);
}

function requireField(cloud: PointCloud2, name: string): PointField {
  const field = findField(cloud, name);
  if (field !== undefined) return field;
  const names = cloud.fields.map((present) => present.name).join(", ");
  throw new Fault(
    "malformed-message",
    `sensor_msgs/msg/PointCloud2 fields: there is no "${name}", only ${names === "" ? "no field at all" : names}.`,
  );
}

const NAN_BITS = 0x7fc00000;

/**
 * The usual case in one pass over the points. Bits are copied, so NaN payloads stay. Returns how many points are at
 * (0, 0, 0); they become NaN when they are to be cleared.
 */
function gatherFloat32Xyz(
  cloud: PointCloud2,
  x: number,
  y: number,
  z: number,
  xyz: Float32Array,
  clear: boolean,
): number {
  const { width, pointStep, rowStep, isBigEndian } = cloud;
  const view = viewOf(cloud);
  const bits = new Uint32Array(xyz.buffer, xyz.byteOffset, xyz.length);
  const littleEndian = !isBigEndian;
  let atOrigin = 0;
  for (let row = 0, i = 0; i < bits.length; row++) {
    let at = row * rowStep;
    for (let column = 0; column < width; column++, at += pointStep, i += 3) {
      const a = view.getUint32(at + x, littleEndian);
      const b = view.getUint32(at + y, littleEndian);
      const c = view.getUint32(at + z, littleEndian);
      bits[i] = a;
      bits[i + 1] = b;
      bits[i + 2] = c;
      // Without their signs: -0 is 0.
      if ((a | b | c) << 1 !== 0) continue;
      atOrigin++;
      if (clear) bits[i] = bits[i + 1] = bits[i + 2] = NAN_BITS;
    }
  }
  return atOrigin;
}

/** `out[first + stride * i]` becomes the field's value of point i. */
function gather(
  cloud: PointCloud2,
  { offset, datatype }: PointField,
  out: ColumnArray,
  first: number,
  stride: number,
): void {
  const { width, pointStep, rowStep, isBigEndian } = cloud;
  const view = viewOf(cloud);
  const littleEndian = !isBigEndian;
  const end = stride * pointCount(cloud);
  // Each loop has one reader, which lets the engine compile it to plain loads.
  for (let row = 0, i = first; i < end; row++) {
    let at = row * rowStep + offset;
    const rowEnd = at + width * pointStep;
    switch (datatype) {
      case PointFieldType.INT8:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getInt8(at);
        break;
      case PointFieldType.UINT8:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getUint8(at);
        break;
      case PointFieldType.INT16:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getInt16(at, littleEndian);
        break;
      case PointFieldType.UINT16:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getUint16(at, littleEndian);
        break;
      case PointFieldType.INT32:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getInt32(at, littleEndian);
        break;
      case PointFieldType.UINT32:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getUint32(at, littleEndian);
        break;
      case PointFieldType.FLOAT32:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getFloat32(at, littleEndian);
        break;
      case PointFieldType.FLOAT64:
        for (; at < rowEnd; at += pointStep, i += stride) out[i] = view.getFloat64(at, littleEndian);
        break;
    }
  }
}

function viewOf({ data }: PointCloud2): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
