export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** The encoding (sensor_msgs/image_encodings.hpp) that the samples have. */
  readonly encoding: "mono8" | "mono16" | "rgb8" | "rgb16" | "rgba8" | "rgba16";
}

const SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** signature 8, chunk length 4, "IHDR" 4, width 4, height 4, bit depth 1, colour type 1 */
const NEEDED_BYTES = 26;
/** PNG colour types (ISO/IEC 15948, 11.2.2); 3 is a palette of RGB. */
const COLOURS: Readonly<Record<number, "mono" | "rgb" | "rgba">> = {
  0: "mono",
  2: "rgb",
  3: "rgb",
  6: "rgba",
};

/** Reads the size and kind of a PNG from its first bytes; undefined when it is none, or grey with alpha. */
export function readPngHeader(bytes: Uint8Array): PngHeader | undefined {
  if (bytes.byteLength < NEEDED_BYTES || !SIGNATURE.every((byte, i) => byte === bytes[i])) return undefined;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colour = COLOURS[data.getUint8(25)];
  if (colour === undefined) return undefined;
  return {
    width: data.getUint32(16),
    height: data.getUint32(20),
    encoding: `${colour}${data.getUint8(24) === 16 ? 16 : 8}`,
  };
}
