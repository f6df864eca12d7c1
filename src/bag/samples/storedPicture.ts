import { imageCodec } from "../../camera/imageCodec.js";
import { sharp } from "../../camera/libvips.js";
import type { RgbImage } from "../../camera/RgbImage.js";
import { COMPRESSED_IMAGE_TYPE, decodeCompressedImage } from "../../messages/image.js";

/**
 * A camera's image as a file that every decoder reads as the same colours: a JPEG or PNG as it came where it holds 8-bit
 * grey or RGB and no colour profile, otherwise a PNG of what was decoded.
 *
 * @param message sensor_msgs/msg/Image or CompressedImage
 * @param decoded the image in it
 */
export async function storedPicture(
  { type, cdr }: { readonly type: string; readonly cdr: Uint8Array },
  decoded: RgbImage,
): Promise<Uint8Array> {
  if (type === COMPRESSED_IMAGE_TYPE) {
    const { data, format } = decodeCompressedImage(cdr);
    if (await isPlain(data, format)) return data;
  }
  const { width, height, data } = decoded;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 3 })
    .toBuffer();
}

async function isPlain(data: Uint8Array, format: string): Promise<boolean> {
  const codec = imageCodec(data);
  // A grey picture may be the mosaic of a colour image.
  if ((codec !== "JPEG" && codec !== "PNG") || format.startsWith("bayer_")) return false;
  const { channels, depth, hasProfile, space } = await sharp(data).metadata();
  return (
    depth === "uchar" &&
    !hasProfile &&
    ((channels === 3 && space === "srgb") || (channels === 1 && space === "b-w"))
  );
}

/** Ids [height, width] as a grey PNG of 8 bits where they fit, else of 16. */
export async function idPicture(ids: Uint16Array, width: number, height: number): Promise<Uint8Array> {
  const isByte = ids.every((id) => id <= 255);
  const raw = { width, height, channels: 1 } as const;
  return isByte
    ? sharp(Uint8Array.from(ids), { raw }).toColourspace("b-w").png().toBuffer()
    : sharp(ids, { raw }).toColourspace("grey16").png().toBuffer();
}
