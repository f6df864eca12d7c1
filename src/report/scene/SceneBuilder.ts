import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import { GROUND_TRUTH_FIELD } from "../../bag/importers/dataset/groundTruth.js";
import type { LabelComparison } from "../../evaluation/labelComparison.js";
import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { pointCount } from "../../messages/pointCloud2.js";
import { hasField, readColumn } from "../../messages/pointColumns.js";
import type { PointCloud2 } from "../../messages/types.js";
import type { ScanFrame } from "../../perception/ScanFrame.js";
import { packScan } from "../../scene/packedScan.js";
import type { SceneBox, SceneIndex, SceneLabelling, SceneScan } from "../../scene/SceneIndex.js";
import type { PaintedClass } from "../paintedClasses.js";
import { scanExtent } from "../scanExtent.js";
import { choosePoints } from "./choosePoints.js";
import { quantizePositions } from "./quantize.js";
import { SceneClasses } from "./SceneClasses.js";
import { SceneFields } from "./SceneFields.js";
import { SceneImages } from "./SceneImages.js";
import { SceneTruthRecorder } from "./SceneTruthRecorder.js";

const deflate = promisify(deflateRaw);

export interface SceneBuilderOptions {
  /** Ids and names of the classes of the labels. */
  readonly classNames: Iterable<readonly [id: number, name: string]>;
  /** At most this many points of each scan. */
  readonly points: number;
  /** Pixels of the widest image. */
  readonly imageWidth: number;
  /** How labels are compared with truth, where that is possible. */
  readonly comparison?: LabelComparison;
}

/** A labelled scan with all that a page shows of it. */
export interface SceneScanInput {
  /** In the bag, from 1. */
  readonly number: number;
  /** Nanoseconds. */
  readonly stamp: bigint;
  readonly frameId: string;
  readonly cloud: PointCloud2;
  /** [N, 3] metres. */
  readonly xyz: Float32Array;
  /** [N] class ids. */
  readonly labels: Uint32Array;
  /** The classes of its points. */
  readonly classes: readonly PaintedClass[];
  readonly frame: Pick<ScanFrame, "images" | "missing">;
  readonly boxes: readonly SceneBox[];
  readonly pose?: Float64Array;
  readonly labelling?: SceneLabelling;
}

/** What only the whole page knows. */
export type SceneHead = Omit<
  SceneIndex,
  "formatVersion" | "frameId" | "classes" | "fields" | "cameras" | "scans" | "range" | "ground" | "truth"
>;

/** A scene as it goes into a page. */
export interface Scene {
  readonly index: SceneIndex;
  /** Of each scan of the index, raw deflate. */
  readonly scans: readonly Uint8Array[];
  /** Files by number. */
  readonly images: readonly Uint8Array[];
}

/** Takes labelled scans, one after the other, and keeps of each what a page shows. */
export class SceneBuilder {
  readonly #options: SceneBuilderOptions;
  readonly #faults: FaultLog;
  readonly #classes: SceneClasses;
  readonly #fields = new SceneFields();
  readonly #images: SceneImages;
  readonly #truth: SceneTruthRecorder | undefined;
  readonly #scans: SceneScan[] = [];
  readonly #packed: Uint8Array[] = [];
  readonly #files: Uint8Array[] = [];
  #first: Pick<SceneScanInput, "stamp" | "frameId"> & { range: number; ground: number } = {
    stamp: 0n,
    frameId: "",
    ...scanExtent(new Float32Array()),
  };

  /** `faults`: where images that cannot be shown are recorded. */
  constructor(options: SceneBuilderOptions, faults: FaultLog) {
    this.#options = options;
    this.#faults = faults;
    this.#classes = new SceneClasses(options.classNames);
    this.#images = new SceneImages(options.imageWidth);
    this.#truth = options.comparison && new SceneTruthRecorder(options.comparison);
  }

  async add(input: SceneScanInput): Promise<void> {
    const { cloud, xyz, labels, stamp, labelling, frame } = input;
    if (this.#scans.length === 0) this.#first = { stamp, frameId: input.frameId, ...scanExtent(xyz) };
    this.#classes.learn(input.classes);
    const { kept, notFinite, noReturns, far } = choosePoints(xyz, this.#options.points);
    const { positions, origin, step } = quantizePositions(xyz, kept);
    const slots = Uint8Array.from(labels, (id) => this.#classes.slotOf(id));
    const fields = this.#fields.columns(cloud, kept);
    const truth = this.#truthOf(cloud, labels, labelling?.mode);
    const { images, sightings, files, faults } = await this.#images.of(frame.images, xyz, kept, input.boxes);
    for (const [image, file] of files) this.#files[image] = file;
    for (const fault of faults) this.#faults.record(fault);
    const packed = packScan({
      positions,
      labels: chosen(slots, kept),
      ...(truth && { truth: chosen(truth.slots, kept) }),
      fields: fields.values,
      sightings,
    });
    this.#packed.push(await deflate(packed, { level: 7 }));
    this.#scans.push({
      number: input.number,
      stamp: stamp.toString(),
      seconds: Number(stamp - this.#first.stamp) / 1e9,
      total: labels.length,
      notFinite,
      noReturns,
      far,
      points: kept.length,
      layout: {
        origin,
        step,
        fields: fields.ranges,
        hasTruth: truth !== undefined,
        sightings: sightings.map(({ points }) => points.length),
      },
      counts: countSlots(slots, this.#classes.count),
      ...(truth && { right: truth.right, judged: truth.judged }),
      images,
      missing: frame.missing.map(({ camera, reason }) => ({
        camera: this.#images.cameraNumber(camera),
        reason,
      })),
      boxes: input.boxes,
      ...(input.pose && { pose: [...input.pose] }),
      ...(labelling && { labelled: labelling }),
      events: faults.map(({ message }) => message),
    });
  }

  get scanCount(): number {
    return this.#scans.length;
  }

  finish(head: SceneHead): Scene {
    const { frameId, range, ground } = this.#first;
    const truth = this.#truth?.result();
    const leftOut = this.#fields.leftOut;
    const notes = leftOut.length === 0 ? [] : [`Fields that are not in the page: ${leftOut.join(", ")}.`];
    const index: SceneIndex = {
      formatVersion: 1,
      ...head,
      notes: [...head.notes, ...notes],
      frameId,
      range,
      ground,
      classes: this.#classes.all(),
      fields: this.#fields.all(),
      cameras: this.#images.cameras,
      scans: this.#scans,
      ...(truth && { truth }),
    };
    return { index, scans: this.#packed, images: this.#files };
  }

  #truthOf(cloud: PointCloud2, labels: Uint32Array, mode: string | undefined) {
    if (this.#truth === undefined || !hasField(cloud, GROUND_TRUTH_FIELD)) return undefined;
    const truth = readColumn(cloud, GROUND_TRUTH_FIELD, new Uint32Array(pointCount(cloud)));
    try {
      return this.#truth.add(labels, truth, mode, this.#classes);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#faults.record(error);
      return undefined;
    }
  }
}

function chosen(values: Uint8Array, kept: Uint32Array): Uint8Array {
  return Uint8Array.from(kept, (point) => values[point]!);
}

function countSlots(slots: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const slot of slots) if (slot < classes) counts[slot] = counts[slot]! + 1;
  return counts;
}
