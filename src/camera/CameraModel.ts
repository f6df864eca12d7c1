import { Fault } from "../faults/Fault.js";
import type { CameraInfo } from "../messages/types.js";
import { validRadius, type Coefficients, type DistortionModel } from "./distortion.js";

/**
 * How points of a camera's optical frame (x right, y down, z forward, metres) become pixels of the images
 * that it sends (integer = pixel centre). Plain data, so that it can be posted to a worker.
 */
export interface CameraModel {
  /** Pixels of the image as it is sent, after region of interest and binning. */
  readonly width: number;
  readonly height: number;
  /** u = fx a + skew b + cx, v = fy b + cy of the distorted normalised coordinates a, b. */
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly skew: number;
  readonly distortion: DistortionModel;
  readonly coefficients: Coefficients;
  /** See `validRadius`. */
  readonly validRadius: number;
  /** 16 doubles, column-major: from the optical frame to where the formulas above start. */
  readonly fromOptical: Float64Array;
}

export interface CameraModelOptions {
  /** Is the image rectified (image_proc's image_rect*)? Then P is used, otherwise K and D. */
  readonly rectified: boolean;
  /** Pixels of the image that goes with the CameraInfo. */
  readonly imageWidth: number;
  readonly imageHeight: number;
}

/**
 * The model of a sensor_msgs/CameraInfo, following image_geometry's PinholeCameraModel: TF's optical frame
 * is the rectified one, so raw pixels are K D (R^T x) and rectified ones P x, with the baseline of P. R of
 * zeros counts as the identity. Region of interest and binning apply to the full-resolution K and P; unlike
 * image_geometry, the centre of a binned pixel is the centre of the pixels it was made of.
 *
 * Throws a Fault: "camera-info-missing" when uncalibrated, "camera-info-mismatch" when the sizes do not fit,
 * "unsupported-encoding" for an unknown distortion model, "malformed-message" for impossible numbers.
 */
export function cameraModelFromInfo(info: CameraInfo, options: CameraModelOptions): CameraModel {
  const { rectified, imageWidth, imageHeight } = options;
  const matrix = rectified ? info.p : info.k;
  const name = rectified ? "P" : "K";
  if (info.k[0] === 0 || matrix[0] === 0) {
    throw new Fault("camera-info-missing", `the camera is not calibrated: ${name}[0] of its CameraInfo is 0`);
  }
  for (const [field, values] of Object.entries({ K: info.k, D: info.d, R: info.r, P: info.p })) {
    if (values.every(Number.isFinite)) continue;
    throw new Fault(
      "malformed-message",
      `${field} of the CameraInfo must be finite, but is [${values.join(", ")}]`,
    );
  }
  const window = sentWindow(info, imageWidth, imageHeight);
  const distortion = rectified ? NO_DISTORTION : distortionOf(info);
  const [fullFx, skew, fullCx, fullFy, fullCy] = rectified
    ? [info.p[0]!, info.p[1]!, info.p[2]!, info.p[5]!, info.p[6]!]
    : [info.k[0]!, info.k[1]!, info.k[2]!, info.k[4]!, info.k[5]!];
  if (!(fullFx > 0 && fullFy > 0)) {
    throw new Fault(
      "malformed-message",
      `the focal lengths in ${name} of the CameraInfo must be positive, but are ${fullFx} and ${fullFy}`,
    );
  }
  return {
    width: imageWidth,
    height: imageHeight,
    fx: fullFx / window.binningX,
    fy: fullFy / window.binningY,
    skew: skew / window.binningX,
    cx: (fullCx - window.left + 0.5) / window.binningX - 0.5,
    cy: (fullCy - window.top + 0.5) / window.binningY - 0.5,
    distortion: distortion.model,
    coefficients: distortion.coefficients,
    validRadius: validRadius(distortion.model, distortion.coefficients),
    fromOptical: rectified ? baseline(info, fullFx, fullFy, skew) : transposedRotation(info.r),
  };
}

interface SentWindow {
  readonly left: number;
  readonly top: number;
  readonly binningX: number;
  readonly binningY: number;
}

