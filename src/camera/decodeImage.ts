import { Fault } from "../faults/Fault.js";
import type { CompressedImage, Image } from "../messages/types.js";
import { demosaic, type BayerPattern } from "./bayer.js";
import { IMAGE_CODECS, imageCodec } from "./imageCodec.js";
import { MAX_PIXELS, sharp } from "./libvips.js";
import { decodeRawImage } from "./rawImage.js";
import type { RgbImage } from "./RgbImage.js";
import { videoFault } from "./videoStream.js";

/**
 * The picture in a sensor_msgs/Image or CompressedImage (JPEG, PNG, TIFF or WebP). The message's bytes must not change
 * until the promise settles. Rejects with a Fault: "unsupported-encoding", "image-decoding-failed" when
 * the compressed data are damaged or cut off, "malformed-message" when sizes contradict each other.
 */
export async function decodeImage(message: Image | CompressedImage): Promise<RgbImage> {
  return "encoding" in message ? decodeRawImage(message) : decodeCompressedImage(message);
}

async function decodeCompressedImage({ format, data }: CompressedImage): Promise<RgbImage> {
  // "ORIGINAL; CODEC compressed TARGET" in image_transport; just "jpeg" in many drivers, so the bytes decide.
  const original = format.split(";")[0]!.trim();
  if (format.includes("compressedDepth") || original === "16UC1" || original === "32FC1") {
    throw new Fault(
      "unsupported-encoding",
      `the compressed image with format "${format}" is depth, not colour`,
    );
  }
  if (imageCodec(data) === undefined) throw unreadable(format, data);
  const mosaic = /^bayer_(rggb|bggr|gbrg|grbg)8$/.exec(original)?.[1] as BayerPattern | undefined;
  try {
    // "error": some cameras' JPEGs have harmless stray bytes between segments, which are only warnings.
    const input = sharp(data, { failOn: "error", limitInputPixels: MAX_PIXELS, sequentialRead: true });
    // image_transport compresses a Bayer image as the grey mosaic that it is.
    const isMosaic = mosaic !== undefined && (await input.metadata()).channels === 1;
    const output = isMosaic ? input.toColourspace("b-w") : input.removeAlpha().toColourspace("srgb");
    const { data: pixels, info } = await output.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
    if (isMosaic) return { width, height, data: demosaic(bytes, width, height, mosaic) };
    return { width, height, data: channels === 3 ? bytes : repeatChannel(bytes, channels) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
    throw new Fault(
      "image-decoding-failed",
      `the compressed image of ${data.length} bytes with format "${format}" cannot be decoded: ${reason}`,
      { cause: error },
    );
  }
}

/** Why bytes that are no still image are not read. */
function unreadable(format: string, data: Uint8Array): Fault {
  const video = videoFault({ format, data });
  if (video !== undefined) return video;
  const start = Buffer.from(data.subarray(0, 4)).toString("hex");
  return new Fault(
    "unsupported-encoding",
    `the compressed image with format "${format}" starts with the bytes ${start || "(none)"}; ` +
      `supported are ${IMAGE_CODECS.join(", ")}`,
  );
}

/** The first of `channels` as grey RGB. */
function repeatChannel(samples: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((samples.length / channels) * 3);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    rgb.fill(samples[pixel * channels]!, pixel * 3, pixel * 3 + 3);
  }
  return rgb;
}
