import { Fault } from "../faults/Fault.js";
import type { CameraInfo } from "../messages/types.js";
import { validRadius, type Coefficients, type DistortionModel } from "./distortion.js";
import { lensDistortion, NO_DISTORTION, type LensDistortion } from "./lensDistortion.js";
import { sentWindow } from "./sentWindow.js";

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
  /** What of the CameraInfo was not believed, one sentence each; absent when nothing. */
  readonly oddities?: readonly string[];
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
 * zeros counts as the identity. Where the matrix that is needed is not filled in, the other one is used. Region of
 * interest and binning apply to the full-resolution K and P; unlike image_geometry, the centre of a binned pixel is the
 * centre of the pixels it was made of.
 *
 * Throws a Fault: "camera-info-missing" when uncalibrated, "camera-info-mismatch" when the sizes do not fit,
 * "unsupported-encoding" for an unknown distortion model, "malformed-message" for impossible numbers.
 */
export function cameraModelFromInfo(info: CameraInfo, options: CameraModelOptions): CameraModel {
  const { rectified, imageWidth, imageHeight } = options;
  const window = sentWindow(info, imageWidth, imageHeight);
  const { matrix, name, oddity } = filledMatrix(info, rectified);
  const lens = rectified ? NO_DISTORTION : usedDistortion(info);
  const [fullFx, skew, fullCx, fullFy, fullCy] =
    name === "P"
      ? [matrix[0]!, matrix[1]!, matrix[2]!, matrix[5]!, matrix[6]!]
      : [matrix[0]!, matrix[1]!, matrix[2]!, matrix[4]!, matrix[5]!];
  if (!(fullFx > 0 && fullFy > 0)) {
    throw new Fault(
      "malformed-message",
      `the focal lengths in ${name} of the CameraInfo must be positive, but are ${fullFx} and ${fullFy}`,
    );
  }
  const oddities = [window.oddity, oddity, lens.oddity].filter((sentence) => sentence !== undefined);
  return {
    width: imageWidth,
    height: imageHeight,
    fx: fullFx / window.binningX,
    fy: fullFy / window.binningY,
    skew: skew / window.binningX,
    cx: (fullCx - window.left + 0.5) / window.binningX - 0.5,
    cy: (fullCy - window.top + 0.5) / window.binningY - 0.5,
    distortion: lens.model,
    coefficients: lens.coefficients,
    validRadius: validRadius(lens.model, lens.coefficients),
    fromOptical: fromOptical(info, options, name, lens),
    ...(oddities.length > 0 && { oddities }),
  };
}

interface FilledMatrix {
  readonly matrix: readonly number[];
  readonly name: "K" | "P";
  /** One sentence where it is not the one that the image calls for. */
  readonly oddity?: string;
}

/** P for rectified images and K for raw ones, or the other of them when that is not filled in. */
function filledMatrix({ k, p }: CameraInfo, rectified: boolean): FilledMatrix {
  const wanted: FilledMatrix = rectified ? { matrix: p, name: "P" } : { matrix: k, name: "K" };
  const other: FilledMatrix = rectified ? { matrix: k, name: "K" } : { matrix: p, name: "P" };
  if (isFilled(wanted)) return wanted;
  if (!isFilled(other)) {
    if (k[0] === 0 && p[0] === 0) {
      throw new Fault(
        "camera-info-missing",
        "the camera is not calibrated: K[0] and P[0] of its CameraInfo are both 0",
      );
    }
    const worse = wanted.matrix[0] === 0 ? other : wanted;
    throw notFinite(worse.name, worse.matrix);
  }
  const oddity =
    `${wanted.name} of the CameraInfo, which is for ${rectified ? "rectified" : "raw"} images, is not filled in; ` +
    `${other.name} is used instead`;
  return { ...other, oddity };
}

function isFilled({ matrix }: FilledMatrix): boolean {
  return matrix[0] !== 0 && matrix.every(Number.isFinite);
}

/** The distortion of raw images, of finite numbers. */
function usedDistortion(info: CameraInfo): LensDistortion {
  for (const [name, values] of [
    ["D", info.d],
    ["R", info.r],
  ] as const) {
    if (!values.every(Number.isFinite)) throw notFinite(name, values);
  }
  return lensDistortion(info);
}

function notFinite(name: string, values: readonly number[]): Fault {
  return new Fault(
    "malformed-message",
    `${name} of the CameraInfo must be finite, but is [${values.join(", ")}]`,
  );
}

/** From the optical frame to where the pinhole formulas start. */
function fromOptical(
  info: CameraInfo,
  { rectified }: CameraModelOptions,
  matrix: "K" | "P",
  { model }: LensDistortion,
): Float64Array {
  // Without distortion and rotation a raw image is its own rectified one, for which P holds as written.
  const unturned = isUnset(info.r) || info.r.every((value, i) => value === (i % 4 === 0 ? 1 : 0));
  if (matrix === "P" && (rectified || (model === "none" && unturned))) return baseline(info);
  return rectified ? transposedRotation([]) : transposedRotation(info.r);
}

function isUnset(r: readonly number[]): boolean {
  return r.every((value) => value === 0);
}

/** R of a CameraInfo (row-major) turns the raw camera into the rectified one; its transpose back. */
function transposedRotation(r: readonly number[]): Float64Array {
  const [a, b, c, d, e, f, g, h, i] = isUnset(r)
    ? [1, 0, 0, 0, 1, 0, 0, 0, 1]
    : (r as [number, number, number, number, number, number, number, number, number]);
  // Column-major, so the rows of the transpose are written as columns of R.
  // prettier-ignore
  return Float64Array.of(a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 1);
}

/** P's fourth column as a shift of the points: u z = fx x + skew y + cx z + P[3]. */
function baseline({ p }: CameraInfo): Float64Array {
  const [fx, skew, fy] = [p[0]!, p[1]!, p[5]!];
  const z = p[11]!;
  const y = (p[7]! - p[6]! * z) / fy;
  const x = (p[3]! - p[2]! * z - skew * y) / fx;
  // prettier-ignore
  return Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1);
}
