import { dataRows, rowBytes } from "./imageEncodings.js";
import type { Image } from "./types.js";

/** An Image as it lies in the message. */
export interface RawImageMessage extends Omit<Image, "isBigEndian" | "oddities"> {
  /** A uint8, 0 or 1 if the sender is sane. */
  readonly bigEndianByte: number;
}

/**
 * Sets step and is_bigendian right by the data, where the data leave no doubt: a step that cannot be, though width,
 * height and encoding explain every byte, and bytes behind the last row. The rest is left for the check to refuse.
 */
export function settledImage({ bigEndianByte, ...raw }: RawImageMessage): Image {
  const oddities: string[] = [];
  const { width, height, encoding } = raw;
  const rows = dataRows(encoding, height);
  const row = rowBytes(encoding, width);
  let { step, data } = raw;
  const bytes = data.length;
  if (row !== undefined && row > 0 && bytes > 0 && rows > 0 && (step < row || step * rows !== bytes)) {
    const found = foundStep(step, row, rows, bytes);
    if (found !== undefined && found !== step) {
      oddities.push(
        `step is ${step} instead of ${found} bytes: data has ${bytes} bytes for ${width}x${height} pixels of ${encoding}`,
      );
      step = found;
    } else if (found !== undefined && bytes > found * rows) {
      oddities.push(
        `data has ${bytes} bytes instead of step ${step} * ${rows} rows = ${step * rows}; what is behind the last row is ignored`,
      );
    }
    if (found !== undefined && bytes > found * rows) data = data.subarray(0, found * rows);
  }
  if (bigEndianByte > 1) {
    oddities.push(`is_bigendian is ${bigEndianByte} instead of 0 or 1; the data are read as little-endian`);
  }
  return {
    ...raw,
    step,
    data,
    isBigEndian: bigEndianByte === 1,
    ...(oddities.length > 0 && { oddities }),
  };
}

/** The bytes from row to row that the data speak for; undefined where they do not tell. */
function foundStep(declared: number, row: number, rows: number, bytes: number): number | undefined {
  // Rows without padding explain all bytes.
  if (row * rows === bytes) return row;
  if (declared >= row) return bytes > declared * (rows - 1) + row ? declared : undefined;
  const padded = bytes / rows;
  return Number.isInteger(padded) && padded > row ? padded : undefined;
}
