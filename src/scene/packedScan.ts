import type { PackedLayout } from "./SceneIndex.js";

/** The slot of points without a class. */
export const NO_CLASS = 255;

/** Where points of a scan are in an image. */
export interface Sightings {
  /** [M] points of the page's scan, ascending. */
  readonly points: Uint32Array;
  /** [M] from the left and upper edge of the image, 0 to 65535 at the right and lower one. */
  readonly u: Uint16Array;
  readonly v: Uint16Array;
  /** [M] 1 where the camera sees the point, 0 where nearer ones hide it. */
  readonly seen: Uint8Array;
}

/** The points of one scan as a page holds them. */
export interface PackedScan {
  /** [N, 3] x, y, z: `layout.origin + layout.step * value` metres. */
  readonly positions: Uint16Array;
  /** [N] slot of the class; NO_CLASS for none. */
  readonly labels: Uint8Array;
  /** [N] slot of the true class; NO_CLASS where it is not known. */
  readonly truth?: Uint8Array;
  /** [N] of each field of the index, undefined where the scan lacks it. */
  readonly fields: readonly (Uint8Array | undefined)[];
  readonly sightings: readonly Sightings[];
}

/**
 * All of a scan in one run of bytes that deflates well: neighbours in a scan are neighbours in space, so that the
 * differences from point to point are small, and each byte of them lies with its like.
 */
export function packScan(scan: PackedScan): Uint8Array {
  const count = scan.labels.length;
  const parts: Uint8Array[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const column = new Uint16Array(count);
    for (let point = 0; point < count; point++) column[point] = scan.positions[3 * point + axis]!;
    parts.push(differences(column, 2));
  }
  parts.push(scan.labels);
  if (scan.truth !== undefined) parts.push(scan.truth);
  for (const field of scan.fields) if (field !== undefined) parts.push(field);
  for (const { points, u, v, seen } of scan.sightings) {
    parts.push(differences(points, 4), differences(u, 2), differences(v, 2), seen);
  }
  const packed = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.length;
  }
  return packed;
}

/** @throws RangeError where the bytes are not those of such a layout */
export function unpackScan(packed: Uint8Array, count: number, layout: PackedLayout): PackedScan {
  const input = new Input(packed);
  const positions = new Uint16Array(3 * count);
  for (let axis = 0; axis < 3; axis++) {
    const column = new Uint16Array(count);
    input.sums(column, 2);
    for (let point = 0; point < count; point++) positions[3 * point + axis] = column[point]!;
  }
  const labels = input.bytes(count);
  const truth = layout.hasTruth ? input.bytes(count) : undefined;
  const fields = layout.fields.map((range) => (range === null ? undefined : input.bytes(count)));
  const sightings = layout.sightings.map((seenCount): Sightings => {
    const points = new Uint32Array(seenCount);
    const u = new Uint16Array(seenCount);
    const v = new Uint16Array(seenCount);
    input.sums(points, 4);
    input.sums(u, 2);
    input.sums(v, 2);
    return { points, u, v, seen: input.bytes(seenCount) };
  });
  input.end();
  return { positions, labels, ...(truth && { truth }), fields, sightings };
}

/** Differences to the value before, modulo 2^16 or 2^32; all lowest bytes first, then all next ones. */
function differences(values: Uint16Array | Uint32Array, bytes: 2 | 4): Uint8Array {
  const count = values.length;
  const planes = new Uint8Array(count * bytes);
  let before = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    // Signed small numbers as unsigned small ones, so that the upper bytes are mostly 0.
    const difference = bytes === 2 ? ((value - before) << 16) >> 16 : (value - before) | 0;
    let folded = (difference << 1) ^ (difference >> 31);
    for (let plane = i; plane < planes.length; plane += count, folded >>>= 8) planes[plane] = folded & 255;
    before = value;
  }
  return planes;
}

class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next bytes, in memory of their own. */
  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) {
      throw new RangeError(
        `a packed scan ends after ${this.#bytes.length} bytes, before ${this.#at + count}`,
      );
    }
    const part = this.#bytes.slice(this.#at, this.#at + count);
    this.#at += count;
    return part;
  }

  /** The opposite of `differences`. */
  sums(out: Uint16Array | Uint32Array, bytes: 2 | 4): void {
    const count = out.length;
    const planes = this.bytes(count * bytes);
    let value = 0;
    for (let i = 0; i < count; i++) {
      let folded = 0;
      for (let byte = bytes - 1; byte >= 0; byte--) folded = (folded << 8) | planes[byte * count + i]!;
      value += (folded >>> 1) ^ -(folded & 1);
      out[i] = value;
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new RangeError(`a packed scan has ${this.#bytes.length} bytes instead of ${this.#at}`);
    }
  }
}
