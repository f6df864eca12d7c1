import { mat4 } from "gl-matrix";
import type { CameraModel } from "../../camera/CameraModel.js";
import { Fault } from "../../faults/Fault.js";
import { pointCount } from "../../messages/pointCloud2.js";
import { hasField, readColumn } from "../../messages/pointColumns.js";
import { FrameImages } from "../../perception/FrameImages.js";
import { SaidOnce } from "../../perception/SaidOnce.js";
import type { FrameImage, ScanFrame } from "../../perception/ScanFrame.js";
import { ScanReader, type ScanPoints, type ScanReaderOptions } from "../../perception/ScanReader.js";
import type { BoxMessages } from "./BoxMessages.js";
import type { IdImages } from "./IdImages.js";
import { sampleBoxes, type SampleBox } from "./sampleBoxes.js";
import { POINT_FIELDS } from "./sampleLayout.js";
import { idPicture, storedPicture } from "./storedPicture.js";

const LARGEST_LABEL = 65_535;

/** The files of one image. */
export interface SamplePictures {
  /** JPEG or PNG. */
  readonly image: Uint8Array;
  /** PNG of class ids. */
  readonly semantic?: Uint8Array;
  /** PNG of region ids. */
  readonly regions?: Uint8Array;
}

/** An image, and its camera as seen from the points. */
export interface SampleView {
  readonly camera: string;
  readonly imageTopic: string;
  /** Nanoseconds, the image's own. */
  readonly stamp: bigint;
  readonly model: CameraModel;
  /** 16 doubles, column-major: from the points' frame to where the model's pinhole formulas start. */
  readonly cloudToCamera: Float64Array;
  /** The same object for every scan that uses the image. */
  readonly pictures: SamplePictures;
}

/** A scan as training takes it: what the model of `ditr run` would be given, for any model. */
export interface Sample {
  /** Nanoseconds. */
  readonly stamp: bigint;
  /** Of the points. */
  readonly frameId: string;
  /** [M, 4] x, y, z in metres and intensity 0..1 of the points that were measured, in the scan's order. */
  readonly points: Float32Array;
  /** [M] class ids; absent when no source has the label field. */
  readonly labels?: Uint16Array;
  /** True boxes; absent when the scan has none that can be read. */
  readonly boxes?: readonly SampleBox[];
  /** Points that were left out: no returns, and those that are not finite. */
  readonly notMeasured: number;
  readonly views: readonly SampleView[];
  /** What was left out or made up. */
  readonly faults: readonly Fault[];
}

export interface SampleReaderOptions extends Omit<ScanReaderOptions, "withIntensity"> {
  /** Field of the clouds with class ids. */
  readonly labelField: string;
  readonly semantic: IdImages;
  readonly regions: IdImages;
  /** Absent when the bag has no boxes. */
  readonly boxes?: BoxMessages;
}

