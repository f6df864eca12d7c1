import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { POINT_CLOUD2_TYPE } from "../../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../../messages/tfMessage.js";
import type { Pose } from "../../../transforms/Pose.js";
import { compose, IDENTITY, inverse } from "../../../transforms/Pose.js";
import { compressedImage } from "../dataset/compressedImage.js";
import type { DataSetRecording } from "../dataset/DataSetRecording.js";
import { inFile, listFrames, parseNumbers, readBytes, readTextIfThere } from "../dataset/dataSetFiles.js";
import { floatCloud } from "../dataset/floatCloud.js";
import { type FrameName, requireNumber, stampOf } from "../dataset/frameNames.js";
import { groundTruthInfo, withGroundTruth } from "../dataset/groundTruth.js";
import type { LearningMap } from "../dataset/LearningMap.js";
import { poseFromMatrix, poseFromRows } from "../dataset/poseFromMatrix.js";
import { SkippedFrames } from "../dataset/SkippedFrames.js";
import { CalibrationFile } from "../kitti/CalibrationFile.js";
import type { KittiCalibration, KittiCameraNumber } from "../kitti/kittiCalibration.js";
import { CAMERA_NAMES, cameraInVelodyne, opticalFrame } from "../kitti/kittiCameras.js";
import {
  BASE_FRAME,
  KITTI_CLOUD_TOPIC,
  ODOM_FRAME,
  VELODYNE_FRAME,
  VELODYNE_IN_BASE,
} from "../kitti/KittiRawDrive.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { findSequence } from "./findSequence.js";
import { parseLabelFile } from "./labelFile.js";
import { SEMANTIC_KITTI } from "./semanticKittiClasses.js";

/** times.txt counts from the first scan, and time 0 means "no time" in ROS: bags start at this day of the recordings. */
const START = BigInt(Date.UTC(2011, 8, 26)) * 1_000_000n;
/** Between scans where there is no times.txt. */
const SCAN_PERIOD = 100_000_000n;
/** The colour cameras of KITTI odometry. */
const CAMERAS: readonly KittiCameraNumber[] = ["02", "03"];
const COLUMNS = ["x", "y", "z", "intensity"];

export interface SemanticKittiOptions {
  /** Such as `08`, where the folder holds several. */
  readonly sequence?: string;
  /** Folder of the .bin files below that of the sequence; `velodyne` by default. */
  readonly scans?: string;
  /** Folder of the .label files; `labels` by default, which need not be there. */
  readonly labels?: string;
  /** Raw ids besides those of the learning map whose points are unlabeled. */
  readonly ignoredIds?: readonly number[];
}

interface SequenceParts {
  readonly folder: string;
  readonly scans: string;
  readonly frames: readonly FrameName[];
  /** Folder of the .label files; undefined where there are none. */
  readonly labels: string | undefined;
  readonly learningMap: LearningMap;
  readonly calibration: KittiCalibration | undefined;
  /** By frame number, nanoseconds; undefined without times.txt. */
  readonly times: readonly (bigint | undefined)[] | undefined;
  /** By frame number: lines of poses.txt. */
  readonly poses: readonly string[];
  readonly skipped: SkippedFrames;
}

/**
 * A sequence of SemanticKITTI (KITTI odometry with labels) as ROS messages: scans on /kitti/velo/pointcloud (x, y, z in
 * metres and intensity 0..1, float32; where there are labels `ground_truth`, uint8 ids 0..19 of the learning map),
 * image_2 and image_3 where they are there, /tf_static, and /tf (odom, which is base_link at the first scan of the
 * sequence, to base_link) from poses.txt.
 */
export class SemanticKittiSequence implements DataSetRecording {
  readonly #parts: SequenceParts;

  private constructor(parts: SequenceParts) {
    this.#parts = parts;
  }

  /**
   * @param folder of a sequence, or of the data set
   * @throws Fault `data-set-unreadable` without scans
   */
  static async open(folder: string, options: SemanticKittiOptions = {}): Promise<SemanticKittiSequence> {
    const below = options.scans ?? "velodyne";
    const sequence = await findSequence(folder, below, options.sequence);
    const scans = path.join(sequence, below);
    const frames = await listFrames(scans, ".bin");
    if (frames.length === 0) throw new Fault("data-set-unreadable", `${scans} holds no scan (.bin)`);
    const skipped = new SkippedFrames();
    return new SemanticKittiSequence({
      folder: sequence,
      scans,
      frames,
      labels: await labelFolder(sequence, options.labels),
      learningMap: SEMANTIC_KITTI.ignoring(options.ignoredIds ?? []),
      calibration: await skipped.unless(() => readCalibration(sequence, skipped)),
      times: await readTimes(sequence, frames, skipped),
      poses: (await readTextIfThere(path.join(sequence, "poses.txt")))?.trim().split("\n") ?? [],
      skipped,
    });
  }

