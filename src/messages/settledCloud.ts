import { PointFieldType, type PointCloud2 } from "./types.js";

/** A PointCloud2 as it lies in the message. */
export interface RawCloud extends Omit<PointCloud2, "isBigEndian" | "oddities"> {
  /** 0 or 1, if the sender is sane. */
  readonly bigEndianByte: number;
}

/**
 * Sets redundant fields right by the data, where the data leave no doubt: rows and columns whose product is 0 although
 * the other one counts the points, a row_step that does not fit width, height and the bytes that there are, bytes
 * behind the last point. The rest is left for the check to refuse.
 */
export function settledCloud({ bigEndianByte, ...raw }: RawCloud): PointCloud2 {
  const { pointStep } = raw;
  let { width, height, rowStep, data } = raw;
  const oddities: string[] = [];
  const bytes = data.length;
  if (bytes > 0 && width * height === 0 && Math.max(width, height) * pointStep === bytes) {
    const points = Math.max(width, height);
    oddities.push(
      `height is ${height} and width ${width}, but the data are ${points} points of ${pointStep} bytes; they are read as one row`,
    );
    [height, width] = [1, points];
    rowStep = width * pointStep;
  }
  const row = width * pointStep;
  if (pointStep > 0 && bytes > 0 && (rowStep < row || rowStep * height !== bytes)) {
    const declared = rowStep;
    const found = foundRowStep(declared, row, height, bytes);
    if (found !== undefined) {
      if (found !== declared) {
        oddities.push(
          `row_step is ${declared} instead of ${found} bytes: data has ${bytes} bytes for ${height} x ${width} points ` +
            `of point_step ${pointStep}; the data are read by point_step`,
        );
      } else if (bytes > found * height) {
        oddities.push(
          `data has ${bytes} bytes instead of row_step ${found} * height ${height} = ${found * height}; ` +
            "what is behind the last point is ignored",
        );
      }
      rowStep = found;
      if (bytes > found * height) data = data.subarray(0, found * height);
    }
  }
  if (bigEndianByte > 1) {
    oddities.push(`is_bigendian is ${bigEndianByte} instead of 0 or 1; the data are read as little-endian`);
  }
  return {
    ...raw,
    width,
    height,
    rowStep,
    data,
    isBigEndian: bigEndianByte === 1,
    ...(oddities.length > 0 && { oddities }),
  };
}

/** The bytes from row to row that the data speak for; undefined where they do not tell. */
function foundRowStep(declared: number, row: number, height: number, bytes: number): number | undefined {
  // Rows without padding explain all bytes.
  if (row * height === bytes) return row;
  if (declared >= row) {
    // The last row may do without its padding; a buffer may be larger than what is in it.
    if (bytes >= declared * (height - 1) + row && bytes < declared * height) return declared;
    if (bytes > declared * height && height === 1) return declared;
    return undefined;
  }
  if (height === 1 && bytes > row) return row;
  const padded = bytes / height;
  return Number.isInteger(padded) && padded > row ? padded : undefined;
}

/** Points whose coordinates are looked at, spread over the cloud. */
const SAMPLES = 64;
/** Fewest coordinates that tell. */
const LEAST_VALUES = 12;
/** Metres: what a coordinate may be, if it is not 0. Bytes in the wrong order give any power of ten. */
const SANE = [1e-5, 1e8] as const;

/** The cloud with the byte order in which its coordinates are numbers, where the other order gives none. */
export function withByteOrder(cloud: PointCloud2): PointCloud2 {
  const declared = saneShare(cloud, cloud.isBigEndian);
  if (declared === undefined || declared > 0.2) return cloud;
  if ((saneShare(cloud, !cloud.isBigEndian) ?? 0) < 0.95) return cloud;
  const oddity =
    `is_bigendian says ${cloud.isBigEndian ? "big" : "little"}-endian, but the coordinates are numbers only when read as ` +
    `${cloud.isBigEndian ? "little" : "big"}-endian, and are read so`;
  return { ...cloud, isBigEndian: !cloud.isBigEndian, oddities: [...(cloud.oddities ?? []), oddity] };
}

/** Share of coordinates (float32 or float64, not 0, in either order finite or not) that can be metres. */
function saneShare(cloud: PointCloud2, bigEndian: boolean): number | undefined {
  const { width, height, pointStep, rowStep, data, fields } = cloud;
  const points = width * height;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const coordinates = fields.filter(({ name }) => name === "x" || name === "y" || name === "z");
  const stride = Math.max(1, Math.floor(points / SAMPLES));
  let values = 0;
  let sane = 0;
  for (let point = 0; point < points; point += stride) {
    const at = Math.floor(point / width) * rowStep + (point % width) * pointStep;
    for (const { offset, datatype } of coordinates) {
      if (datatype !== PointFieldType.FLOAT32 && datatype !== PointFieldType.FLOAT64) return undefined;
      const value =
        datatype === PointFieldType.FLOAT32
          ? view.getFloat32(at + offset, !bigEndian)
          : view.getFloat64(at + offset, !bigEndian);
      if (value === 0 || Number.isNaN(value)) continue;
      values++;
      const size = Math.abs(value);
      if (size >= SANE[0] && size <= SANE[1]) sane++;
    }
  }
  return values < LEAST_VALUES ? undefined : sane / values;
}
