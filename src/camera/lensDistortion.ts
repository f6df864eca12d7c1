import { Fault } from "../faults/Fault.js";
import type { CameraInfo } from "../messages/types.js";
import type { Coefficients, DistortionModel } from "./distortion.js";

/** The lens of a CameraInfo. */
export interface LensDistortion {
  readonly model: DistortionModel;
  /** See `Coefficients`. */
  readonly coefficients: Coefficients;
  /** One sentence where the name says something else than the coefficients. */
  readonly oddity?: string;
}

export const NO_DISTORTION: LensDistortion = { model: "none", coefficients: [] };

/** How many coefficients OpenCV's polynomial models have, in their common order. */
const POLYNOMIAL_LENGTHS = [4, 5, 8, 12, 14] as const;

/** Kalibr's, OpenCV's, Basalt's and ROS's names of the models in the angle from the axis; as `key` writes them. */
const ANGULAR = /^(pinhole)?(equi(distant)?|(opencv)?fisheye|kannalabrandt\d?|kb\d?)$/;

/** Those of Brown's polynomial and what OpenCV built on it. */
const POLYNOMIAL =
  /^(pinhole|opencv\d*)?(plumbbob|radtan\d?|radialtangential|brown(conrady)?|rational(polynomial)?|(rational|radtan)?(polynomial)?thinprism|tilted|)$/;

/** What stands where no model is named. */
const UNNAMED = /^(none|nodistortion|undistorted|unknown|perspective|ideal|linear|)$/;

const SUPPORTED =
  "plumb_bob, rational_polynomial (also with OpenCV's thin prism and tilt) and equidistant, under the names that ROS, OpenCV and Kalibr give them";

/**
 * Which of OpenCV's models the coefficients are for. Their number decides where it can; the name only tells the angular
 * models from the polynomial ones. Zeros behind the last coefficient that is not 0 do not count.
 *
 * Throws a Fault: "unsupported-encoding" for a model that is not read, "malformed-message" for a number of coefficients
 * that no model has.
 */
export function lensDistortion({ distortionModel: name, d }: CameraInfo): LensDistortion {
  const key = keyOf(name);
  const extent = d.findLastIndex((coefficient) => coefficient !== 0) + 1;
  if (ANGULAR.test(key)) {
    if (d.length < 4 || extent > 4) throw wrongCount(name, d, "4");
    return { model: "equidistant", coefficients: d.slice(0, 4) };
  }
  if (extent === 0) {
    const known = POLYNOMIAL.test(key) || UNNAMED.test(key);
    return known
      ? NO_DISTORTION
      : { ...NO_DISTORTION, oddity: unread(name, "no distortion, as all of D is 0") };
  }
  const unnamed = UNNAMED.test(key);
  if (!unnamed && !POLYNOMIAL.test(key)) {
    throw new Fault(
      "unsupported-encoding",
      `the distortion model "${name}" is not supported; supported are ${SUPPORTED}`,
    );
  }
  const length = POLYNOMIAL_LENGTHS.find((candidate) => candidate >= extent && candidate <= d.length);
  if (length === undefined) throw wrongCount(name, d, "4, 5, 8, 12 or 14");
  if (unnamed && length === 4 && d.length === 4) {
    throw new Fault(
      "unsupported-encoding",
      `the distortion model is named "${name}", and 4 coefficients, [${d.join(", ")}], may be those of plumb_bob or of ` +
        `equidistant; supported are ${SUPPORTED}`,
    );
  }
  const lens = polynomial(d, length);
  if (unnamed) return { ...lens, oddity: unread(name, `${lens.model}, by its ${length} coefficients`) };
  const tooMany = /^(pinhole)?(plumbbob|radtan|radialtangential)$/.test(key) && length > 5;
  return tooMany ? { ...lens, oddity: unread(name, `${lens.model}, by its ${length} coefficients`) } : lens;
}

function polynomial(d: readonly number[], length: (typeof POLYNOMIAL_LENGTHS)[number]): LensDistortion {
  const coefficients = Array.from({ length: length > 8 ? 14 : 8 }, (_, i) => (i < length ? d[i]! : 0));
  const model = length <= 5 ? "plumb_bob" : length === 8 ? "rational_polynomial" : "thin_prism";
  return { model, coefficients };
}

/** Upper and lower case, separators and what says nothing are left out: "RadTan distortion" is "radtan". */
function keyOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .replace(/(distortion|camera|lens)?(model)?$/, "");
}

function unread(name: string, instead: string): string {
  return `the distortion model of the CameraInfo is named "${name}", but is read as ${instead}`;
}

function wrongCount(name: string, d: readonly number[], expected: string): Fault {
  return new Fault(
    "malformed-message",
    `D of the CameraInfo must have ${expected} coefficients for "${name}", but is [${d.join(", ")}]`,
  );
}
