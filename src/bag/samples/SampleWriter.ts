import { rm } from "node:fs/promises";
import path from "node:path";
import { requireFree } from "../../files/OutputFile.js";
import { asUnwritable } from "../../files/systemError.js";
import { writeOutput } from "../../files/writeOutput.js";
import type { VisionClass } from "../../messages/types.js";
import { NpyFile } from "./NpyFile.js";
import {
  BOX_COLUMNS,
  COEFFICIENTS,
  DISTORTION_MODELS,
  encodeRow,
  POINT_FIELDS,
  SAMPLES_FORMAT,
  SAMPLES_VERSION,
  SCAN_COLUMNS,
  structuredType,
  VIEW_COLUMNS,
} from "./sampleLayout.js";
import type { Sample, SamplePictures, SampleView } from "./SampleReader.js";

/** A bag that samples are made of. */
export interface SampledBag {
  /** File or folder. */
  readonly path: string;
  readonly cloudTopics: readonly string[];
  /** Field of the clouds with class ids. */
  readonly labelField: string;
  /** What the ids mean, where the bag says it. */
  readonly classes?: readonly VisionClass[];
  /** How the bag was read: what the command was told. */
  readonly options: unknown;
}

/** Where a file lies in `pictures.npy`: first byte, and how many. */
type Place = readonly [first: number, bytes: number];
const NOWHERE: Place = [0, 0];

/** In place of a number of boxes. */
const NOT_ANNOTATED = -1;
/** The pose of a scan without one. */
const NOT_KNOWN = new Float64Array(16).fill(NaN);

interface PicturePlaces {
  readonly image: Place;
  readonly semantic: Place;
  readonly regions: Place;
}

interface Files {
  readonly points: NpyFile;
  readonly labels: NpyFile;
  readonly scans: NpyFile;
  readonly views: NpyFile;
  readonly boxes: NpyFile;
  readonly pictures: NpyFile;
}

const HEADER = "samples.json";

/**
 * Writes a sample folder, of which memory holds nothing but the scan at hand. The header is written last: a folder that has
 * one is complete.
 */
export class SampleWriter {
  readonly #folder: string;
  readonly #force: boolean;
  readonly #files: Files;
  readonly #bags: Record<string, unknown>[] = [];
  readonly #cameras: { readonly name: string; readonly image_topic: string }[] = [];
  /** Names of the boxes' classes, by their numbers. */
  readonly #boxClasses: string[] = [];
  readonly #places = new WeakMap<SamplePictures, PicturePlaces>();
  #scans = 0;
  #points = 0;
  #labelled = 0;
  #views = 0;
  #boxes = 0;
  #boxedScans = 0;
  #pictureBytes = 0;

  private constructor(folder: string, force: boolean, files: Files) {
    this.#folder = folder;
    this.#force = force;
    this.#files = files;
  }

  /**
   * Creates the folder and, as partial files, what is in it.
   * @param force replace the samples that are there
   * @throws Fault as `OutputFile.create`
   */
  static async create(folder: string, { force = false } = {}): Promise<SampleWriter> {
    const made: NpyFile[] = [];
    const file = async (name: string, descr: string, rowShape: readonly number[] = []): Promise<NpyFile> => {
      const npy = await NpyFile.create(path.join(folder, `${name}.npy`), { descr, rowShape }, { force });
      made.push(npy);
      return npy;
    };
    try {
      await asUnwritable(folder, () => requireFree(path.join(folder, HEADER), force));
      return new SampleWriter(folder, force, {
        points: await file("points", "'<f4'", [POINT_FIELDS.length]),
        labels: await file("labels", "'<u2'"),
        scans: await file("scans", structuredType(SCAN_COLUMNS)),
        views: await file("views", structuredType(VIEW_COLUMNS)),
        boxes: await file("boxes", structuredType(BOX_COLUMNS)),
        pictures: await file("pictures", "'|u1'"),
      });
    } catch (error) {
      for (const npy of made) await npy.discard();
      throw error;
    }
  }

  get scans(): number {
    return this.#scans;
  }

