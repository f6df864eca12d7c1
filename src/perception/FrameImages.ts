import { cameraModelFromInfo, type CameraModel } from "../camera/CameraModel.js";
import { decodeImage } from "../camera/decodeImage.js";
import type { RgbImage } from "../camera/RgbImage.js";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeCompressedImage,
  decodeImage as decodeImageMessage,
} from "../messages/image.js";
import type { FrameImage } from "./ScanFrame.js";

/** A decoded image, and how points are projected into it. */
export interface LocatedImage {
  readonly image: RgbImage;
  readonly model: CameraModel;
}

/** The images of one scan, each decoded at most once, when it is first needed. */
export class FrameImages {
  readonly all: readonly FrameImage[];
  readonly #decoded = new Map<FrameImage, Promise<RgbImage>>();
  readonly #located = new Map<FrameImage, Promise<LocatedImage>>();

  constructor(images: readonly FrameImage[]) {
    this.all = images;
  }

  /** Rejects with a Fault when the message is no image that can be read. */
  decoded(image: FrameImage): Promise<RgbImage> {
    return onceFor(this.#decoded, image, decode);
  }

  /** Rejects with a Fault also when the CameraInfo does not fit the image. */
  located(image: FrameImage): Promise<LocatedImage> {
    return onceFor(this.#located, image, async (source) => {
      const decoded = await this.decoded(source);
      const model = cameraModelFromInfo(source.info, {
        rectified: source.rectified,
        imageWidth: decoded.width,
        imageHeight: decoded.height,
      });
      return { image: decoded, model };
    });
  }
}

function onceFor<K, V>(made: Map<K, Promise<V>>, key: K, make: (key: K) => Promise<V>): Promise<V> {
  let value = made.get(key);
  if (value === undefined) {
    value = make(key);
    made.set(key, value);
  }
  return value;
}

async function decode({ type, cdr }: FrameImage): Promise<RgbImage> {
  return decodeImage(type === COMPRESSED_IMAGE_TYPE ? decodeCompressedImage(cdr) : decodeImageMessage(cdr));
}
