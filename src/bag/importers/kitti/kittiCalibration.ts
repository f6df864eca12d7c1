import path from "node:path";
import type { Pose } from "../../../transforms/Pose.js";
import { poseFromMatrix } from "../dataset/poseFromMatrix.js";
import { CalibrationFile } from "./CalibrationFile.js";

export const KITTI_CAMERAS = ["00", "01", "02", "03"] as const;
export type KittiCameraNumber = (typeof KITTI_CAMERAS)[number];

export interface KittiCameraCalibration {
  /** P_rect: 3x4, row-major; projects points of the rectified frame of camera 00. */
  readonly projection: readonly number[];
  /** S_rect: width and height of the rectified images in pixels. */
  readonly size?: readonly [width: number, height: number];
}

/** Geiger et al., "Vision meets Robotics: The KITTI Dataset", IJRR 2013, section III. */
export interface KittiCalibration {
  /** Maps velodyne coordinates to those of camera 00, not rectified. */
  readonly velodyneToCamera0: Pose;
  /** R_rect_00: maps camera 00 to its rectified frame. */
  readonly rectification: Pose;
  readonly cameras: ReadonlyMap<KittiCameraNumber, KittiCameraCalibration>;
  /** Maps IMU coordinates to velodyne coordinates. */
  readonly imuToVelodyne?: Pose;
}

/**
 * Reads calib_velo_to_cam.txt, calib_cam_to_cam.txt and, when there, calib_imu_to_velo.txt.
 * @param folder the folder of a day, such as `2011_09_26`
 * @throws Fault `data-set-unreadable` that names the file and the entry
 */
export async function readKittiCalibration(folder: string): Promise<KittiCalibration> {
  const velodyne = await CalibrationFile.read(path.join(folder, "calib_velo_to_cam.txt"));
  const cameras = await CalibrationFile.read(path.join(folder, "calib_cam_to_cam.txt"));
  const imu = await CalibrationFile.readIfThere(path.join(folder, "calib_imu_to_velo.txt"));
  return {
    velodyneToCamera0: poseOf(velodyne),
    rectification: poseFromMatrix(cameras.rotation("R_rect_00"), [0, 0, 0]),
    cameras: new Map(
      KITTI_CAMERAS.filter((camera) => cameras.has(`P_rect_${camera}`)).map((camera) => [
        camera,
        cameraOf(cameras, camera),
      ]),
    ),
    ...(imu && { imuToVelodyne: poseOf(imu) }),
  };
}

function poseOf(file: CalibrationFile): Pose {
  return poseFromMatrix(file.rotation("R"), file.numbers("T", 3));
}

function cameraOf(file: CalibrationFile, camera: KittiCameraNumber): KittiCameraCalibration {
  const projection = file.projection(`P_rect_${camera}`);
  if (!file.has(`S_rect_${camera}`)) return { projection };
  const [width, height] = file.numbers(`S_rect_${camera}`, 2);
  return { projection, size: [width!, height!] };
}
