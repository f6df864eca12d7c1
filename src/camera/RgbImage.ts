/** 8-bit sRGB, rows without padding. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], red first. */
  readonly data: Uint8Array;
}
