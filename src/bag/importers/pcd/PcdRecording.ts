import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { pointCount, POINT_CLOUD2_TYPE } from "../../../messages/pointCloud2.js";
import { findField, readColumn, readXyz } from "../../../messages/pointColumns.js";
import { TF_MESSAGE_TYPE } from "../../../messages/tfMessage.js";
import { type PointCloud2, PointFieldType } from "../../../messages/types.js";
import { compressedImage } from "../dataset/compressedImage.js";
import { inFile, listFolder, listFrames, readBytes, readJson } from "../dataset/dataSetFiles.js";
import type { DataSetRecording } from "../dataset/DataSetRecording.js";
import { type FrameName, stampOf } from "../dataset/frameNames.js";
import { groundTruthInfo, withGroundTruth } from "../dataset/groundTruth.js";
import { SkippedFrames } from "../dataset/SkippedFrames.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { type AnnotatedBox, classesByBox, parseBoxes } from "./annotatedBoxes.js";
import { parsePcd, type PcdCloud } from "./parsePcd.js";
import { findPcdCameras, type PcdCamera } from "./pcdCameras.js";

export const PCD_CLOUD_TOPIC = "/lidar/points";
export const PCD_LIDAR_FRAME = "lidar";
/** Class of points outside of all boxes. */
export const NOT_ANNOTATED = "unlabeled";

/** Where scans have no times: the start of the first frame number. */
const START = 1_000_000_000n * 1_000_000_000n;
/** Seconds since the epoch or since a device was switched on, of each point, float64. */
const TIME_FIELD = "timestamp";
/** Seconds: no scan takes as long. */
const LONGEST_SCAN = 1;

export interface PcdRecordingOptions {
  /** Nanoseconds between frame numbers, where points have no times; 100 ms by default. */
  readonly framePeriod?: bigint;
}

interface RecordingParts {
  readonly folder: string;
  /** Their images and labels have their names too. */
  readonly frames: readonly FrameName[];
  readonly cameras: readonly PcdCamera[];
  /** By frame name; frames without a label file have no entry. */
  readonly boxes: ReadonlyMap<string, readonly AnnotatedBox[]>;
  readonly framePeriod: bigint;
  readonly skipped: SkippedFrames;
}

/**
 * A folder of PCD scans with undistorted images, in the layout of SUSTechPOINTS, as ROS messages: scans on
 * /lidar/points with all fields of the file (frame lidar), /camera/<name>/image_rect_color/compressed with
 * camera_info, and /tf_static. Where there are label files of boxes (label/<frame>.json), clouds have `ground_truth`:
 * the class of the box that a point is in, 0 outside of all boxes.
 *
 * Files have no times. A scan whose points have a `timestamp` (seconds, float64) has the middle of them, others have
 * the time that their name says, or their frame number times the period; images have the time of their scan.
 */
export class PcdRecording implements DataSetRecording {
  readonly #parts: RecordingParts;
  readonly #classNames: readonly string[];
  /** Oddities of files that have been told. */
  readonly #told = new Set<string>();
  /** Where the first scan had its time from, and then all have. */
  #clock: "points" | "frames" | undefined;

  private constructor(parts: RecordingParts) {
    this.#parts = parts;
    const names = [...parts.boxes.values()].flat().map(({ className }) => className);
    this.#classNames = [NOT_ANNOTATED, ...[...new Set(names)].sort()];
  }

  /**
   * @param folder with `lidar` in it, and `camera`, `calib` or `calib.json`, and `label` where there are some
   * @throws Fault `data-set-unreadable` without scans
   */
  static async open(
    folder: string,
    { framePeriod = 100_000_000n }: PcdRecordingOptions = {},
  ): Promise<PcdRecording> {
    const frames = await listFrames(path.join(folder, "lidar"), ".pcd");
    if (frames.length === 0) {
      throw new Fault("data-set-unreadable", `${path.join(folder, "lidar")} holds no scan (.pcd)`);
    }
    const skipped = new SkippedFrames();
    const cameras = await findPcdCameras(folder, skipped);
    const boxes = await readBoxes(folder, frames, skipped);
    return new PcdRecording({ folder, frames, cameras, boxes, framePeriod, skipped });
  }

  get scanCount(): number {
    return this.#parts.frames.length;
  }

  get warnings(): readonly Fault[] {
    return this.#parts.skipped.faults;
  }

