import type { Image } from "../messages/types.js";

/**
 * ITU-R BT.601, limited range, in OpenCV's fixed point (imgproc/color_yuv): 1.164 (Y - 16) + 1.596 V,
 * - 0.813 V - 0.391 U, + 2.018 U, times 2^20.
 */
const Y_SCALE = 1220542;
const RED_V = 1673527;
const GREEN_V = -852492;
const GREEN_U = -409993;
const BLUE_U = 2116026;
const SHIFT = 20;
const HALF = 1 << (SHIFT - 1);

function writeRgb(rgb: Uint8ClampedArray, at: number, y: number, u: number, v: number): void {
  const luma = Math.max(0, y - 16) * Y_SCALE + HALF;
  rgb[at] = (luma + RED_V * (v - 128)) >> SHIFT;
  rgb[at + 1] = (luma + GREEN_V * (v - 128) + GREEN_U * (u - 128)) >> SHIFT;
  rgb[at + 2] = (luma + BLUE_U * (u - 128)) >> SHIFT;
}

/** Byte offsets of a pair of pixels that share their colour (4:2:2). */
export interface PackedYuv {
  readonly y: readonly [number, number];
  readonly u: number;
  readonly v: number;
}

export const UYVY: PackedYuv = { u: 0, y: [1, 3], v: 2 };
export const YUYV: PackedYuv = { y: [0, 2], u: 1, v: 3 };

/** [height, step] of two-pixel groups of 4 bytes to [height, width, 3]. */
export function packedYuvToRgb({ data, width, height, step }: Image, layout: PackedYuv): Uint8Array {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const group = y * step + (x >> 1) * 4;
      const luma = data[group + layout.y[x & 1 ? 1 : 0]]!;
      writeRgb(rgb, (y * width + x) * 3, luma, data[group + layout.u]!, data[group + layout.v]!);
    }
  }
  return new Uint8Array(rgb.buffer);
}

/** A plane of Y, then one of V, U pairs for every 2x2 pixels (4:2:0), both with rows of `step` bytes. */
export function nv21ToRgb({ data, width, height, step }: Image): Uint8Array {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    const chroma = (height + (y >> 1)) * step;
    for (let x = 0; x < width; x++) {
      const pair = chroma + (x >> 1) * 2;
      writeRgb(rgb, (y * width + x) * 3, data[y * step + x]!, data[pair + 1]!, data[pair]!);
    }
  }
  return new Uint8Array(rgb.buffer);
}

/** A plane of Y with rows of `step` bytes, then one of U, V pairs for every pixel with rows of 2 `step`. */
export function nv24ToRgb({ data, width, height, step }: Image): Uint8Array {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pair = (height + 2 * y) * step + 2 * x;
      writeRgb(rgb, (y * width + x) * 3, data[y * step + x]!, data[pair]!, data[pair + 1]!);
    }
  }
  return new Uint8Array(rgb.buffer);
}
