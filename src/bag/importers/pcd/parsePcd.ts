import { Fault } from "../../../faults/Fault.js";
import { type Header, type PointCloud2, type PointField, PointFieldType } from "../../../messages/types.js";
import { decompressLzf } from "./lzf.js";
import { parsePcdHeader, type PcdField, type PcdHeader } from "./pcdHeader.js";
import { PADDING, pcdLayout } from "./pcdLayout.js";

export interface PcdCloud {
  readonly cloud: PointCloud2;
  /** The first field whose place in the header was not believed; see `pcdLayout`. */
  readonly misplaced: string | undefined;
  /** Fields of types that no PointCloud2 has, such as `timestamp (U, 8 bytes)`: their bytes stay, and nobody reads them. */
  readonly leftOut: readonly string[];
  /** See PcdHeader. */
  readonly viewpoint: readonly number[] | undefined;
}

const DATATYPES: Readonly<Record<string, PointFieldType>> = {
  B1: PointFieldType.UINT8,
  I1: PointFieldType.INT8,
  U1: PointFieldType.UINT8,
  I2: PointFieldType.INT16,
  U2: PointFieldType.UINT16,
  I4: PointFieldType.INT32,
  U4: PointFieldType.UINT32,
  F4: PointFieldType.FLOAT32,
  F8: PointFieldType.FLOAT64,
};

/**
 * A PCD file (ascii, binary or binary_compressed) as a cloud with the same fields and bytes per point, little-endian;
 * binary points stay a view of `file`. Its VIEWPOINT is not applied.
 * @throws Fault `data-set-unreadable`
 */
export function parsePcd(header: Header, file: Uint8Array): PcdCloud {
  const pcd = parsePcdHeader(file);
  const { pointStep, offsets, misplaced } = pcdLayout(pcd.fields);
  const named = pcd.fields
    .map((field, i) => ({ field, offset: offsets[i]! }))
    .filter(({ field }) => isNamed(field));
  const fields = named.flatMap(({ field, offset }) => pointField(field, offset) ?? []);
  const leftOut = named
    .filter(({ field }) => datatypeOf(field) === undefined)
    .map(({ field: { name, type, size } }) => `${name} (${type}, ${size} bytes)`);
  for (const axis of ["x", "y", "z"]) {
    if (fields.some(({ name }) => name === axis)) continue;
    const found = pcd.fields.map(({ name, type, size }) => `${name} (${type}, ${size} bytes)`).join(", ");
    throw new Fault(
      "data-set-unreadable",
      `it has no field ${axis} that can be read; its fields are ${found}`,
    );
  }
  const body = file.subarray(pcd.dataOffset);
  const cloud: PointCloud2 = {
    header,
    height: pcd.height,
    width: pcd.width,
    fields,
    isBigEndian: false,
    pointStep,
    rowStep: pointStep * pcd.width,
    data: points(pcd, pointStep, body),
    isDense: false,
  };
  return { cloud, misplaced, leftOut, viewpoint: pcd.viewpoint };
}

/** Not padding, and not an array of nothing. */
function isNamed({ name, count }: PcdField): boolean {
  return name !== PADDING && count > 0;
}

function datatypeOf({ type, size }: PcdField): PointFieldType | undefined {
  return DATATYPES[`${type}${size}`];
}

function pointField(field: PcdField, offset: number): PointField | undefined {
  const datatype = datatypeOf(field);
  return datatype === undefined ? undefined : { name: field.name, offset, datatype, count: field.count };
}

function points(pcd: PcdHeader, pointStep: number, body: Uint8Array): Uint8Array {
  const size = pcd.points * pointStep;
  switch (pcd.encoding) {
    case "binary":
      // Writers fill up the last page of memory: there may be more than the points.
      if (body.length >= size) return body.subarray(0, size);
      throw truncated(body.length, pcd.points, pointStep);
    case "binary_compressed":
      return interleaved(pcd, pointStep, decompressed(body, size));
    case "ascii":
      return fromText(pcd, pointStep, new TextDecoder("latin1").decode(body));
  }
}

/** compressed size (4) + decompressed size (4), then LZF */
function decompressed(body: Uint8Array, size: number): Uint8Array {
  if (body.length < 8) throw new Fault("data-set-unreadable", "it ends before its compressed points");
  const sizes = new DataView(body.buffer, body.byteOffset, 8);
  const [compressed, expanded] = [sizes.getUint32(0, true), sizes.getUint32(4, true)];
  if (expanded !== size || body.length < 8 + compressed) {
    throw new Fault(
      "data-set-unreadable",
      `it has ${body.length - 8} of ${compressed} compressed bytes for ${expanded} bytes of points, the header needs ${size}`,
    );
  }
  return decompressLzf(body.subarray(8, 8 + compressed), size);
}

/** Compressed points are stored field by field. */
function interleaved(
  { fields, points: count }: PcdHeader,
  pointStep: number,
  columns: Uint8Array,
): Uint8Array {
  const rows = new Uint8Array(columns.length);
  let from = 0;
  let offset = 0;
  for (const field of fields) {
    const bytes = field.size * field.count;
    for (let point = 0; point < count; point++, from += bytes) {
      for (let byte = 0; byte < bytes; byte++)
        rows[point * pointStep + offset + byte] = columns[from + byte]!;
    }
    offset += bytes;
  }
  return rows;
}

function fromText({ fields, points: count }: PcdHeader, pointStep: number, text: string): Uint8Array {
  const rows = new Uint8Array(count * pointStep);
  const view = new DataView(rows.buffer);
  const columns = fields.reduce((sum, field) => sum + field.count, 0);
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length !== count * columns) {
    throw new Fault(
      "data-set-unreadable",
      `it has ${words.length} numbers for ${count} points of ${columns}`,
    );
  }
  let word = 0;
  let at = 0;
  for (let point = 0; point < count; point++) {
    for (const field of fields) {
      const { size, type, count: elements } = field;
      const isRead = isNamed(field) && datatypeOf(field) !== undefined;
      for (let element = 0; element < elements; element++, at += size, word++) {
        if (isRead) writeNumber(view, at, `${type}${size}`, words[word]!);
      }
    }
  }
  return rows;
}

function writeNumber(view: DataView, at: number, type: string, word: string): void {
  const value = /^[-+]?nan$/i.test(word) ? NaN : Number(word.replace(/^([-+]?)inf$/i, "$1Infinity"));
  if (Number.isNaN(value) && !/nan$/i.test(word)) {
    throw new Fault("data-set-unreadable", `'${word}' is not a number`);
  }
  switch (type) {
    case "F4":
      view.setFloat32(at, value, true);
      return;
    case "F8":
      view.setFloat64(at, value, true);
      return;
    case "B1":
    case "I1":
    case "U1":
      view.setUint8(at, value);
      return;
    case "I2":
    case "U2":
      view.setUint16(at, value, true);
      return;
    default:
      view.setUint32(at, value, true);
  }
}

function truncated(bytes: number, count: number, pointStep: number): Fault {
  return new Fault(
    "data-set-unreadable",
    `it has ${bytes} bytes of points instead of ${count} x ${pointStep} = ${count * pointStep}`,
  );
}
