import { Fault } from "../faults/Fault.js";
import {
  PointFieldType,
  type CameraInfo,
  type Header,
  type PointCloud2,
  type PointField,
} from "../messages/types.js";
import { cameraModelFromInfo, type CameraModel } from "./CameraModel.js";
import type { DepthImage } from "./decodeDepth.js";
import type { RgbImage } from "./RgbImage.js";

const FIELDS: readonly PointField[] = ["x", "y", "z", "rgb"].map((name, index) => ({
  name,
  offset: 4 * index,
  datatype: PointFieldType.FLOAT32,
  count: 1,
}));

/**
 * The camera of a depth image: depth is measured in the rectified image, so P of the CameraInfo holds (as in
 * depth_image_proc); K where P is not filled in and there is no distortion. Throws as `cameraModelFromInfo` does.
 */
export function depthCameraModel(info: CameraInfo, { width, height }: DepthImage): CameraModel {
  const rectified = info.p[0] !== 0 || info.d.some((coefficient) => coefficient !== 0);
  return cameraModelFromInfo(info, { rectified, imageWidth: width, imageHeight: height });
}

/**
 * An organized cloud [height, width] in the camera's optical frame (x right, y down, z forward): the point that the
 * model projects to the centre of each pixel at the pixel's depth. NaN where the depth is not a positive number.
 * @param model of a rectified camera: without distortion
 * @param color adds a field rgb; as large as the depth image
 */
export function depthCloud(
  depth: DepthImage,
  model: CameraModel,
  header: Header,
  color?: RgbImage,
): PointCloud2 {
  if (model.distortion !== "none") {
    throw new Fault(
      "unsupported-encoding",
      `depth images with ${model.distortion} distortion are not supported`,
    );
  }
  const { width, height } = depth;
  if (color !== undefined && (color.width !== width || color.height !== height)) {
    throw new RangeError(
      `the colour image has ${color.width}x${color.height} pixels, the depth image ${width}x${height}`,
    );
  }
  const { fx, fy, cx, cy, skew, fromOptical } = model;
  // Without distortion `fromOptical` only shifts, by the baseline in P.
  const [shiftX, shiftY, shiftZ] = [fromOptical[12]!, fromOptical[13]!, fromOptical[14]!];
  const floats = color === undefined ? 3 : 4;
  const points = new Float32Array(width * height * floats);
  for (let v = 0, pixel = 0, at = 0; v < height; v++) {
    const b = (v - cy) / fy;
    for (let u = 0; u < width; u++, pixel++, at += floats) {
      const z = depth.data[pixel]!;
      if (z > 0 && z < Infinity) {
        const along = z + shiftZ;
        points[at] = ((u - cx - skew * b) / fx) * along - shiftX;
        points[at + 1] = b * along - shiftY;
        points[at + 2] = z;
      } else {
        points.fill(NaN, at, at + 3);
      }
    }
  }
  if (color !== undefined) {
    const bits = new Uint32Array(points.buffer);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [red, green, blue] = [
        color.data[3 * pixel]!,
        color.data[3 * pixel + 1]!,
        color.data[3 * pixel + 2]!,
      ];
      bits[4 * pixel + 3] = (red << 16) | (green << 8) | blue;
    }
  }
  return {
    header,
    height,
    width,
    fields: FIELDS.slice(0, floats),
    isBigEndian: false,
    pointStep: 4 * floats,
    rowStep: 4 * floats * width,
    data: new Uint8Array(points.buffer),
    isDense: false,
  };
}
