import { Fault } from "../faults/Fault.js";
import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import { settledCloud, withByteOrder } from "./settledCloud.js";
import { PointFieldType, type PointCloud2, type PointField } from "./types.js";

export const POINT_CLOUD2_TYPE = "sensor_msgs/msg/PointCloud2";

/** length of name (4) + offset (4) + datatype (1) + count (4) */
const MINIMUM_FIELD_BYTES = 4 + 4 + 1 + 4;

const DATATYPE_BYTES: Readonly<Record<PointFieldType, number>> = {
  [PointFieldType.INT8]: 1,
  [PointFieldType.UINT8]: 1,
  [PointFieldType.INT16]: 2,
  [PointFieldType.UINT16]: 2,
  [PointFieldType.INT32]: 4,
  [PointFieldType.UINT32]: 4,
  [PointFieldType.FLOAT32]: 4,
  [PointFieldType.FLOAT64]: 8,
};

/** Bytes of one element. */
export function datatypeBytes(datatype: PointFieldType): number {
  return DATATYPE_BYTES[datatype];
}

/** Number of points of a cloud. */
export function pointCount({ width, height }: PointCloud2): number {
  return width * height;
}

/**
 * `data` is a view of `cdr`. Where a redundant field (row_step, a height of 0, is_bigendian) contradicts data that leave no
 * doubt, the data count, and `oddities` says so. Throws Fault("malformed-message") when anything else in the message
 * contradicts the rest, so that readers of points need no checks of their own.
 */
export function decodePointCloud2(cdr: Uint8Array): PointCloud2 {
  const input = new CdrInput(cdr, POINT_CLOUD2_TYPE);
  const settled = settledCloud({
    header: readHeader(input, "header."),
    height: input.uint32("height"),
    width: input.uint32("width"),
    fields: input.structSequence("fields", MINIMUM_FIELD_BYTES, (path) => readField(input, path)),
    bigEndianByte: input.uint8("is_bigendian"),
    pointStep: input.uint32("point_step"),
    rowStep: input.uint32("row_step"),
    data: input.byteSequence("data"),
    isDense: input.bool("is_dense"),
  });
  const cloud = withFittingFields(settled);
  checkPointCloud2(cloud);
  return withByteOrder(cloud);
}

export function encodePointCloud2(cloud: PointCloud2, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  checkPointCloud2(cloud);
  const { cdr, payload } = layOutPointCloud2(cloud, cloud.data.length, options);
  payload.set(cloud.data);
  return cdr;
}

/**
 * The CDR bytes of a cloud whose point data the caller writes into `payload` (zeros at first; at a
 * multiple of 4 in its buffer). The caller keeps width, height and steps consistent with `payloadBytes`.
 */
export function layOutPointCloud2(
  cloud: Omit<PointCloud2, "data">,
  payloadBytes: number,
  options?: EncodeOptions,
): { cdr: Uint8Array<ArrayBuffer>; payload: Uint8Array<ArrayBuffer> } {
  const output = new CdrOutput(POINT_CLOUD2_TYPE, options);
  writeHeader(output, "header.", cloud.header);
  output.uint32("height", cloud.height);
  output.uint32("width", cloud.width);
  output.structSequence(cloud.fields, (field, index) => {
    output.string(field.name);
    output.uint32(`fields[${index}].offset`, field.offset);
    output.uint8(field.datatype);
    output.uint32(`fields[${index}].count`, field.count);
  });
  output.bool(cloud.isBigEndian);
  output.uint32("point_step", cloud.pointStep);
  output.uint32("row_step", cloud.rowStep);
  return output.finishWithPayload("data", payloadBytes, [cloud.isDense ? 1 : 0]);
}

function readField(input: CdrInput, path: string): PointField {
  const name = input.string(`${path}.name`);
  const offset = input.uint32(`${path}.offset`);
  const datatype = input.uint8(`${path}.datatype`);
  if (!isPointFieldType(datatype)) {
    throw input.fault(`${path}.datatype`, `${datatype} of field ${quote(name)} is not from 1 to 8`);
  }
  return { name, offset, datatype, count: input.uint32(`${path}.count`) };
}

function isPointFieldType(value: number): value is PointFieldType {
  return value in DATATYPE_BYTES;
}

/** Without fields that end behind the point, which cost only themselves, unless they are coordinates. */
function withFittingFields(cloud: PointCloud2): PointCloud2 {
  const { fields, pointStep } = cloud;
  const isLost = (field: PointField): boolean =>
    fieldEnd(field) > pointStep && !["x", "y", "z"].includes(field.name);
  const lost = pointStep === 0 ? [] : fields.filter(isLost);
  if (lost.length === 0) return cloud;
  const oddity =
    `the fields ${lost.map((field) => `${quote(field.name)} (up to byte ${fieldEnd(field)})`).join(", ")} end behind the ` +
    `point_step of ${pointStep} bytes, and are left out`;
  return {
    ...cloud,
    fields: fields.filter((field) => !isLost(field)),
    oddities: [...(cloud.oddities ?? []), oddity],
  };
}

function fieldEnd({ offset, datatype, count }: PointField): number {
  // PCL reads count 0 as 1; old drivers write it.
  return offset + datatypeBytes(datatype) * Math.max(1, count);
}

function checkPointCloud2({ width, height, fields, pointStep, rowStep, data }: PointCloud2): void {
  if (pointStep === 0 && width * height > 0) {
    throw mismatch("point_step", `0 bytes for each of ${width * height} points`);
  }
  if (rowStep < width * pointStep) {
    throw mismatch(
      "row_step",
      `${rowStep} is less than width ${width} * point_step ${pointStep} = ${width * pointStep}`,
    );
  }
  // The last row may do without its padding.
  const least = height === 0 ? 0 : rowStep * (height - 1) + width * pointStep;
  if (data.length < least || data.length > rowStep * height) {
    throw mismatch(
      "data",
      `${data.length} bytes instead of row_step ${rowStep} * height ${height} = ${rowStep * height}`,
    );
  }
  for (const field of fields) {
    const { name, offset, datatype, count } = field;
    const end = fieldEnd(field);
    if (end > pointStep) {
      throw mismatch(
        "fields",
        `${quote(name)} (offset ${offset}, datatype ${datatype}, count ${count}) ends at byte ${end} of a point_step of ${pointStep}`,
      );
    }
  }
}

/** A name for an error message, however long or odd it is. */
function quote(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name);
}

function mismatch(field: string, problem: string): Fault {
  return new Fault("malformed-message", `${POINT_CLOUD2_TYPE} ${field}: ${problem}.`);
}