  async *messages(): AsyncGenerator<RecordedMessage, void, void> {
    const { folder, frames, cameras, boxes, skipped } = this.#parts;
    let started = false;
    for (const [place, frame] of frames.entries()) {
      const cloud = await skipped.unlessScan(() => this.#cloud(frame, place));
      if (cloud === undefined) continue;
      const { stamp } = cloud.header;
      if (!started) {
        yield this.#staticTransforms(stamp);
        if (boxes.size > 0) yield groundTruthInfo(stamp, this.#classNames);
        started = true;
      }
      for (const camera of cameras) {
        yield* (await skipped.unless(() => this.#image(camera, frame, stamp))) ?? [];
      }
      yield { topic: PCD_CLOUD_TOPIC, type: POINT_CLOUD2_TYPE, stamp, message: cloud };
    }
    skipped.requireSome(folder);
  }

  async #cloud(frame: FrameName, place: number): Promise<PointCloud2> {
    const { name } = frame;
    const { folder, boxes, framePeriod } = this.#parts;
    const file = path.join(folder, "lidar", `${name}.pcd`);
    const bytes = await readBytes(file);
    return inFile(file, () => {
      const frameStamp = stampOf(frame, place, (number) => START + number * framePeriod);
      const parsed = parsePcd({ stamp: frameStamp, frameId: PCD_LIDAR_FRAME }, bytes);
      this.#tellOddities(file, parsed);
      const { cloud } = parsed;
      const middle = middleOfTimes(cloud);
      this.#clock ??= middle === undefined ? "frames" : "points";
      if (this.#clock === "points" && middle === undefined) {
        throw new Fault("data-set-unreadable", `its ${TIME_FIELD} are missing or not those of one scan`);
      }
      const stamp = this.#clock === "points" ? middle! : frameStamp;
      const stamped = { ...cloud, header: { ...cloud.header, stamp } };
      if (boxes.size === 0) return stamped;
      return withGroundTruth(stamped, classesByBox(readXyz(cloud), boxes.get(name) ?? [], this.#classNames));
    });
  }

  /** Each is told of the first file that has it. */
  #tellOddities(file: string, { misplaced, leftOut, viewpoint }: PcdCloud): void {
    const tell = (kind: string, message: string): void => {
      if (this.#told.has(kind)) return;
      this.#told.add(kind);
      this.#parts.skipped.add(`${file}: ${message} (in all scans alike)`);
    };
    if (misplaced !== undefined) {
      tell(
        "misplaced",
        `COUNT of the header puts ${misplaced} where it is not aligned, so it and the fields after it are ` +
          "read where a C++ struct has them",
      );
    }
    for (const field of leftOut) {
      tell(
        field,
        `the field ${field} is left out, since no PointCloud2 has such numbers; the other fields are read`,
      );
    }
    if (viewpoint !== undefined) {
      tell(
        "viewpoint",
        `VIEWPOINT is ${viewpoint.join(" ")}, and is not applied: the points are taken to be in the frame of the ` +
          "scanner. If they are in another, transform them first: `pcl_transform_point_cloud`",
      );
    }
  }

  async #image(camera: PcdCamera, { name }: FrameName, stamp: bigint): Promise<readonly RecordedMessage[]> {
    const image = camera.images.get(name);
    if (image === undefined) {
      throw new Fault("data-set-unreadable", `${camera.folder} has no image of frame ${name}`);
    }
    const file = path.join(camera.folder, image);
    const bytes = await readBytes(file);
    return inFile(file, () => compressedImage(camera, { stamp, frameId: camera.frameId }, bytes));
  }

  #staticTransforms(stamp: bigint): RecordedMessage {
    const transforms = this.#parts.cameras.map(({ frameId, inLidar }) => ({
      header: { stamp, frameId: PCD_LIDAR_FRAME },
      childFrameId: frameId,
      ...inLidar,
    }));
    return { topic: "/tf_static", type: TF_MESSAGE_TYPE, stamp, message: { transforms } };
  }
}

async function readBoxes(
  folder: string,
  frames: readonly FrameName[],
  skipped: SkippedFrames,
): Promise<ReadonlyMap<string, readonly AnnotatedBox[]>> {
  const labels = path.join(folder, "label");
  const files = new Set(await listFolder(labels));
  const boxes = new Map<string, readonly AnnotatedBox[]>();
  for (const { name } of frames) {
    if (!files.has(`${name}.json`)) continue;
    const file = path.join(labels, `${name}.json`);
    const read = await skipped.unless(async () => {
      const json = await readJson(file);
      return inFile(file, () => parseBoxes(json));
    });
    if (read !== undefined) boxes.set(name, read);
  }
  return boxes;
}

/** Nanoseconds; undefined when points have no times, or times that are not those of one scan. */
function middleOfTimes(cloud: PointCloud2): bigint | undefined {
  if (findField(cloud, TIME_FIELD)?.datatype !== PointFieldType.FLOAT64) return undefined;
  const times = readColumn(cloud, TIME_FIELD, new Float64Array(pointCount(cloud)));
  let [first, last] = [Infinity, -Infinity];
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  if (!(first > 0 && last - first <= LONGEST_SCAN && last < 2 ** 31)) return undefined;
  return BigInt(Math.round(((first + last) / 2) * 1e9));
}
