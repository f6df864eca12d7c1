import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { NO_NUMBER } from "../dataset/frameNames.js";
import { listFrames } from "../dataset/dataSetFiles.js";
import type { KittiCalibration, KittiCameraNumber } from "./kittiCalibration.js";
import { KITTI_CAMERAS } from "./kittiCalibration.js";
import { readKittiTimestamps } from "./kittiTimestamps.js";

/** A folder of a drive. */
export type KittiSensor = "velodyne_points" | `image_${KittiCameraNumber}` | "oxts";

export interface KittiFrame {
  readonly sensor: KittiSensor;
  readonly file: string;
  /** Nanoseconds. */
  readonly stamp: bigint;
}

export interface KittiFrames {
  /** In the order of their stamps. */
  readonly frames: readonly KittiFrame[];
  /** Those that have frames and a calibration. */
  readonly cameras: readonly KittiCameraNumber[];
  /** Some scans have no time and are not among the frames. */
  readonly mayLackScans: boolean;
  readonly warnings: readonly Fault[];
}

/**
 * Lists what a drive recorded, file by file.
 * @throws Fault `data-set-unreadable` when there is no scan with a time
 */
export async function findKittiFrames(drive: string, calibration: KittiCalibration): Promise<KittiFrames> {
  const warnings: Fault[] = [];
  const frames = await sensorFrames(drive, "velodyne_points", ".bin", warnings);
  if (frames.length === 0) {
    throw new Fault(
      "data-set-unreadable",
      `${path.join(drive, "velodyne_points", "data")} holds no scan (.bin) with a time`,
    );
  }
  const mayLackScans = warnings.length > 0;
  const cameras: KittiCameraNumber[] = [];
  for (const camera of KITTI_CAMERAS) {
    const images = await sensorFrames(drive, `image_${camera}`, ".png", warnings);
    if (images.length === 0) continue;
    if (calibration.cameras.has(camera)) {
      cameras.push(camera);
      frames.push(...images);
    } else {
      warnings.push(
        new Fault(
          "data-set-unreadable",
          `image_${camera} is skipped: calib_cam_to_cam.txt has no P_rect_${camera}`,
        ),
      );
    }
  }
  const oxts = await sensorFrames(drive, "oxts", ".txt", warnings);
  if (calibration.imuToVelodyne !== undefined) frames.push(...oxts);
  else if (oxts.length > 0) {
    warnings.push(
      new Fault("data-set-unreadable", "oxts is skipped, and with it /tf: there is no calib_imu_to_velo.txt"),
    );
  }
  return { frames: frames.sort(byStamp), cameras, mayLackScans, warnings };
}

/** The frames of a sensor that have both a file and a time; none when the sensor is not there. */
async function sensorFrames(
  drive: string,
  sensor: KittiSensor,
  extension: string,
  warnings: Fault[],
): Promise<KittiFrame[]> {
  const folder = path.join(drive, sensor);
  const data = path.join(folder, "data");
  const warn = (message: string): void => {
    warnings.push(new Fault("data-set-unreadable", message));
  };
  const names = await listFrames(data, extension);
  if (names.length === 0) return [];
  const stamps = await sensorStamps(folder);
  if (stamps.length !== names.length) {
    warn(`${folder} has ${names.length} frames and ${stamps.length} times: only frames with both are read`);
  }
  return names.flatMap(({ name, number }) => {
    const file = path.join(data, `${name}${extension}`);
    const stamp = stamps[number];
    if (stamp !== undefined) return [{ sensor, file, stamp }];
    warn(
      number === NO_NUMBER
        ? `${file} is skipped: it is not named as the other frames are`
        : `${file} is skipped: line ${number + 1} of ${path.join(folder, "timestamps.txt")} is missing or not a time`,
    );
    return [];
  });
}

/** timestamps.txt, or the middle of each turn where there are only its start and end. */
async function sensorStamps(folder: string): Promise<readonly (bigint | undefined)[]> {
  const stamps = await readKittiTimestamps(path.join(folder, "timestamps.txt"));
  if (stamps !== undefined) return stamps;
  const start = await readKittiTimestamps(path.join(folder, "timestamps_start.txt"));
  const end = await readKittiTimestamps(path.join(folder, "timestamps_end.txt"));
  if (start === undefined || end === undefined) {
    throw new Fault("data-set-unreadable", `${path.join(folder, "timestamps.txt")} does not exist`);
  }
  return start.map((from, i) => {
    const to = end[i];
    return from === undefined || to === undefined ? undefined : (from + to) / 2n;
  });
}

/** Transforms and images before the scan of the same time. */
const SENSOR_ORDER: readonly string[] = [
  "oxts",
  ...KITTI_CAMERAS.map((camera) => `image_${camera}`),
  "velodyne_points",
];

function byStamp(a: KittiFrame, b: KittiFrame): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1;
  return SENSOR_ORDER.indexOf(a.sensor) - SENSOR_ORDER.indexOf(b.sensor);
}
