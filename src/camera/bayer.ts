/** Colour filter of the pixels (0, 0), (1, 0), (0, 1), (1, 1) as in ROS's "bayer_rggb8" and so on. */
export type BayerPattern = "rggb" | "bggr" | "gbrg" | "grbg";

/**
 * Bilinear demosaicing of [height, width] samples to [height, width, 3] RGB: missing colours are the rounded mean
 * of the nearest two or four samples of that colour (as OpenCV's COLOR_Bayer*2RGB away from the border);
 * borders mirror. Width and height must be at least 2.
 */
export function demosaic(
  samples: Uint8Array,
  width: number,
  height: number,
  pattern: BayerPattern,
): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  // Where red is within the 2x2 tile; blue is diagonal to it.
  const redAt = pattern.indexOf("r");
  const [redX, redY] = [redAt & 1, redAt >> 1];
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const above = mirror(y - 1, height) * width;
    const below = mirror(y + 1, height) * width;
    const redRow = (y & 1) === redY;
    for (let x = 0; x < width; x++) {
      const left = mirror(x - 1, width);
      const right = mirror(x + 1, width);
      const own = samples[row + x]!;
      const out = (row + x) * 3;
      if (((x & 1) === redX) === redRow) {
        const cross =
          (samples[above + x]! + samples[below + x]! + samples[row + left]! + samples[row + right]! + 2) >> 2;
        const diagonal =
          (samples[above + left]! +
            samples[above + right]! +
            samples[below + left]! +
            samples[below + right]! +
            2) >>
          2;
        rgb[out] = redRow ? own : diagonal;
        rgb[out + 1] = cross;
        rgb[out + 2] = redRow ? diagonal : own;
      } else {
        const beside = (samples[row + left]! + samples[row + right]! + 1) >> 1;
        const stacked = (samples[above + x]! + samples[below + x]! + 1) >> 1;
        rgb[out] = redRow ? beside : stacked;
        rgb[out + 1] = own;
        rgb[out + 2] = redRow ? stacked : beside;
      }
    }
  }
  return rgb;
}

/** Mirrors at the outer samples, so that the colour of the filter stays the same. */
function mirror(index: number, length: number): number {
  return index < 0 ? 1 : index >= length ? length - 2 : index;
}
