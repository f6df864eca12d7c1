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
import { pixelRays } from "./undistortion.js";

const FIELDS: readonly PointField[] = ["x", "y", "z", "rgb"].map((name, index) => ({
  name,
  offset: 4 * index,
  datatype: PointFieldType.FLOAT32,
  count: 1,
}));

/**
 * The camera of a depth image. Of a rectified one, or without distortion, P of the CameraInfo holds (as in
 * depth_image_proc), K where P is not filled in; otherwise K and D. Throws as `cameraModelFromInfo` does.
 * @param rectified is the image rectified (image_proc's image_rect*)?
 */
export function depthCameraModel(
  info: CameraInfo,
  { width, height }: Pick<DepthImage, "width" | "height">,
  rectified: boolean,
): CameraModel {
  const distorted = info.d.some((coefficient) => coefficient !== 0) || info.distortionModel === "equidistant";
  const byP = distorted ? rectified : info.p[0] !== 0;
  return cameraModelFromInfo(info, { rectified: byP, imageWidth: width, imageHeight: height });
}

/** Makes points of the depth images of one camera. */
export class DepthUnprojector {
  readonly #model: CameraModel;
  readonly #rays: Float64Array;

  constructor(model: CameraModel) {
    this.#model = model;
    this.#rays = pixelRays(model);
  }

  /**
   * An organized cloud [height, width] in the camera's optical frame (x right, y down, z forward): the point that the
   * model projects to the centre of each pixel at the pixel's depth. NaN where the depth is not a positive number.
   * @param depth of the size that the model is for
   * @param color adds a field rgb; as large as the depth image
   */
  cloud(depth: DepthImage, header: Header, color?: RgbImage): PointCloud2 {
    const { width, height } = this.#model;
    for (const image of [depth, color]) {
      if (image === undefined || (image.width === width && image.height === height)) continue;
      throw new RangeError(
        `an image has ${image.width}x${image.height} pixels, the camera ${width}x${height}`,
      );
    }
    const floats = color === undefined ? 3 : 4;
    const points = new Float32Array(width * height * floats);
    this.#unproject(depth.data, points, floats);
    if (color !== undefined) paint(color.data, points);
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

  #unproject(depth: Float32Array, points: Float32Array, stride: number): void {
    const rays = this.#rays;
    // Rigid, from the optical frame to that of the rays; the way back is by its transpose.
    const m = this.#model.fromOptical;
    for (let pixel = 0, at = 0; at < points.length; pixel++, at += stride) {
      const z = depth[pixel]!;
      if (!(z > 0 && z < Infinity)) {
        points.fill(NaN, at, at + 3);
        continue;
      }
      // The depth is that of the point itself, also when P has a baseline.
      const along = z + m[14]!;
      const x = rays[2 * pixel]! * along - m[12]!;
      const y = rays[2 * pixel + 1]! * along - m[13]!;
      points[at] = m[0]! * x + m[1]! * y + m[2]! * z;
      points[at + 1] = m[4]! * x + m[5]! * y + m[6]! * z;
      points[at + 2] = m[8]! * x + m[9]! * y + m[10]! * z;
    }
  }
}

/** rgb, the fourth of four floats. */
function paint(colors: Uint8Array, points: Float32Array): void {
  const bits = new Uint32Array(points.buffer);
  for (let at = 3, from = 0; at < bits.length; at += 4, from += 3) {
    bits[at] = (colors[from]! << 16) | (colors[from + 1]! << 8) | colors[from + 2]!;
  }
}
