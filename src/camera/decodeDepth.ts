import { Fault } from "../faults/Fault.js";
import type { CompressedImage, Image } from "../messages/types.js";
import { MAX_PIXELS, sharp } from "./libvips.js";
import { checkRows } from "./rawImage.js";

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

/**
 * Depth by REP 118 (16UC1 in millimetres with 0 = unknown, 32FC1 in metres), plain or by image_transport's
 * compressedDepth with PNG. Rejects with a Fault: "unsupported-encoding", "image-decoding-failed" or
 * "malformed-message".
 */
export async function decodeDepth(message: Image | CompressedImage): Promise<DepthImage> {
  return "encoding" in message ? rawDepth(message) : compressedDepth(message);
}

function rawDepth(image: Image): DepthImage {
  const { encoding, width, height, step, isBigEndian, data } = image;
  if (encoding !== "16UC1" && encoding !== "32FC1") {
    throw new Fault(
      "unsupported-encoding",
      `the depth encoding "${encoding}" is not supported; supported are 16UC1, 32FC1`,
    );
  }
  const bytes = encoding === "16UC1" ? 2 : 4;
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
  const [original, codec = ""] = format.split(";").map((part) => part.trim());
  if (!codec.startsWith("compressedDepth") || codec.endsWith("rvl")) {
    throw new Fault(
      "unsupported-encoding",
      `the compressed depth format "${format}" is not supported; supported is "16UC1 or 32FC1; compressedDepth png"`,
    );
  }
  if (data.length < CONFIG_HEADER_BYTES) {
    throw new Fault(
      "malformed-message",
      `the compressed depth image must have at least ${CONFIG_HEADER_BYTES} bytes, but has ${data.length}`,
    );
  }
  const header = new DataView(data.buffer, data.byteOffset, CONFIG_HEADER_BYTES);
  const [scale, shift] = [header.getFloat32(4, true), header.getFloat32(8, true)];
  try {
    const png = data.subarray(CONFIG_HEADER_BYTES);
    const { data: pixels, info } = await sharp(png, { failOn: "error", limitInputPixels: MAX_PIXELS })
      .toColourspace("grey16")
      .raw({ depth: "ushort" })
      .toBuffer({ resolveWithObject: true });
    const samples = new Uint16Array(pixels.buffer, pixels.byteOffset, info.width * info.height);
    // Float depth is sent as its quantized inverse, depth = scale / (sample - shift), 0 = unknown.
    const toMetres =
      original === "32FC1"
        ? (sample: number) => (sample === 0 ? NaN : scale / (sample - shift))
        : millimetresToMetres;
    return { width: info.width, height: info.height, data: Float32Array.from(samples, toMetres) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
    throw new Fault(
      "image-decoding-failed",
      `the compressed depth image of ${data.length} bytes with format "${format}" cannot be decoded: ${reason}`,
      { cause: error },
    );
  }
}

function millimetresToMetres(sample: number): number {
  return sample === 0 ? NaN : sample * MILLIMETRE;
}
