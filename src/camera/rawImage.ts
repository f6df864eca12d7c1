import { Fault } from "../faults/Fault.js";
import type { Image } from "../messages/types.js";
import { demosaic, type BayerPattern } from "./bayer.js";
import { MAX_PIXELS } from "./libvips.js";
import type { RgbImage } from "./RgbImage.js";
import { nv21ToRgb, nv24ToRgb, packedYuvToRgb, UYVY, YUYV } from "./yuv.js";

interface RawEncoding {
  /** Bytes of a row of pixels without padding. */
  readonly rowBytes: (width: number) => number;
  /** Rows of `step` bytes; the height unless planes follow. */
  readonly rows?: (height: number) => number;
  readonly toRgb: (image: Image) => Uint8Array;
}

/** Channels one after the other: which of them are red, green and blue, and bytes per channel. */
function interleaved(
  channels: number,
  [red, green, blue]: readonly [number, number, number],
  bytes: 1 | 2,
): RawEncoding {
  return {
    rowBytes: (width) => width * channels * bytes,
    toRgb: ({ data, width, height, step, isBigEndian }) => {
      const rgb = new Uint8Array(width * height * 3);
      // Of 16 bits the upper 8 are kept.
      const upper = bytes === 2 && !isBigEndian ? 1 : 0;
      const [redByte, greenByte, blueByte] = [red, green, blue].map((channel) => channel * bytes + upper) as [
        number,
        number,
        number,
      ];
      let out = 0;
      for (let y = 0; y < height; y++) {
        let at = y * step;
        for (let x = 0; x < width; x++, at += channels * bytes) {
          rgb[out++] = data[at + redByte]!;
          rgb[out++] = data[at + greenByte]!;
          rgb[out++] = data[at + blueByte]!;
        }
      }
      return rgb;
    },
  };
}

function bayer(pattern: BayerPattern, bytes: 1 | 2): RawEncoding {
  return {
    rowBytes: (width) => width * bytes,
    toRgb: (image) => demosaic(upperBytes(image, bytes), image.width, image.height, pattern),
  };
}

/** One sample of 8 bits per pixel, without row padding. */
function upperBytes({ data, width, height, step, isBigEndian }: Image, bytes: 1 | 2): Uint8Array {
  const samples = new Uint8Array(width * height);
  const upper = bytes === 2 && !isBigEndian ? 1 : 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) samples[y * width + x] = data[y * step + x * bytes + upper]!;
  }
  return samples;
}

const pairs = (width: number) => Math.ceil(width / 2) * 4;
const UYVY_ENCODING: RawEncoding = { rowBytes: pairs, toRgb: (image) => packedYuvToRgb(image, UYVY) };
const YUYV_ENCODING: RawEncoding = { rowBytes: pairs, toRgb: (image) => packedYuvToRgb(image, YUYV) };

/** The colour encodings of sensor_msgs/image_encodings.hpp that are read; yuv422 and yuv422_yuy2 are old names. */
const ENCODINGS: ReadonlyMap<string, RawEncoding> = new Map([
  ["rgb8", interleaved(3, [0, 1, 2], 1)],
  ["bgr8", interleaved(3, [2, 1, 0], 1)],
  ["rgba8", interleaved(4, [0, 1, 2], 1)],
  ["bgra8", interleaved(4, [2, 1, 0], 1)],
  ["mono8", interleaved(1, [0, 0, 0], 1)],
  ["8UC1", interleaved(1, [0, 0, 0], 1)],
  ["rgb16", interleaved(3, [0, 1, 2], 2)],
  ["bgr16", interleaved(3, [2, 1, 0], 2)],
  ["rgba16", interleaved(4, [0, 1, 2], 2)],
  ["bgra16", interleaved(4, [2, 1, 0], 2)],
  ["mono16", interleaved(1, [0, 0, 0], 2)],
  ...(["rggb", "bggr", "gbrg", "grbg"] as const).flatMap((pattern): [string, RawEncoding][] => [
    [`bayer_${pattern}8`, bayer(pattern, 1)],
    [`bayer_${pattern}16`, bayer(pattern, 2)],
  ]),
  ["uyvy", UYVY_ENCODING],
  ["yuv422", UYVY_ENCODING],
  ["yuyv", YUYV_ENCODING],
  ["yuv422_yuy2", YUYV_ENCODING],
  ["nv21", { rowBytes: (width) => width + (width % 2), rows: (h) => h + Math.ceil(h / 2), toRgb: nv21ToRgb }],
  ["nv24", { rowBytes: (width) => width, rows: (height) => height * 3, toRgb: nv24ToRgb }],
]);

/**
 * An uncompressed image as RGB; always a copy. Throws a Fault: "unsupported-encoding", or "malformed-message"
 * when sizes contradict each other.
 */
export function decodeRawImage(image: Image): RgbImage {
  const encoding = ENCODINGS.get(image.encoding);
  if (encoding === undefined) {
    const depth =
      image.encoding === "16UC1" || image.encoding === "32FC1" ? " (that is depth, not colour)" : "";
    throw new Fault(
      "unsupported-encoding",
      `the image encoding "${image.encoding}" is not supported${depth}; ` +
        `supported are ${[...ENCODINGS.keys()].join(", ")}`,
    );
  }
  const smallest = image.encoding.startsWith("bayer_") ? 2 : 1;
  checkRows(image, encoding.rowBytes(image.width), encoding.rows?.(image.height) ?? image.height, smallest);
  return { width: image.width, height: image.height, data: encoding.toRgb(image) };
}

/** Throws a "malformed-message" Fault unless `rows` rows of at least `rowBytes` bytes every `step` are there. */
export function checkRows(
  { width, height, step, encoding, data }: Image,
  rowBytes: number,
  rows: number,
  smallest = 1,
): void {
  if (width < smallest || height < smallest || width * height > MAX_PIXELS) {
    throw new Fault(
      "malformed-message",
      `the ${encoding} image has ${width}x${height} pixels; ` +
        `${smallest}x${smallest} to ${MAX_PIXELS / 1e6} million are allowed`,
    );
  }
  if (step < rowBytes) {
    throw new Fault(
      "malformed-message",
      `step of the ${encoding} image of ${width}x${height} pixels must be at least ${rowBytes} bytes, but is ${step}`,
    );
  }
  const needed = step * (rows - 1) + rowBytes;
  if (data.length < needed) {
    throw new Fault(
      "malformed-message",
      `data of the ${encoding} image of ${width}x${height} pixels with step ${step} must have ` +
        `at least ${needed} bytes, but has ${data.length}`,
    );
  }
}
