import { Fault } from "../faults/Fault.js";

export interface PinholeCameraOptions {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Horizontal field of view of the undistorted camera, in degrees. */
  readonly horizontalFov: number;
  /** plumb_bob: k1, k2, p1, p2, k3. Absent or all 0: none. */
  readonly distortion?: readonly [number, number, number, number, number];
}

/** A pinhole camera with square pixels, its principal point in the middle, and plumb_bob distortion. */
export class PinholeCamera {
  readonly width: number;
  readonly height: number;
  /** Pixels, in both directions. */
  readonly focal: number;
  /** Principal point in pixels; integer = pixel centre. */
  readonly centerX: number;
  readonly centerY: number;
  readonly distortion: readonly [number, number, number, number, number];
  /** [height, width, 3]: unit viewing direction of each pixel's centre in the optical frame. */
  readonly directions: Float64Array;

  /** Throws a Fault ("invalid-configuration") for a size or field of view out of range. */
  constructor(options: PinholeCameraOptions) {
    const { width, height, horizontalFov } = options;
    if (!(horizontalFov > 0 && horizontalFov < 170)) {
      throw new Fault(
        "invalid-configuration",
        `Camera horizontalFov is ${horizontalFov} degrees; it must lie between 0 and 170.`,
      );
    }
    if (!Number.isInteger(width) || !Number.isInteger(height) || width < 2 || height < 2) {
      throw new Fault(
        "invalid-configuration",
        `Camera size is ${width} x ${height}; both must be whole numbers of at least 2.`,
      );
    }
    this.width = width;
    this.height = height;
    this.focal = width / 2 / Math.tan((horizontalFov * Math.PI) / 360);
    // Pixel centres have whole coordinates, as in ROS and OpenCV.
    this.centerX = (width - 1) / 2;
    this.centerY = (height - 1) / 2;
    this.distortion = options.distortion ?? [0, 0, 0, 0, 0];
    this.directions = new Float64Array(width * height * 3);
    for (let v = 0; v < height; v++) {
      for (let u = 0; u < width; u++) {
        const [x, y] = this.#undistort((u - this.centerX) / this.focal, (v - this.centerY) / this.focal);
        const length = Math.sqrt(x * x + y * y + 1);
        this.directions.set([x / length, y / length, 1 / length], (v * width + u) * 3);
      }
    }
  }

  /** Where normalized image coordinates come from, by fixed-point iteration as OpenCV's undistortPoints. */
  #undistort(distortedX: number, distortedY: number): [number, number] {
    const [k1, k2, p1, p2, k3] = this.distortion;
    let x = distortedX;
    let y = distortedY;
    if (this.distortion.every((coefficient) => coefficient === 0)) {
      return [x, y];
    }
    for (let round = 0; round < 40; round++) {
      const r2 = x * x + y * y;
      const radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3));
      const tangentialX = 2 * p1 * x * y + p2 * (r2 + 2 * x * x);
      const tangentialY = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y;
      x = (distortedX - tangentialX) / radial;
      y = (distortedY - tangentialY) / radial;
    }
    return [x, y];
  }
}