/** Makes samples of the scans of one bag, by the code that makes the model's input of them. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #scans: ScanReader;
  readonly #said = new SaidOnce();
  /** By message: a later scan may use the same image. */
  readonly #pictures = new WeakMap<Uint8Array, SamplePictures>();

  constructor(options: SampleReaderOptions) {
    this.#options = options;
    this.#scans = new ScanReader({ ...options, withIntensity: true });
  }

  /** Call for one scan after the other. Throws a Fault when the scan cannot be used; an image that cannot is left out. */
  async read(frame: ScanFrame): Promise<Sample> {
    const images = new FrameImages(frame.images);
    const scan = await this.#scans.read(frame, images);
    const { points, kept } = measuredPoints(scan);
    const labels = this.#labels(scan);
    const { views, faults } = await this.#views(images);
    const boxes = await this.#boxes(scan, frame, faults);
    return {
      stamp: frame.stamp,
      frameId: scan.cloud.header.frameId,
      points,
      ...(labels && { labels: Uint16Array.from(kept, (point) => labels[point]!) }),
      ...(boxes && { boxes }),
      notMeasured: scan.xyz.length / 3 - kept.length,
      views,
      faults: [...scan.faults, ...faults],
    };
  }

  #labels({ parts, xyz }: ScanPoints): Uint16Array | undefined {
    const { labelField } = this.#options;
    if (!parts.some(({ cloud }) => hasField(cloud, labelField))) return undefined;
    const labels = new Uint16Array(xyz.length / 3);
    let first = 0;
    for (const { cloud } of parts) {
      const count = pointCount(cloud);
      if (hasField(cloud, labelField)) {
        const ids = readColumn(cloud, labelField, new Int32Array(count));
        const strange = ids.find((id) => id < 0 || id > LARGEST_LABEL);
        if (strange !== undefined) {
          throw new Fault(
            "malformed-message",
            `the class id ${strange} in the field "${labelField}" is not a whole number from 0 to ${LARGEST_LABEL}`,
          );
        }
        labels.set(ids, first);
      }
      first += count;
    }
    return labels;
  }

  /** A scan without them is used all the same. */
  async #boxes(scan: ScanPoints, frame: ScanFrame, faults: Fault[]): Promise<SampleBox[] | undefined> {
    const { boxes } = this.#options;
    if (boxes === undefined) return undefined;
    try {
      const message = await boxes.of(frame.stamp);
      return message && sampleBoxes(message, scan, frame);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(error.at({ topic: boxes.topic, stamp: frame.stamp }));
      return undefined;
    }
  }

  async #views(images: FrameImages): Promise<{ views: SampleView[]; faults: Fault[] }> {
    const views: SampleView[] = [];
    const faults: Fault[] = [];
    for (const source of images.all) {
      try {
        views.push(await this.#view(source, images, faults));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(error.at({ topic: source.topic, stamp: source.stamp }));
      }
      faults.push(...this.#said.faults(source.topic, images.oddities(source)));
    }
    return { views, faults };
  }

  async #view(source: FrameImage, images: FrameImages, faults: Fault[]): Promise<SampleView> {
    const { image, model } = await images.located(source);
    let pictures = this.#pictures.get(source.cdr);
    if (pictures === undefined) {
      const semantic = await this.#ids(this.#options.semantic, source, image, faults);
      const regions = await this.#ids(this.#options.regions, source, image, faults);
      pictures = {
        image: await storedPicture(source, image),
        ...(semantic && { semantic }),
        ...(regions && { regions }),
      };
      this.#pictures.set(source.cdr, pictures);
    }
    const cloudToCamera = new Float64Array(16);
    mat4.multiply(cloudToCamera, model.fromOptical, source.cloudToCamera);
    const { camera, topic, stamp } = source;
    return { camera, imageTopic: topic, stamp, model, cloudToCamera, pictures };
  }

  /** An image without them is used all the same. */
  async #ids(
    ids: IdImages,
    { topic, stamp }: FrameImage,
    size: { readonly width: number; readonly height: number },
    faults: Fault[],
  ): Promise<Uint8Array | undefined> {
    try {
      const found = await ids.of(topic, stamp, size);
      return found && (await idPicture(found, size.width, size.height));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(error);
      return undefined;
    }
  }
}

/** Points with finite coordinates, and which they are. */
function measuredPoints({ xyz, intensity }: ScanPoints): { points: Float32Array; kept: Uint32Array } {
  const indices = new Uint32Array(xyz.length / 3);
  let count = 0;
  for (let point = 0; point < indices.length; point++) {
    const at = 3 * point;
    if (Number.isFinite(xyz[at]! + xyz[at + 1]! + xyz[at + 2]!)) indices[count++] = point;
  }
  const kept = indices.slice(0, count);
  const points = new Float32Array(POINT_FIELDS.length * count);
  for (let row = 0, to = 0; row < count; row++, to += POINT_FIELDS.length) {
    const from = 3 * kept[row]!;
    points[to] = xyz[from]!;
    points[to + 1] = xyz[from + 1]!;
    points[to + 2] = xyz[from + 2]!;
    points[to + 3] = intensity![kept[row]!]!;
  }
  return { points, kept };
}
