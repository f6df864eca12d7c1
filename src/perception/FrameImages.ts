import { decodeImage } from "../camera/decodeImage.js";
import type { RgbImage } from "../camera/RgbImage.js";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeCompressedImage,
  decodeImage as decodeImageMessage,
} from "../messages/image.js";
import type { FrameImage } from "./ScanFrame.js";

/** The images of one scan, each decoded at most once, when it is first needed. */
export class FrameImages {
  readonly all: readonly FrameImage[];
  readonly #decoded = new Map<FrameImage, Promise<RgbImage>>();

  constructor(images: readonly FrameImage[]) {
    this.all = images;
  }

  /** Rejects with a Fault when the message is no image that can be read. */
  decoded(image: FrameImage): Promise<RgbImage> {
    let decoded = this.#decoded.get(image);
    if (decoded === undefined) {
      decoded = decode(image);
      this.#decoded.set(image, decoded);
    }
    return decoded;
  }
}

async function decode({ type, cdr }: FrameImage): Promise<RgbImage> {
  return decodeImage(type === COMPRESSED_IMAGE_TYPE ? decodeCompressedImage(cdr) : decodeImageMessage(cdr));
}
