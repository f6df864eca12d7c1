import { sharp } from "../camera/libvips.js";
import type { RgbImage } from "../camera/RgbImage.js";

/** Formats of animations that browsers and READMEs show. */
export const ANIMATIONS = { ".webp": "webp", ".gif": "gif" } as const;

/** Pictures of one size, and how long each is shown. */
export class Animation {
  readonly #width: number;
  readonly #frames: Buffer[] = [];
  readonly #delays: number[] = [];
  #height = 0;

  /** `width`: pixels to which the pictures are shrunk. */
  constructor(width: number) {
    this.#width = width;
  }

  get frames(): number {
    return this.#frames.length;
  }

  /** `ms`: until the next picture. A RangeError where the picture has another shape than the first. */
  async add({ width, height, data }: RgbImage, ms: number): Promise<void> {
    const shrunk = Math.max(1, Math.round((height * this.#width) / width));
    if (this.#frames.length > 0 && shrunk !== this.#height) {
      throw new RangeError(
        `a picture of ${width} x ${height} among those of ${this.#width} x ${this.#height}`,
      );
    }
    this.#height = shrunk;
    this.#frames.push(
      await sharp(data, { raw: { width, height, channels: 3 } })
        .resize({ width: this.#width, height: shrunk, fit: "fill" })
        .raw()
        .toBuffer(),
    );
    this.#delays.push(Math.max(20, Math.round(ms)));
  }

  /** An endless loop. A RangeError without pictures. */
  async encode(format: (typeof ANIMATIONS)[keyof typeof ANIMATIONS]): Promise<Uint8Array> {
    if (this.#frames.length === 0) throw new RangeError("an animation of no picture");
    const pages = Buffer.concat(this.#frames);
    const raw = {
      width: this.#width,
      height: this.#height * this.#frames.length,
      channels: 3 as const,
      pageHeight: this.#height,
    };
    const pictures = sharp(pages, { raw, limitInputPixels: false });
    const timing = { delay: this.#delays, loop: 0 };
    return format === "webp"
      ? await pictures.webp({ ...timing, quality: 75, effort: 3 }).toBuffer()
      : await pictures.gif({ ...timing, effort: 5 }).toBuffer();
  }
}