  /** The folder of the sequence. */
  get folder(): string {
    return this.#parts.folder;
  }

  get scanCount(): number {
    return this.#parts.frames.length;
  }

  get warnings(): readonly Fault[] {
    return this.#parts.skipped.faults;
  }

  async *messages(): AsyncGenerator<RecordedMessage, void, void> {
    const { frames, folder, labels, learningMap, skipped } = this.#parts;
    const cameras = await this.#cameras();
    let started = false;
    for (const [place, frame] of frames.entries()) {
      const stamp = await skipped.unless(() => this.#stampOf(frame, place));
      if (stamp === undefined) continue;
      if (!started) {
        yield this.#staticTransforms(stamp, cameras);
        if (labels !== undefined) yield groundTruthInfo(stamp, learningMap.classNames);
        started = true;
      }
      const pose = await skipped.unless(() => this.#pose(frame, stamp));
      if (pose !== undefined) yield pose;
      for (const camera of cameras) {
        yield* (await skipped.unless(() => this.#image(camera, frame, stamp))) ?? [];
      }
      const scan = await skipped.unlessScan(() => this.#scan(frame, stamp));
      if (scan !== undefined) yield scan;
    }
    skipped.requireSome(folder);
  }

  #stampOf(frame: FrameName, place: number): bigint {
    const { times, folder, scans } = this.#parts;
    requireNumber(frame);
    if (times === undefined) return stampOf(frame, place, (n) => START + n * SCAN_PERIOD);
    const time = times[frame.number];
    if (time !== undefined) return time;
    throw new Fault(
      "data-set-unreadable",
      `${path.join(scans, `${frame.name}.bin`)} is skipped: line ${frame.number + 1} of ` +
        `${path.join(folder, "times.txt")} is missing or not a time`,
    );
  }

  async #scan({ name }: FrameName, stamp: bigint): Promise<RecordedMessage> {
    const { scans, labels, learningMap } = this.#parts;
    const header = { stamp, frameId: VELODYNE_FRAME };
    const file = path.join(scans, `${name}.bin`);
    const bytes = await readBytes(file);
    if (labels === undefined) {
      const cloud = await inFile(file, () => floatCloud(header, COLUMNS, bytes));
      return { topic: KITTI_CLOUD_TOPIC, type: POINT_CLOUD2_TYPE, stamp, message: cloud };
    }
    const labelFile = path.join(labels, `${name}.label`);
    const labelBytes = await readBytes(labelFile);
    const raw = await inFile(labelFile, () => parseLabelFile(labelBytes));
    requireLabelForEachPoint(file, bytes.byteLength, labelFile, raw.length);
    const cloud = await inFile(file, () => floatCloud(header, COLUMNS, bytes));
    const message = await inFile(labelFile, () => withGroundTruth(cloud, learningMap.apply(raw)));
    return { topic: KITTI_CLOUD_TOPIC, type: POINT_CLOUD2_TYPE, stamp, message };
  }

  /** Undefined where there are no poses; a pose of a frame is that of camera 0 in that of the first frame. */
  async #pose({ number }: FrameName, stamp: bigint): Promise<RecordedMessage | undefined> {
    const { poses, calibration, folder } = this.#parts;
    if (calibration === undefined || poses.length === 0) return undefined;
    const place = `line ${number + 1} of ${path.join(folder, "poses.txt")}`;
    const rows = parseNumbers(poses[number] ?? "");
    if (rows?.length !== 12) {
      throw new Fault(
        "data-set-unreadable",
        `${place} must be 12 numbers, it is '${poses[number] ?? ""}': the scan has no pose`,
      );
    }
    const cameraPose = await inFile(place, () => poseFromRows(rows));
    const baseInCamera = compose(calibration.velodyneToCamera0, inverse(VELODYNE_IN_BASE));
    const baseInOdom = compose(inverse(baseInCamera), compose(cameraPose, baseInCamera));
    const transform = { header: { stamp, frameId: ODOM_FRAME }, childFrameId: BASE_FRAME, ...baseInOdom };
    return { topic: "/tf", type: TF_MESSAGE_TYPE, stamp, message: { transforms: [transform] } };
  }

  async #image(
    camera: KittiCameraNumber,
    { name }: FrameName,
    stamp: bigint,
  ): Promise<readonly RecordedMessage[]> {
    const file = path.join(this.#imageFolder(camera), `${name}.png`);
    const bytes = await readBytes(file);
    const [fx, , cx, , , fy, cy] = this.#parts.calibration!.cameras.get(camera)!.projection;
    const calibrated = {
      namespace: `/kitti/${CAMERA_NAMES[camera]}`,
      intrinsics: { fx: fx!, fy: fy!, cx: cx!, cy: cy! },
    };
    return inFile(file, () => compressedImage(calibrated, { stamp, frameId: opticalFrame(camera) }, bytes));
  }

  /** Cameras with images and a calibration. */
  async #cameras(): Promise<readonly KittiCameraNumber[]> {
    const { calibration, skipped } = this.#parts;
    const cameras: KittiCameraNumber[] = [];
    for (const camera of CAMERAS) {
      const folder = this.#imageFolder(camera);
      if ((await listFrames(folder, ".png")).length === 0) continue;
      if (calibration?.cameras.has(camera)) cameras.push(camera);
      else skipped.add(`${folder} is skipped: calib.txt has no P${Number(camera)} that can be used`);
    }
    return cameras;
  }

  #imageFolder(camera: KittiCameraNumber): string {
    return path.join(this.#parts.folder, `image_${Number(camera)}`);
  }

  #staticTransforms(stamp: bigint, cameras: readonly KittiCameraNumber[]): RecordedMessage {
    const { calibration } = this.#parts;
    const entry = (parent: string, child: string, pose: Pose) => ({
      header: { stamp, frameId: parent },
      childFrameId: child,
      ...pose,
    });
    const transforms = [
      entry(BASE_FRAME, VELODYNE_FRAME, VELODYNE_IN_BASE),
      ...cameras.map((camera) =>
        entry(
          VELODYNE_FRAME,
          opticalFrame(camera),
          cameraInVelodyne(calibration!, calibration!.cameras.get(camera)!),
        ),
      ),
    ];
    return { topic: "/tf_static", type: TF_MESSAGE_TYPE, stamp, message: { transforms } };
  }
}