/** The part of the sensor that the image shows; checks that image and CameraInfo agree about its size. */
function sentWindow(info: CameraInfo, imageWidth: number, imageHeight: number): SentWindow {
  const { roi } = info;
  const full = roi.width === 0 || roi.height === 0;
  const [left, top] = full ? [0, 0] : [roi.xOffset, roi.yOffset];
  const [width, height] = full ? [info.width, info.height] : [roi.width, roi.height];
  if (left + width > info.width || top + height > info.height) {
    throw new Fault(
      "camera-info-mismatch",
      `the region of interest of the CameraInfo, ${width}x${height} at (${left}, ${top}), ` +
        `must lie in its ${info.width}x${info.height} pixels`,
    );
  }
  const [binningX, binningY] = [Math.max(1, info.binningX), Math.max(1, info.binningY)];
  // Drivers round the size of a binned image either way.
  const fits = (pixels: number, binning: number, sent: number) =>
    sent === Math.floor(pixels / binning) || sent === Math.ceil(pixels / binning);
  if (!fits(width, binningX, imageWidth) || !fits(height, binningY, imageHeight)) {
    const binned = binningX * binningY > 1 ? ` binned by ${binningX}x${binningY}` : "";
    throw new Fault(
      "camera-info-mismatch",
      `the CameraInfo is for images of ${width}x${height} pixels${binned}, ` +
        `but the image has ${imageWidth}x${imageHeight}`,
    );
  }
  return { left, top, binningX, binningY };
}

interface Distortion {
  readonly model: DistortionModel;
  readonly coefficients: Coefficients;
}

const NO_DISTORTION: Distortion = { model: "none", coefficients: [] };

function distortionOf({ distortionModel, d }: CameraInfo): Distortion {
  const known = d.length > 0 && d.some((coefficient) => coefficient !== 0);
  switch (distortionModel) {
    case "equidistant":
    case "fisheye":
      if (d.length !== 4) throw wrongCount("4");
      return { model: "equidistant", coefficients: [...d] };
    case "plumb_bob":
      if (!known) return NO_DISTORTION;
      if (d.length < 4 || d.slice(5).some((coefficient) => coefficient !== 0)) throw wrongCount("4 or 5");
      return { model: "plumb_bob", coefficients: eight(d) };
    case "rational_polynomial":
      if (!known) return NO_DISTORTION;
      // OpenCV's calibration writes 12 or 14, with zeros where thin prisms and tilt were not estimated.
      if (d.length < 8 || d.slice(8).some((coefficient) => coefficient !== 0)) throw wrongCount("8");
      return { model: "rational_polynomial", coefficients: eight(d) };
    default:
      if (!known && distortionModel === "") return NO_DISTORTION;
      throw new Fault(
        "unsupported-encoding",
        `the distortion model "${distortionModel}" is not supported; ` +
          "supported are plumb_bob, rational_polynomial, equidistant, fisheye",
      );
  }

  function wrongCount(expected: string): Fault {
    return new Fault(
      "malformed-message",
      `D of the CameraInfo must have ${expected} coefficients for "${distortionModel}", ` +
        `but is [${d.join(", ")}]`,
    );
  }
}

function eight(d: readonly number[]): number[] {
  return Array.from({ length: 8 }, (_, index) => d[index] ?? 0);
}

/** R of a CameraInfo (row-major) turns the raw camera into the rectified one; its transpose back. */
function transposedRotation(r: readonly number[]): Float64Array {
  const [a, b, c, d, e, f, g, h, i] = r.every((value) => value === 0)
    ? [1, 0, 0, 0, 1, 0, 0, 0, 1]
    : (r as [number, number, number, number, number, number, number, number, number]);
  // Column-major, so the rows of the transpose are written as columns of R.
  // prettier-ignore
  return Float64Array.of(a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 1);
}

/** P's fourth column as a shift of the points: u z = fx x + skew y + cx z + P[3]. */
function baseline({ p }: CameraInfo, fx: number, fy: number, skew: number): Float64Array {
  const z = p[11]!;
  const y = (p[7]! - p[6]! * z) / fy;
  const x = (p[3]! - p[2]! * z - skew * y) / fx;
  // prettier-ignore
  return Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1);
}
