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
  /** Sentences about fields that were not believed, by image. */
  readonly #oddities = new Map<FrameImage, string[]>();

  constructor(images: readonly FrameImage[]) {
    this.all = images;
  }

  /** Rejects with a Fault when the message is no image that can be read. */
  decoded(image: FrameImage): Promise<RgbImage> {
    return onceFor(this.#decoded, image, async (source) => {
      const { type, cdr } = source;
      if (type === COMPRESSED_IMAGE_TYPE) return decodeImage(decodeCompressedImage(cdr));
      const message = decodeImageMessage(cdr);
      this.#note(source, message.oddities);
      return decodeImage(message);
    });
  }

  /** What of the message and its CameraInfo was not believed, as far as they were read by now. */
  oddities(image: FrameImage): readonly string[] {
    return this.#oddities.get(image) ?? [];
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
      this.#note(source, model.oddities);
      return { image: decoded, model };
    });
  }

  #note(image: FrameImage, oddities: readonly string[] = []): void {
    if (oddities.length > 0) this.#oddities.set(image, [...this.oddities(image), ...oddities]);
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
