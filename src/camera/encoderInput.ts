import { sharp } from "./libvips.js";
import { imageToInput, placement, type ImageToInput, type ResizeRule } from "./PatchGrid.js";
import type { RgbImage } from "./RgbImage.js";

export interface EncoderInputOptions {
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly resize: ResizeRule;
  /** Per channel, red first, of values from 0 to 1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Float32 [3, inputHeight, inputWidth] to write into (one image of a batch); a new one otherwise. */
  readonly out?: Float32Array;
}

export interface EncoderInput {
  /** [3, inputHeight, inputWidth], `(value / 255 - mean) / std`; 0 in the border of a letterbox. */
  readonly data: Float32Array;
  readonly imageToInput: ImageToInput;
}

/**
 * Resizes an image for the image encoder. The filter is libvips' "linear": a triangle that widens when the
 * image shrinks (antialiased), like Pillow's `Image.resize(size, Image.Resampling.BILINEAR)`, which training
 * uses; results are rounded to 8 bits as there. OpenCV's INTER_LINEAR does not antialias: it is not the same.
 */
export async function prepareEncoderInput(
  { width, height, data: rgb }: RgbImage,
  options: EncoderInputOptions,
): Promise<EncoderInput> {
  const { inputWidth, inputHeight, mean, std } = options;
  const plane = inputWidth * inputHeight;
  const data = options.out ?? new Float32Array(3 * plane);
  if (data.length !== 3 * plane) {
    throw new RangeError(`out must have 3 x ${inputHeight} x ${inputWidth} elements, but has ${data.length}`);
  }
  const placed = placement(options, width, height);
  const pixels =
    placed.width === width && placed.height === height
      ? rgb
      : await sharp(rgb, { raw: { width, height, channels: 3 } })
          .resize({ width: placed.width, height: placed.height, fit: "fill", kernel: "linear" })
          .raw()
          .toBuffer();
  if (placed.width < inputWidth || placed.height < inputHeight) data.fill(0);
  for (let channel = 0; channel < 3; channel++) {
    const scale = 1 / (255 * std[channel]!);
    const offset = -mean[channel]! / std[channel]!;
    for (let y = 0; y < placed.height; y++) {
      let out = channel * plane + (placed.top + y) * inputWidth + placed.left;
      let at = y * placed.width * 3 + channel;
      for (let x = 0; x < placed.width; x++, at += 3) data[out++] = pixels[at]! * scale + offset;
    }
  }
  return { data, imageToInput: imageToInput(options, width, height) };
}
