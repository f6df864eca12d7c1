/**
 * Lens distortion of normalised image coordinates, as in OpenCV's calib3d and ROS's
 * sensor_msgs/distortion_models.hpp. `training/ditr_train/geometry/projection.py` does the same operations in the
 * same order.
 */
export type DistortionModel = "none" | "plumb_bob" | "rational_polynomial" | "thin_prism" | "equidistant";

/** Directions in which folding is looked for where it is not the same in all of them. */
const DIRECTIONS = 32;

/** Beyond this radius at unit depth (87 degrees) folding is not looked for. */
const LARGEST_RADIUS = 20;
const SEARCH_STEPS = 4000;
const BISECTIONS = 60;

/**
 * The eight coefficients k1, k2, p1, p2, k3, k4, k5, k6 of the polynomial models (missing ones 0), with s1, s2, s3, s4,
 * taux, tauy behind them (14) for "thin_prism", which is OpenCV's thin prism and tilted sensor; or the four of
 * equidistant.
 */
export type Coefficients = readonly number[];

/**
 * Where the radial part stops to grow: points beyond it would fold back into the image. For equidistant an
 * angle from the optical axis in radians, at most pi / 2; otherwise a radius at unit depth, Infinity when
 * nothing folds. Tangential terms are ignored but in "thin_prism", where all terms count in all directions.
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
    case "thin_prism": {
      const radialGrows = growth("rational_polynomial", coefficients);
      return (radius) => radialGrows(radius) && keepsOrientation(coefficients, radius);
    }
  }
}

type EightCoefficients = [number, number, number, number, number, number, number, number];

/** Is the map of the thin prism model, before the tilt, one to one around the points at this radius, and before the sensor? */
function keepsOrientation(coefficients: Coefficients, radius: number): boolean {
  const [k1, k2, p1, p2, k3, k4, k5, k6] = coefficients as EightCoefficients;
  const [s1, s2, s3, s4] = coefficients.slice(8) as [number, number, number, number];
  const tilt = tiltMatrix(coefficients[12]!, coefficients[13]!);
  const s = radius * radius;
  const numerator = 1 + s * (k1 + s * (k2 + s * k3));
  const denominator = 1 + s * (k4 + s * (k5 + s * k6));
  const radial = numerator / denominator;
  const slope =
    ((k1 + s * (2 * k2 + s * (3 * k3))) * denominator - numerator * (k4 + s * (2 * k5 + s * (3 * k6)))) /
    (denominator * denominator);
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const angle = (2 * Math.PI * direction) / DIRECTIONS;
    const [a, b] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    const [prismX, prismY] = [2 * (s1 + 2 * s2 * s), 2 * (s3 + 2 * s4 * s)];
    const xa = radial + 2 * a * a * slope + 2 * p1 * b + 6 * p2 * a + prismX * a;
    const xb = 2 * a * b * slope + 2 * p1 * a + 2 * p2 * b + prismX * b;
    const ya = 2 * a * b * slope + 2 * p1 * a + 2 * p2 * b + prismY * a;
    const yb = radial + 2 * b * b * slope + 6 * p1 * b + 2 * p2 * a + prismY * b;
    if (!(xa * yb - xb * ya > 0)) return false;
    const x = a * radial + 2 * p1 * a * b + p2 * (s + 2 * a * a) + s * (s1 + s * s2);
    const y = b * radial + p1 * (s + 2 * b * b) + 2 * p2 * a * b + s * (s3 + s * s4);
    if (!(tilt[6]! * x + tilt[7]! * y + tilt[8]! > 0)) return false;
  }
  return true;
}

/** OpenCV's projection onto a sensor that is turned by these angles in radians about x and then y; row-major 3x3. */
function tiltMatrix(tauX: number, tauY: number): readonly number[] {
  const [cx, sx, cy, sy] = [Math.cos(tauX), Math.sin(tauX), Math.cos(tauY), Math.sin(tauY)];
  // R = R_y R_x
  const r = [cy, sy * sx, -sy * cx, 0, cx, sx, sy, -cy * sx, cy * cx];
  const [r02, r12, r22] = [r[2]!, r[5]!, r[8]!];
  return [
    ...[0, 1, 2].map((i) => r22 * r[i]! - r02 * r[6 + i]!),
    ...[0, 1, 2].map((i) => r22 * r[3 + i]! - r12 * r[6 + i]!),
    ...r.slice(6),
  ];
}

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
    case "thin_prism": {
      const [k1, k2, p1, p2, k3, k4, k5, k6] = coefficients as EightCoefficients;
      const [s1, s2, s3, s4, tauX, tauY] = coefficients.slice(8) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const m = tiltMatrix(tauX, tauY);
      const largest = radius * radius;
      return (a, b, out) => {
        const s = a * a + b * b;
        if (!(s <= largest)) return false;
        const radial = (1 + s * (k1 + s * (k2 + s * k3))) / (1 + s * (k4 + s * (k5 + s * k6)));
        const x = a * radial + 2 * p1 * a * b + p2 * (s + 2 * a * a) + s * (s1 + s * s2);
        const y = b * radial + p1 * (s + 2 * b * b) + 2 * p2 * a * b + s * (s3 + s * s4);
        const w = m[6]! * x + m[7]! * y + m[8]!;
        out[0] = (m[0]! * x + m[1]! * y + m[2]!) / w;
        out[1] = (m[3]! * x + m[4]! * y + m[5]!) / w;
        return w > 0;
      };
    }
  }
}
