/** Samples along each side of a pixel. */
const SAMPLES = 2;

/**
 * A picture of round points in which the nearer hides the farther, with smooth edges (four samples a pixel).
 * Coordinates are pixels from the upper left corner of the picture: the centre of the first pixel is (0.5, 0.5).
 */
export class PointRaster {
  readonly width: number;
  readonly height: number;
  /** [height * 2, width * 2] */
  readonly #depth: Float32Array;
  /** [height * 2, width * 2] packed 0xRRGGBB; meaningless where the depth is infinite. */
  readonly #color: Uint32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const sampleCount = width * height * SAMPLES * SAMPLES;
    this.#depth = new Float32Array(sampleCount).fill(Infinity);
    this.#color = new Uint32Array(sampleCount);
  }

  /** `diameter` in pixels, `color` packed 0xRRGGBB; points outside the picture are cut off at its edge. */
  paint(u: number, v: number, depth: number, diameter: number, color: number): void {
    const columns = this.width * SAMPLES;
    const rows = this.height * SAMPLES;
    const x = u * SAMPLES - 0.5;
    const y = v * SAMPLES - 0.5;
    const radius = (diameter * SAMPLES) / 2;
    // Written so that NaN fails.
    if (!(x > -radius && x < columns + radius && y > -radius && y < rows + radius)) return;
    const bottom = Math.min(rows - 1, Math.floor(y + radius));
    for (let row = Math.max(0, Math.ceil(y - radius)); row <= bottom; row++) {
      const half = Math.sqrt(Math.max(0, radius * radius - (row - y) * (row - y)));
      const last = row * columns + Math.min(columns - 1, Math.floor(x + half));
      for (let at = row * columns + Math.max(0, Math.ceil(x - half)); at <= last; at++) {
        if (depth >= this.#depth[at]!) continue;
        this.#depth[at] = depth;
        this.#color[at] = color;
      }
    }
  }

  /** Lays the points over an image, [*, imageWidth, 3], with the picture's corner at pixel (left, top) of it. */
  blendInto(image: Uint8Array, imageWidth: number, left: number, top: number): void {
    const columns = this.width * SAMPLES;
    const depth = this.#depth;
    for (let row = 0; row < this.height; row++) {
      for (let column = 0; column < this.width; column++) {
        const first = row * SAMPLES * columns + column * SAMPLES;
        let [red, green, blue, covered] = [0, 0, 0, 0];
        for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
          const at = first + (sample >> 1) * columns + (sample & 1);
          if (depth[at] === Infinity) continue;
          const color = this.#color[at]!;
          red += color >> 16;
          green += (color >> 8) & 255;
          blue += color & 255;
          covered++;
        }
        if (covered === 0) continue;
        const pixel = ((top + row) * imageWidth + left + column) * 3;
        const bare = SAMPLES * SAMPLES - covered;
        image[pixel] = (red + bare * image[pixel]!) >> 2;
        image[pixel + 1] = (green + bare * image[pixel + 1]!) >> 2;
        image[pixel + 2] = (blue + bare * image[pixel + 2]!) >> 2;
      }
    }
  }
}
