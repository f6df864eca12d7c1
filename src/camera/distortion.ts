/**
 * Lens distortion of normalised image coordinates, as in OpenCV's calib3d and ROS's
 * sensor_msgs/distortion_models.hpp. `training/ditr_train/projection.py` does the same operations in the
 * same order.
 */
export type DistortionModel = "none" | "plumb_bob" | "rational_polynomial" | "equidistant";

/** Beyond this radius at unit depth (87 degrees) folding is not looked for. */
const LARGEST_RADIUS = 20;
const SEARCH_STEPS = 4000;
const BISECTIONS = 60;

/**
 * The eight coefficients k1, k2, p1, p2, k3, k4, k5, k6 of the polynomial models (missing ones 0), or the four
 * of equidistant.
 */
export type Coefficients = readonly number[];

/**
 * Where the radial part stops to grow: points beyond it would fold back into the image. For equidistant an
 * angle from the optical axis in radians, at most pi / 2; otherwise a radius at unit depth, Infinity when
 * nothing folds. Tangential terms are ignored.
 */
export function validRadius(model: DistortionModel, coefficients: Coefficients): number {
  const limit = model === "equidistant" ? Math.PI / 2 : LARGEST_RADIUS;
  const unlimited = model === "equidistant" ? Math.PI / 2 : Infinity;
  const grows = growth(model, coefficients);
  for (let step = 1; step <= SEARCH_STEPS; step++) {
    if (grows((limit * step) / SEARCH_STEPS)) continue;
    let inside = (limit * (step - 1)) / SEARCH_STEPS;
    let outside = (limit * step) / SEARCH_STEPS;
    for (let bisection = 0; bisection < BISECTIONS; bisection++) {
      const middle = (inside + outside) / 2;
      if (grows(middle)) inside = middle;
      else outside = middle;
    }
    return inside;
  }
  return unlimited;
}

/** Is the derivative of the distorted radius positive? */
function growth(model: DistortionModel, coefficients: Coefficients): (radius: number) => boolean {
  switch (model) {
    case "none":
      return () => true;
    case "equidistant": {
      const [k1, k2, k3, k4] = coefficients as [number, number, number, number];
      return (angle) => {
        const s = angle * angle;
        return 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * (9 * k4)))) > 0;
      };
    }
    case "plumb_bob":
    case "rational_polynomial": {
      const [k1, k2, , , k3, k4, k5, k6] = coefficients as EightCoefficients;
      return (radius) => {
        const s = radius * radius;
        const numerator = 1 + s * (k1 + s * (k2 + s * k3));
        const denominator = 1 + s * (k4 + s * (k5 + s * k6));
        const numeratorSlope = k1 + s * (2 * k2 + s * (3 * k3));
        const denominatorSlope = k4 + s * (2 * k5 + s * (3 * k6));
        const slope =
          numerator * denominator + 2 * s * (numeratorSlope * denominator - numerator * denominatorSlope);
        return denominator > 0 && slope > 0;
      };
    }
  }
}

type EightCoefficients = [number, number, number, number, number, number, number, number];

/**
 * A function that distorts normalised coordinates (a, b) into `out[0]`, `out[1]` and returns false beyond the
 * valid radius.
 */
export function distorter(
  model: DistortionModel,
  coefficients: Coefficients,
  radius: number,
): (a: number, b: number, out: Float64Array) => boolean {
  switch (model) {
    case "none":
      return (a, b, out) => {
        out[0] = a;
        out[1] = b;
        return true;
      };
    case "equidistant": {
      const [k1, k2, k3, k4] = coefficients as [number, number, number, number];
      return (a, b, out) => {
        const r = Math.sqrt(a * a + b * b);
        const theta = Math.atan(r);
        const t = theta * theta;
        const distorted = theta * (1 + t * (k1 + t * (k2 + t * (k3 + t * k4))));
        const scale = r > 1e-8 ? distorted / r : 1;
        out[0] = a * scale;
        out[1] = b * scale;
        return theta <= radius;
      };
    }
    case "plumb_bob":
    case "rational_polynomial": {
      const [k1, k2, p1, p2, k3, k4, k5, k6] = coefficients as EightCoefficients;
      const largest = radius * radius;
      return (a, b, out) => {
        const s = a * a + b * b;
        if (!(s <= largest)) return false;
        const radial = (1 + s * (k1 + s * (k2 + s * k3))) / (1 + s * (k4 + s * (k5 + s * k6)));
        out[0] = a * radial + 2 * p1 * a * b + p2 * (s + 2 * a * a);
        out[1] = b * radial + p1 * (s + 2 * b * b) + 2 * p2 * a * b;
        return true;
      };
    }
  }
}
