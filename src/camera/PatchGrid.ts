import { Fault } from "../faults/Fault.js";

/** How an image is brought to the encoder's input size. */
export type ResizeRule = "stretch" | "letterbox";

/** The image encoder's input and its square patches. */
export interface PatchGrid {
  /** Pixels; multiples of the patch size. */
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly patchSize: number;
  readonly resize: ResizeRule;
}

/** Where an image lies in the encoder's input, in whole input pixels. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** input pixel = scale * image pixel + offset; integers are pixel centres on both sides. */
export interface ImageToInput {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** Throws a "bad-bundle" Fault when the input is no whole number of patches. */
export function patchCounts({ inputWidth, inputHeight, patchSize }: PatchGrid): {
  rows: number;
  columns: number;
} {
  if (!(patchSize > 0) || inputWidth % patchSize !== 0 || inputHeight % patchSize !== 0) {
    throw new Fault(
      "bad-bundle",
      `the image encoder's input of ${inputWidth}x${inputHeight} pixels must be a multiple of its patch size ${patchSize}`,
    );
  }
  return { rows: inputHeight / patchSize, columns: inputWidth / patchSize };
}

export function placement(
  { inputWidth, inputHeight, resize }: Pick<PatchGrid, "inputWidth" | "inputHeight" | "resize">,
  imageWidth: number,
  imageHeight: number,
): Placement {
  if (resize === "stretch") return { left: 0, top: 0, width: inputWidth, height: inputHeight };
  const scale = Math.min(inputWidth / imageWidth, inputHeight / imageHeight);
  const width = Math.max(1, Math.floor(imageWidth * scale + 0.5));
  const height = Math.max(1, Math.floor(imageHeight * scale + 0.5));
  return {
    left: Math.floor((inputWidth - width) / 2),
    top: Math.floor((inputHeight - height) / 2),
    width,
    height,
  };
}

export function imageToInput(
  grid: Pick<PatchGrid, "inputWidth" | "inputHeight" | "resize">,
  imageWidth: number,
  imageHeight: number,
): ImageToInput {
  const { left, top, width, height } = placement(grid, imageWidth, imageHeight);
  const scaleX = width / imageWidth;
  const scaleY = height / imageHeight;
  return { scaleX, scaleY, offsetX: 0.5 * scaleX - 0.5 + left, offsetY: 0.5 * scaleY - 0.5 + top };
}
