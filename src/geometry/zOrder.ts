/**
 * z-order (Morton) codes with the bits of x, y and z interleaved as `... x_i y_i z_i ...`, as in
 * Pointcept's serialization/z_order.py. A code of 48 bits is kept as two words of 24: the codes of
 * the upper and of the lower 8 bits of the coordinates.
 */

/** Bits that a grid coordinate may have, so that three of them fit in a code of 48. */
export const MAX_DEPTH = 16;
export const MAX_GRID_COORDINATE = (1 << MAX_DEPTH) - 1;

/** SPREAD[b] has bit i of the byte b at bit 3 i. */
const SPREAD = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  for (let bit = 0; bit < 8; bit++) SPREAD[byte]! |= ((byte >>> bit) & 1) << (3 * bit);
}

/** The 24-bit code of the lower bytes of grid coordinates. */
export function zOrderLow(x: number, y: number, z: number): number {
  return (SPREAD[x & 255]! << 2) | (SPREAD[y & 255]! << 1) | SPREAD[z & 255]!;
}

/** The 24-bit code of the upper bytes of 16-bit grid coordinates. */
export function zOrderHigh(x: number, y: number, z: number): number {
  return (SPREAD[x >>> 8]! << 2) | (SPREAD[y >>> 8]! << 1) | SPREAD[z >>> 8]!;
}

/** Bits per axis of the codes of a grid, by Pointcept's rule: those of its largest coordinate, at least 1. */
export function codeDepth(maxGridCoordinate: number): number {
  return Math.max(1, 32 - Math.clz32(maxGridCoordinate));
}