/** @throws Fault `data-set-unreadable` with both sizes, which tell how many columns the scan seems to have */
function requireLabelForEachPoint(scan: string, scanBytes: number, labelFile: string, labels: number): void {
  const pointBytes = 4 * COLUMNS.length;
  if (scanBytes === labels * pointBytes) return;
  const perLabel = scanBytes / labels;
  const guess =
    labels > 0 && perLabel % 4 === 0
      ? `, which would be ${perLabel / 4} columns (${perLabel} bytes a point)`
      : "";
  throw new Fault(
    "data-set-unreadable",
    `${scan} has ${scanBytes} bytes for the ${labels} labels of ${labelFile}${guess}: ` +
      `${COLUMNS.join(", ")} as float32 are ${pointBytes} bytes a point`,
  );
}

async function labelFolder(sequence: string, named: string | undefined): Promise<string | undefined> {
  const folder = path.join(sequence, named ?? "labels");
  if ((await listFrames(folder, ".label")).length > 0) return folder;
  if (named === undefined) return undefined;
  throw new Fault("data-set-unreadable", `${folder} holds no labels (.label)`);
}

/** calib.txt of KITTI odometry: P0 to P3, and Tr from the velodyne to the rectified camera 0. */
async function readCalibration(
  sequence: string,
  skipped: SkippedFrames,
): Promise<KittiCalibration | undefined> {
  const file = path.join(sequence, "calib.txt");
  const calibration = await CalibrationFile.readIfThere(file);
  if (calibration === undefined) {
    skipped.add(`${file} does not exist: the bag has no poses and no images`);
    return undefined;
  }
  const { rotation, translation } = calibration.rigid("Tr");
  return {
    velodyneToCamera0: poseFromMatrix(rotation, translation),
    rectification: IDENTITY,
    cameras: new Map(
      CAMERAS.filter((camera) => calibration.has(`P${Number(camera)}`)).map((camera) => [
        camera,
        { projection: calibration.projection(`P${Number(camera)}`) },
      ]),
    ),
  };
}

/** Seconds from the first scan, one line per frame. */
async function readTimes(
  sequence: string,
  frames: readonly FrameName[],
  skipped: SkippedFrames,
): Promise<readonly (bigint | undefined)[] | undefined> {
  const file = path.join(sequence, "times.txt");
  const text = await readTextIfThere(file);
  if (text === undefined) {
    const hasTimes = frames[0]?.time !== undefined;
    skipped.add(
      `${file} does not exist: ${hasTimes ? "the names of the scans are taken as their times" : "scans are taken as 100 ms apart"}`,
    );
    return undefined;
  }
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [seconds, ...more] = parseNumbers(line) ?? [];
      const isTime = seconds !== undefined && more.length === 0 && seconds >= 0 && seconds < 1e6;
      return isTime ? START + BigInt(Math.round(seconds * 1e9)) : undefined;
    });
}
