import { Fault } from "../faults/Fault.js";
import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import type { CompressedImage, Image } from "./types.js";

export const IMAGE_TYPE = "sensor_msgs/msg/Image";
export const COMPRESSED_IMAGE_TYPE = "sensor_msgs/msg/CompressedImage";

/** sensor_msgs/image_encodings.hpp: bytes per pixel of one row. */
const PIXEL_BYTES: ReadonlyMap<string, number> = new Map([
  ["mono8", 1],
  ["mono16", 2],
  ["rgb8", 3],
  ["bgr8", 3],
  ["rgba8", 4],
  ["bgra8", 4],
  ["rgb16", 6],
  ["bgr16", 6],
  ["rgba16", 8],
  ["bgra16", 8],
  ...["rggb", "bggr", "gbrg", "grbg"].flatMap((pattern): [string, number][] => [
    [`bayer_${pattern}8`, 1],
    [`bayer_${pattern}16`, 2],
  ]),
  ["uyvy", 2],
  ["yuv422", 2],
  ["yuyv", 2],
  ["yuv422_yuy2", 2],
  ["nv12", 1],
  ["nv21", 1],
  ["nv24", 1],
]);

/** Their chroma plane lies behind the rows of the luma plane that `height` counts. */
const PLANAR_ENCODINGS: ReadonlySet<string> = new Set(["nv12", "nv21", "nv24"]);

/** Bytes per pixel of a row of this encoding (OpenCV names such as "32FC1" too); undefined when unknown. */
export function bytesPerPixel(encoding: string): number | undefined {
  const known = PIXEL_BYTES.get(encoding);
  if (known !== undefined) return known;
  const openCv = /^(8|16|32|64)[USF]C(\d{1,3})?$/.exec(encoding);
  if (openCv === null) return undefined;
  return (Number(openCv[1]) / 8) * Number(openCv[2] ?? 1);
}

/** `data` is a view of `cdr`. Throws Fault("malformed-message") when sizes contradict each other. */
export function decodeImage(cdr: Uint8Array): Image {
  const input = new CdrInput(cdr, IMAGE_TYPE);
  const image: Image = {
    header: readHeader(input, "header."),
    height: input.uint32("height"),
    width: input.uint32("width"),
    encoding: input.string("encoding"),
    isBigEndian: input.bool("is_bigendian"),
    step: input.uint32("step"),
    data: input.byteSequence("data"),
  };
  checkImage(image);
  return image;
}

export function encodeImage(image: Image, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  checkImage(image);
  const output = new CdrOutput(IMAGE_TYPE, options);
  writeHeader(output, "header.", image.header);
  output.uint32("height", image.height);
  output.uint32("width", image.width);
  output.string(image.encoding);
  output.bool(image.isBigEndian);
  output.uint32("step", image.step);
  const { cdr, payload } = output.finishWithPayload("data", image.data.length);
  payload.set(image.data);
  return cdr;
}

/** `data` is a view of `cdr`; whether it is an image is for the image decoder to say. */
export function decodeCompressedImage(cdr: Uint8Array): CompressedImage {
  const input = new CdrInput(cdr, COMPRESSED_IMAGE_TYPE);
  return {
    header: readHeader(input, "header."),
    format: input.string("format"),
    data: input.byteSequence("data"),
  };
}

export function encodeCompressedImage(
  image: CompressedImage,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(COMPRESSED_IMAGE_TYPE, options);
  writeHeader(output, "header.", image.header);
  output.string(image.format);
  const { cdr, payload } = output.finishWithPayload("data", image.data.length);
  payload.set(image.data);
  return cdr;
}

function checkImage({ width, height, encoding, step, data }: Image): void {
  const pixel = bytesPerPixel(encoding);
  if (pixel !== undefined && step < width * pixel) {
    throw mismatch(
      "step",
      `${step} is less than width ${width} * ${pixel} bytes of ${encoding} = ${width * pixel}`,
    );
  }
  const rows = step * height;
  if (PLANAR_ENCODINGS.has(encoding) ? data.length < rows : data.length !== rows) {
    throw mismatch("data", `${data.length} bytes instead of step ${step} * height ${height} = ${rows}`);
  }
  if (data.length === 0 && width * height > 0) {
    throw mismatch("data", `0 bytes for ${width} x ${height} pixels`);
  }
}

function mismatch(field: string, problem: string): Fault {
  return new Fault("malformed-message", `${IMAGE_TYPE} ${field}: ${problem}.`);
}
