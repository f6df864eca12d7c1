import { decodeDepth } from "../../camera/decodeDepth.js";
import { decodeImage as decodePicture } from "../../camera/decodeImage.js";
import { Fault } from "../../faults/Fault.js";
import { COMPRESSED_IMAGE_TYPE, decodeCompressedImage, decodeImage } from "../../messages/image.js";
import type { CompressedImage, Image } from "../../messages/types.js";
import type { BagReader } from "../types.js";
import type { ImageSize, ImageSummary } from "./BagSummary.js";
import { isDepth } from "./imageRoles.js";

/** Pictures that are decoded at the start of a topic: cameras begin with a damaged one, or one of another size. */
const PICTURES = 3;
/** Pictures that are tried until one can be decoded. */
const ATTEMPTS = 20;

/** What the first pictures of a topic are. */
export type Pictures = Pick<ImageSummary, "sizes" | "unreadable">;

export async function probePictures(
  reader: BagReader,
  { topic, type }: { readonly topic: string; readonly type: string },
): Promise<Pictures> {
  const sizes: ImageSize[] = [];
  let unreadable: Fault | undefined;
  let tried = 0;
  for await (const { data, logTime, type: messageType } of reader.messages({ topics: [topic] })) {
    if (messageType !== type) continue;
    tried++;
    try {
      const { width, height } = await decodeAny(decodeImageMessage(type, data));
      if (!sizes.some((size) => size[0] === width && size[1] === height)) sizes.push([width, height]);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      unreadable ??= error.at({ topic, logTime });
    }
    if (tried >= (sizes.length > 0 ? PICTURES : ATTEMPTS)) break;
  }
  return { sizes, ...(sizes.length === 0 && unreadable && { unreadable }) };
}

/** @param type of the two image types */
export function decodeImageMessage(type: string, cdr: Uint8Array<ArrayBuffer>): Image | CompressedImage {
  return type === COMPRESSED_IMAGE_TYPE ? decodeCompressedImage(cdr) : decodeImage(cdr);
}

/** `encoding` of an Image, `format` of a CompressedImage. */
export function encodingOf(message: Image | CompressedImage): string {
  return "encoding" in message ? message.encoding : message.format;
}

async function decodeAny(message: Image | CompressedImage): Promise<{ width: number; height: number }> {
  const encoding = encodingOf(message);
  // 16 bits of grey can be either, and are read as both.
  return isDepth({ encoding }) && encoding !== "mono16" ? decodeDepth(message) : decodePicture(message);
}
