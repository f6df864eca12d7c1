import { Fault } from "../faults/Fault.js";
import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import { bytesPerPixel, dataRows } from "./imageEncodings.js";
import { settledImage } from "./settledImage.js";
import type { CompressedImage, Image } from "./types.js";

export const IMAGE_TYPE = "sensor_msgs/msg/Image";
export const COMPRESSED_IMAGE_TYPE = "sensor_msgs/msg/CompressedImage";

/**
 * `data` is a view of `cdr`. Where step or is_bigendian contradicts data that leave no doubt, the data count, and
 * `oddities` says so. Throws Fault("malformed-message") when other sizes contradict each other.
 */
export function decodeImage(cdr: Uint8Array): Image {
  const input = new CdrInput(cdr, IMAGE_TYPE);
  const image = settledImage({
    header: readHeader(input, "header."),
    height: input.uint32("height"),
    width: input.uint32("width"),
    encoding: input.string("encoding"),
    bigEndianByte: input.uint8("is_bigendian"),
    step: input.uint32("step"),
    data: input.byteSequence("data"),
  });
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
  // The last row may do without its padding. What no decoder knows is for the decoder to refuse.
  const least = pixel === undefined || height === 0 ? 0 : rows - step + width * pixel;
  const most = pixel === undefined || dataRows(encoding, height) > height ? Infinity : rows;
  if (data.length < least || data.length > most) {
    throw mismatch("data", `${data.length} bytes instead of step ${step} * height ${height} = ${rows}`);
  }
  if (data.length === 0 && width * height > 0) {
    throw mismatch("data", `0 bytes for ${width} x ${height} pixels`);
  }
}

function mismatch(field: string, problem: string): Fault {
  return new Fault("malformed-message", `${IMAGE_TYPE} ${field}: ${problem}.`);
}
