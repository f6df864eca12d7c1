import { Fault } from "../faults/Fault.js";
import type { CompressedImage, Image } from "../messages/types.js";
import { imageCodec, isPng16 } from "./imageCodec.js";
import { MAX_PIXELS, sharp } from "./libvips.js";
import { checkRows } from "./rawImage.js";
import { decodeRvl } from "./rvl.js";

/** Depth along the optical axis per pixel, rows without padding. */
export interface DepthImage {
  readonly width: number;
  readonly height: number;
  /** [height, width] metres; NaN where unknown, infinities as in REP 117. */
  readonly data: Float32Array;
}

const MILLIMETRE = 0.001;
/** compressed_depth_image_transport's ConfigHeader: int32 format, float32 depthParam[2]. */
const CONFIG_HEADER_BYTES = 4 + 2 * 4;

/** In an RVL payload: uint32 columns, uint32 rows. */
const RVL_SIZE_BYTES = 2 * 4;

/**
 * Depth by REP 118 (16UC1 or mono16 in millimetres with 0 = unknown, 32FC1 in metres), plain or by image_transport's
 * compressedDepth with PNG or RVL, or as a plain PNG or TIFF. Rejects with a Fault: "unsupported-encoding", "image-decoding-failed" or
 * "malformed-message".
 */
export async function decodeDepth(message: Image | CompressedImage): Promise<DepthImage> {
  return "encoding" in message ? rawDepth(message) : compressedDepth(message);
}

function rawDepth(image: Image): DepthImage {
  const { encoding, width, height, step, isBigEndian, data } = image;
  if (encoding !== "16UC1" && encoding !== "mono16" && encoding !== "32FC1") {
    throw new Fault(
      "unsupported-encoding",
      `the depth encoding "${encoding}" is not supported; supported are 16UC1, mono16, 32FC1`,
    );
  }
  const bytes = encoding === "32FC1" ? 4 : 2;
  checkRows(image, width * bytes, height);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const metres = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * step + x * bytes;
      metres[y * width + x] =
        bytes === 2
          ? millimetresToMetres(view.getUint16(at, !isBigEndian))
          : view.getFloat32(at, !isBigEndian) || NaN;
    }
  }
  return { width, height, data: metres };
}

async function compressedDepth({ format, data }: CompressedImage): Promise<DepthImage> {
  const [original = "", codec = ""] = format.split(";").map((part) => part.trim());
  if (codec.startsWith("compressedDepth") && codec.includes("rvl")) return rvlDepth(original, data);
  const start = imageCodec(data);
  if (start === "PNG") return plainPng(original, format, data);
  if (start === "TIFF") return tiffDepth(original, format, data);
  // The codec's name came later than the format: without it, PNG.
  const behindHeader = data.subarray(CONFIG_HEADER_BYTES);
  if (!/^compressedDepth( png)?$/.test(codec) && !isPng16(behindHeader)) {
    throw new Fault(
      "unsupported-encoding",
      `the compressed depth format "${format}" is not supported; supported are 16UC1 and 32FC1 with ` +
        '"compressedDepth png" and "compressedDepth rvl", and 16-bit PNG and TIFF',
    );
  }
  checkLength(data, CONFIG_HEADER_BYTES);
  const { width, height, samples } = await pngSamples(behindHeader, format);
  return { width, height, data: Float32Array.from(samples, toMetres(original, data)) };
}

function rvlDepth(original: string, data: Uint8Array): DepthImage {
  checkLength(data, CONFIG_HEADER_BYTES + RVL_SIZE_BYTES);
  const { width, height, samples } = rvlSamples(data.subarray(CONFIG_HEADER_BYTES));
  return { width, height, data: Float32Array.from(samples, toMetres(original, data)) };
}

function checkLength(data: Uint8Array, least: number): void {
  if (data.length >= least) return;
  throw new Fault(
    "malformed-message",
    `the compressed depth image must have at least ${least} bytes, but has ${data.length}`,
  );
}

/** Float depth is sent as its quantized inverse, depth = scale / (sample - shift), 0 = unknown. */
function toMetres(original: string, data: Uint8Array): (sample: number) => number {
  if (original !== "32FC1") return millimetresToMetres;
  const header = new DataView(data.buffer, data.byteOffset, CONFIG_HEADER_BYTES);
  const [scale, shift] = [header.getFloat32(4, true), header.getFloat32(8, true)];
  return (sample) => (sample === 0 ? NaN : scale / (sample - shift));
}

/** image_transport's "compressed" with PNG: the millimetres themselves. */
async function plainPng(original: string, format: string, data: Uint8Array): Promise<DepthImage> {
  if (original === "32FC1" || !isPng16(data)) {
    const problem =
      original === "32FC1" ? "has lost the header that scales it" : "is not one channel of 16 bits";
    throw new Fault(
      "unsupported-encoding",
      `the depth image with format "${format}" is a PNG that ${problem}; supported are 16UC1 as PNG of 16 bits, and ` +
        "16UC1 and 32FC1 by image_transport's compressedDepth",
    );
  }
  const { width, height, samples } = await pngSamples(data, format);
  return { width, height, data: Float32Array.from(samples, millimetresToMetres) };
}

/** Metres in floats, or millimetres in 16 bits. */
async function tiffDepth(original: string, format: string, tiff: Uint8Array): Promise<DepthImage> {
  if (original !== "32FC1") {
    const { width, height, samples } = await pngSamples(tiff, format);
    return { width, height, data: Float32Array.from(samples, millimetresToMetres) };
  }
  try {
    const { data: pixels, info } = await sharp(tiff, { failOn: "error", limitInputPixels: MAX_PIXELS })
      .extractChannel(0)
      .raw({ depth: "float" })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const metres = new Float32Array(pixels.buffer, pixels.byteOffset, width * height);
    return { width, height, data: metres.map((value) => value || NaN) };
  } catch (error) {
    throw undecodable(tiff, format, error);
  }
}

interface DepthSamples {
  readonly width: number;
  readonly height: number;
  /** [height, width] */
  readonly samples: Uint16Array;
}

async function pngSamples(png: Uint8Array, format: string): Promise<DepthSamples> {
  try {
    const { data: pixels, info } = await sharp(png, { failOn: "error", limitInputPixels: MAX_PIXELS })
      .toColourspace("grey16")
      .raw({ depth: "ushort" })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    return { width, height, samples: new Uint16Array(pixels.buffer, pixels.byteOffset, width * height) };
  } catch (error) {
    throw undecodable(png, format, error);
  }
}

function undecodable(bytes: Uint8Array, format: string, error: unknown): Fault {
  const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
  return new Fault(
    "image-decoding-failed",
    `the compressed depth image of ${bytes.length} bytes with format "${format}" cannot be decoded: ${reason}`,
    { cause: error },
  );
}

function rvlSamples(payload: Uint8Array): DepthSamples {
  const size = new DataView(payload.buffer, payload.byteOffset, RVL_SIZE_BYTES);
  const [width, height] = [size.getUint32(0, true), size.getUint32(4, true)];
  if (width * height === 0 || width * height > MAX_PIXELS) {
    throw new Fault(
      "malformed-message",
      `the RVL compressed depth image has ${width}x${height} pixels; allowed are 1 to ${MAX_PIXELS}`,
    );
  }
  const samples = new Uint16Array(width * height);
  decodeRvl(payload.subarray(RVL_SIZE_BYTES), samples);
  return { width, height, samples };
}

function millimetresToMetres(sample: number): number {
  return sample === 0 ? NaN : sample * MILLIMETRE;
}
