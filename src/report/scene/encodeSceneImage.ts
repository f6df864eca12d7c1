import { sharp } from "../../camera/libvips.js";
import type { RgbImage } from "../../camera/RgbImage.js";

export interface SceneImageFile {
  readonly file: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** A WebP of at most `largest` pixels in width. */
export async function encodeSceneImage(
  { width, height, data }: RgbImage,
  largest: number,
): Promise<SceneImageFile> {
  const source = sharp(data, { raw: { width, height, channels: 3 } });
  const sized = width <= largest ? source : source.resize({ width: largest, kernel: "linear" });
  const { data: file, info } = await sized
    .webp({ quality: 72, effort: 1 })
    .toBuffer({ resolveWithObject: true });
  return { file, width: info.width, height: info.height };
}