  /** Samples that are added from now on are of this bag. */
  beginBag({ path: file, cloudTopics, labelField, classes, options }: SampledBag): void {
    this.#bags.push({
      name: path.basename(file),
      path: path.resolve(file),
      cloud_topics: cloudTopics,
      label_field: labelField,
      ...(classes && {
        classes: classes.map(({ classId, className }) => ({ id: classId, name: className })),
      }),
      options,
    });
  }

  /**
   * @param sample of the bag that was begun last, with at least one point
   * @param pose 4x4, column-major: from its points to the bag's fixed frame; undefined where it is not known
   */
  async add(
    { stamp, frameId, points, labels, notMeasured, views, boxes }: Sample,
    pose?: Float64Array,
  ): Promise<void> {
    const { scans, points: pointFile, labels: labelFile, views: viewFile, boxes: boxFile } = this.#files;
    const count = points.length / POINT_FIELDS.length;
    const ids = labels ?? new Uint16Array(count);
    const row = {
      bag: this.#bags.length - 1,
      stamp,
      first_point: this.#points,
      points: count,
      not_measured: notMeasured,
      labelled: labels === undefined ? 0 : 1,
      first_view: this.#views,
      views: views.length,
      first_box: this.#boxes,
      boxes: boxes?.length ?? NOT_ANNOTATED,
      pose: rowByRow(pose ?? NOT_KNOWN),
    };
    (this.#bags.at(-1)!["frame"] as string | undefined) ??= frameId;
    await pointFile.append(bytesOf(points));
    await labelFile.append(bytesOf(ids));
    for (const view of views) await viewFile.append(encodeRow(VIEW_COLUMNS, await this.#viewRow(view)));
    for (const { className, points: within, center, size, yaw } of boxes ?? []) {
      const row = { class: this.#boxClass(className), points: within, center, size, yaw };
      await boxFile.append(encodeRow(BOX_COLUMNS, row));
    }
    await scans.append(encodeRow(SCAN_COLUMNS, row));
    this.#scans++;
    this.#points += count;
    this.#labelled += row.labelled;
    this.#views += views.length;
    this.#boxes += boxes?.length ?? 0;
    if (boxes !== undefined) this.#boxedScans++;
  }

  /**
   * Gives the files their names, the header last.
   * @throws Fault as `OutputFile.finish`
   */
  async close(): Promise<void> {
    const header = path.join(this.#folder, HEADER);
    // What a former header says does not hold for the new files.
    if (this.#force) await asUnwritable(header, () => rm(header, { force: true }));
    const { points, labels, scans, views, boxes, pictures } = this.#files;
    await points.finish(this.#points);
    await labels.finish(this.#points);
    await scans.finish(this.#scans);
    await views.finish(this.#views);
    await boxes.finish(this.#boxes);
    await pictures.finish(this.#pictureBytes);
    await writeOutput(header, `${JSON.stringify(this.#header(), null, 2)}\n`, { force: this.#force });
  }

  /** Gives up: nothing is left of what was written. Does nothing after `close()`. */
  async abort(): Promise<void> {
    for (const file of Object.values(this.#files) as NpyFile[]) await file.discard();
  }

  #header(): unknown {
    return {
      format: SAMPLES_FORMAT,
      version: SAMPLES_VERSION,
      fields: POINT_FIELDS,
      bags: this.#bags,
      cameras: this.#cameras,
      distortion_models: DISTORTION_MODELS,
      scans: this.#scans,
      labelled_scans: this.#labelled,
      points: this.#points,
      views: this.#views,
      box_classes: this.#boxClasses,
      boxed_scans: this.#boxedScans,
      boxes: this.#boxes,
      picture_bytes: this.#pictureBytes,
    };
  }

  async #viewRow({ camera, imageTopic, stamp, model, cloudToCamera, pictures }: SampleView) {
    const { fx, fy, cx, cy, skew, width, height, distortion, coefficients } = model;
    const places = await this.#placesOf(pictures);
    return {
      camera: this.#cameraNumber(camera, imageTopic),
      stamp,
      width,
      height,
      picture: places.image,
      semantic: places.semantic,
      regions: places.regions,
      distortion: DISTORTION_MODELS.indexOf(distortion),
      k: [fx, skew, cx, 0, fy, cy, 0, 0, 1],
      coefficients: Array.from({ length: COEFFICIENTS }, (_, i) => coefficients[i] ?? 0),
      cloud_to_camera: rowByRow(cloudToCamera),
    };
  }

  #cameraNumber(name: string, imageTopic: string): number {
    const known = this.#cameras.findIndex((camera) => camera.image_topic === imageTopic);
    return known >= 0 ? known : this.#cameras.push({ name, image_topic: imageTopic }) - 1;
  }

  #boxClass(name: string): number {
    const known = this.#boxClasses.indexOf(name);
    return known >= 0 ? known : this.#boxClasses.push(name) - 1;
  }

  /** Writes the files of an image, once. */
  async #placesOf(pictures: SamplePictures): Promise<PicturePlaces> {
    let places = this.#places.get(pictures);
    if (places === undefined) {
      places = {
        image: await this.#place(pictures.image),
        semantic: pictures.semantic === undefined ? NOWHERE : await this.#place(pictures.semantic),
        regions: pictures.regions === undefined ? NOWHERE : await this.#place(pictures.regions),
      };
      this.#places.set(pictures, places);
    }
    return places;
  }

  async #place(file: Uint8Array): Promise<Place> {
    const first = this.#pictureBytes;
    await this.#files.pictures.append(file);
    this.#pictureBytes += file.byteLength;
    return [first, file.byteLength];
  }
}

/** Of a column-major matrix. */
function rowByRow(matrix: Float64Array): number[] {
  return Array.from(matrix, (_, i) => matrix[4 * (i % 4) + Math.floor(i / 4)]!);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
