/** Still images that the image library reads. */
export const IMAGE_CODECS = ["JPEG", "PNG", "TIFF", "WebP"] as const;
export type ImageCodec = (typeof IMAGE_CODECS)[number];

/** Bytes at an offset that say what follows. */
const MAGIC: readonly (readonly [ImageCodec, number, readonly number[]])[] = [
  ["JPEG", 0, [0xff, 0xd8, 0xff]],
  ["PNG", 0, [0x89, 0x50, 0x4e, 0x47]],
  // "II*\0" and "MM\0*"
  ["TIFF", 0, [0x49, 0x49, 0x2a, 0x00]],
  ["TIFF", 0, [0x4d, 0x4d, 0x00, 0x2a]],
  // "RIFF", four bytes of size, "WEBP"
  ["WebP", 8, [0x57, 0x45, 0x42, 0x50]],
];

/** By the bytes, since formats are what drivers make them; undefined for anything else. */
export function imageCodec(data: Uint8Array): ImageCodec | undefined {
  return MAGIC.find(([, offset, bytes]) => bytes.every((byte, i) => data[offset + i] === byte))?.[0];
}

/** A PNG of one 16-bit channel, by its header. */
export function isPng16(data: Uint8Array): boolean {
  // Signature (8), length (4), "IHDR" (4), width (4), height (4), bit depth, colour type 0: grey
  return imageCodec(data) === "PNG" && data[24] === 16 && data[25] === 0;
}
