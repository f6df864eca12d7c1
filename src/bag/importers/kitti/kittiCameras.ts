import type { CameraInfo, Header } from "../../../messages/types.js";
import type { Pose } from "../../../transforms/Pose.js";
import { compose, inverse } from "../../../transforms/Pose.js";
import { pinholeCameraInfo } from "../dataset/pinholeCameraInfo.js";
import type { KittiCalibration, KittiCameraCalibration, KittiCameraNumber } from "./kittiCalibration.js";

/** The names that kitti2bag gave the cameras, and their image topics by the conventions of image_proc. */
export const CAMERA_NAMES: Readonly<Record<KittiCameraNumber, string>> = {
  "00": "camera_gray_left",
  "01": "camera_gray_right",
  "02": "camera_color_left",
  "03": "camera_color_right",
};

export function imageTopic(camera: KittiCameraNumber): string {
  const image = camera === "00" || camera === "01" ? "image_rect" : "image_rect_color";
  return `/kitti/${CAMERA_NAMES[camera]}/${image}/compressed`;
}

export function cameraInfoTopic(camera: KittiCameraNumber): string {
  return `/kitti/${CAMERA_NAMES[camera]}/camera_info`;
}

export function opticalFrame(camera: KittiCameraNumber): string {
  return `${CAMERA_NAMES[camera]}_optical_frame`;
}

/**
 * Pose of the rectified camera in the velodyne frame.
 *
 * KITTI projects with P_rect * R_rect_00 * velo_to_cam, where P_rect = K [I | b] carries the offset b
 * of the camera from camera 00. Here b is part of the pose, with its small z that a ROS projection matrix
 * has no place for, and the projection is K [I | 0].
 */
export function cameraInVelodyne(
  calibration: KittiCalibration,
  { projection }: KittiCameraCalibration,
): Pose {
  const [fx, , cx, px, , fy, cy, py, , , , pz] = projection as readonly number[] & { readonly length: 12 };
  const offset: Pose = {
    translation: [(px! - cx! * pz!) / fx!, (py! - cy! * pz!) / fy!, pz!],
    rotation: [0, 0, 0, 1],
  };
  const velodyneToCamera0 = compose(calibration.rectification, calibration.velodyneToCamera0);
  return inverse(compose(offset, velodyneToCamera0));
}

/** The images are rectified: no distortion, no rotation, K in both matrices. */
export function kittiCameraInfo(
  header: Header,
  { projection }: KittiCameraCalibration,
  size: readonly [number, number],
): CameraInfo {
  const [fx, , cx, , , fy, cy] = projection as readonly number[] & { readonly length: 12 };
  return pinholeCameraInfo(header, { fx: fx!, fy: fy!, cx: cx!, cy: cy! }, size);
}
