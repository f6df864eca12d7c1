import type { CameraModel } from "./CameraModel.js";
import { distorter, type Coefficients } from "./distortion.js";

/** Halvings of an angle up to pi / 2 until it is exact. */
const BISECTIONS = 52;

/** Enough for every lens within its valid radius; most pixels need four. */
const ITERATIONS = 30;
/** Step of the numerical derivative, and where the distorted coordinates count as met. */
const STEP = 1e-7;
const CONVERGED = 1e-11;
const ACCEPTED = 1e-8;

/**
 * The directions that a camera's pixel centres look in: x / z and y / z in the frame that its model starts from,
 * float64 [height, width, 2], row by row; NaN where no direction within the valid radius leads to the pixel.
 */
export function pixelRays(model: CameraModel): Float64Array {
  const { width, height, fx, fy, cx, cy, skew } = model;
  const rays = new Float64Array(width * height * 2);
  const undistort = undistorter(model);
  const ray = new Float64Array(2);
  for (let v = 0, at = 0; v < height; v++) {
    const b = (v - cy) / fy;
    for (let u = 0; u < width; u++, at += 2) {
      const found = undistort((u - cx - skew * b) / fx, b, ray);
      rays[at] = found ? ray[0]! : NaN;
      rays[at + 1] = found ? ray[1]! : NaN;
    }
  }
  return rays;
}

/**
 * The inverse of the model's `distorter`: a function that undistorts normalised coordinates into `out[0]`, `out[1]`, and
 * returns false when nothing within the valid radius is distorted to them.
 */
export function undistorter({
  distortion,
  coefficients,
  validRadius,
}: CameraModel): (distortedA: number, distortedB: number, out: Float64Array) => boolean {
  switch (distortion) {
    case "none":
      return (a, b, out) => {
        out[0] = a;
        out[1] = b;
        return true;
      };
    case "equidistant":
      return angularUndistorter(coefficients, validRadius);
    case "plumb_bob":
    case "rational_polynomial":
    case "thin_prism":
      return polynomialUndistorter(distorter(distortion, coefficients, validRadius), validRadius);
  }
}

/** The distorted angle grows with the angle up to the valid radius, so bisection finds it. */
function angularUndistorter(
  coefficients: Coefficients,
  validRadius: number,
): (distortedA: number, distortedB: number, out: Float64Array) => boolean {
  const [k1, k2, k3, k4] = coefficients as [number, number, number, number];
  const distorted = (theta: number): number => {
    const t = theta * theta;
    return theta * (1 + t * (k1 + t * (k2 + t * (k3 + t * k4))));
  };
  const largest = distorted(validRadius);
  return (distortedA, distortedB, out) => {
    const wanted = Math.hypot(distortedA, distortedB);
    if (!(wanted < largest)) return false;
    let [low, high] = [0, validRadius];
    for (let bisection = 0; bisection < BISECTIONS; bisection++) {
      const middle = (low + high) / 2;
      if (distorted(middle) < wanted) low = middle;
      else high = middle;
    }
    const scale = wanted > ACCEPTED ? Math.tan((low + high) / 2) / wanted : 1;
    out[0] = distortedA * scale;
    out[1] = distortedB * scale;
    return true;
  };
}

/** Newton's method with a numerical derivative: tangential terms make it two-dimensional. */
function polynomialUndistorter(
  distort: ReturnType<typeof distorter>,
  validRadius: number,
): (distortedA: number, distortedB: number, out: Float64Array) => boolean {
  const at = new Float64Array(2);
  const beside = new Float64Array(2);
  return (distortedA, distortedB, out) => {
    const radius = Math.hypot(distortedA, distortedB);
    const scale = radius === 0 ? 1 : Math.min(1, (0.99 * validRadius) / radius);
    let [a, b] = [distortedA * scale, distortedB * scale];
    out[0] = a;
    out[1] = b;
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      if (!distort(a, b, at)) {
        // Beyond the valid radius: half way back to where it was within.
        a = (a + out[0]) / 2;
        b = (b + out[1]) / 2;
        continue;
      }
      const [missA, missB] = [distortedA - at[0]!, distortedB - at[1]!];
      out[0] = a;
      out[1] = b;
      if (Math.hypot(missA, missB) < CONVERGED) return true;
      const step = STEP * (1 + Math.hypot(a, b));
      distort(a + step, b, beside);
      const [aa, ba] = [(beside[0]! - at[0]!) / step, (beside[1]! - at[1]!) / step];
      distort(a, b + step, beside);
      const [ab, bb] = [(beside[0]! - at[0]!) / step, (beside[1]! - at[1]!) / step];
      const determinant = aa * bb - ab * ba;
      a += (missA * bb - missB * ab) / determinant;
      b += (missB * aa - missA * ba) / determinant;
    }
    if (!distort(out[0], out[1], at)) return false;
    return Math.hypot(distortedA - at[0]!, distortedB - at[1]!) < ACCEPTED;
  };
}
