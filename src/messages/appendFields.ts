import { datatypeBytes, layOutPointCloud2, pointCount } from "./pointCloud2.js";
import { PointFieldType, type PointCloud2, type PointField } from "./types.js";

/** A new field: one value per point, in the point order of the cloud. */
export type Column = { readonly name: string } & (
  | { readonly datatype: typeof PointFieldType.INT8; readonly values: Int8Array }
  | { readonly datatype: typeof PointFieldType.UINT8; readonly values: Uint8Array }
  | { readonly datatype: typeof PointFieldType.INT16; readonly values: Int16Array }
  | { readonly datatype: typeof PointFieldType.UINT16; readonly values: Uint16Array }
  | { readonly datatype: typeof PointFieldType.INT32; readonly values: Int32Array }
  | { readonly datatype: typeof PointFieldType.UINT32; readonly values: Uint32Array }
  | { readonly datatype: typeof PointFieldType.FLOAT32; readonly values: Float32Array }
  | { readonly datatype: typeof PointFieldType.FLOAT64; readonly values: Float64Array }
);

/** Many readers access points as words; keep what they may rely on. */
const POINT_ALIGNMENT = 4;

/**
 * The CDR bytes of the cloud with more fields: same header, width, height and order of points, all bytes
 * of each input point kept, then the new values, each aligned to its size, in the cloud's byte order.
 * Row padding is dropped. Where a name exists already, the new field takes it over: the old PointField
 * entry goes and its bytes stay as padding, so that no other offset changes.
 *
 * Throws a RangeError when a column does not have one value per point.
 */
export function appendFields(cloud: PointCloud2, columns: readonly Column[]): Uint8Array<ArrayBuffer> {
  const points = pointCount(cloud);
  const added: PointField[] = [];
  let end = cloud.pointStep;
  for (const { name, datatype, values } of columns) {
    if (values.length !== points) {
      throw new RangeError(`column "${name}" has ${values.length} values for ${points} points`);
    }
    const offset = roundUp(end, datatypeBytes(datatype));
    added.push({ name, offset, datatype, count: 1 });
    end = offset + datatypeBytes(datatype);
  }
  const pointStep = roundUp(end, POINT_ALIGNMENT);
  const rowStep = pointStep * cloud.width;
  const replaced = new Set(columns.map(({ name }) => name));
  const fields = [...cloud.fields.filter(({ name }) => !replaced.has(name)), ...added];
  const { cdr, payload } = layOutPointCloud2(
    { ...cloud, fields, pointStep, rowStep },
    rowStep * cloud.height,
  );
  copyPoints(cloud, payload, pointStep);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  columns.forEach((column, index) => {
    scatter(column, view, added[index]!.offset, pointStep, !cloud.isBigEndian);
  });
  return cdr;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Puts the bytes of point i at `i * pointStep` of the target. */
function copyPoints(cloud: PointCloud2, target: Uint8Array, pointStep: number): void {
  const { data, width, rowStep } = cloud;
  const inputStep = cloud.pointStep;
  const words = asWords(data, inputStep, rowStep);
  if (words !== undefined) {
    // `target` starts and steps at multiples of 4.
    const out = new Uint32Array(target.buffer, target.byteOffset, target.length / 4);
    copyStrided(words, out, { width, inputStep: inputStep / 4, rowStep: rowStep / 4, step: pointStep / 4 });
  } else {
    copyStrided(data, target, { width, inputStep, rowStep, step: pointStep });
  }
}

/** The data as 4-byte words when its place in memory and all its steps allow it. */
function asWords(data: Uint8Array, pointStep: number, rowStep: number): Uint32Array | undefined {
  const steps = [data.byteOffset, data.length, pointStep, rowStep];
  if (steps.some((step) => step % 4 !== 0)) return undefined;
  return new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
}

function copyStrided<T extends Uint8Array | Uint32Array>(
  source: T,
  target: T,
  steps: { width: number; inputStep: number; rowStep: number; step: number },
): void {
  const { width, inputStep, rowStep, step } = steps;
  for (let row = 0, to = 0; to < target.length; row++) {
    let from = row * rowStep;
    for (let column = 0; column < width; column++, from += inputStep, to += step) {
      for (let k = 0; k < inputStep; k++) target[to + k] = source[from + k]!;
    }
  }
}

function scatter(
  { datatype, values }: Column,
  view: DataView,
  offset: number,
  step: number,
  littleEndian: boolean,
): void {
  const count = values.length;
  let at = offset;
  switch (datatype) {
    case PointFieldType.INT8:
    case PointFieldType.UINT8:
      for (let i = 0; i < count; i++, at += step) view.setUint8(at, values[i]!);
      break;
    case PointFieldType.INT16:
    case PointFieldType.UINT16:
      for (let i = 0; i < count; i++, at += step) view.setUint16(at, values[i]!, littleEndian);
      break;
    case PointFieldType.INT32:
    case PointFieldType.UINT32:
      for (let i = 0; i < count; i++, at += step) view.setUint32(at, values[i]!, littleEndian);
      break;
    case PointFieldType.FLOAT32: {
      // As bits: a packed colour may be a NaN, whose payload need not survive as a number.
      const bits = new Uint32Array(values.buffer, values.byteOffset, count);
      for (let i = 0; i < count; i++, at += step) view.setUint32(at, bits[i]!, littleEndian);
      break;
    }
    case PointFieldType.FLOAT64:
      for (let i = 0; i < count; i++, at += step) view.setFloat64(at, values[i]!, littleEndian);
      break;
  }
}
