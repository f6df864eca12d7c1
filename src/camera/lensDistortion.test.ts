import { describe, expect, test } from "@jest/globals";
import { cameraInfo } from "../messages/exampleMessages.js";
import { lensDistortion } from "./lensDistortion.js";

function lens(distortionModel: string, d: readonly number[]): ReturnType<typeof lensDistortion> {
  return lensDistortion({ ...cameraInfo, distortionModel, d });
}

const FOUR = [-0.2, 0.05, 0.001, -0.002];
const FIVE = [...FOUR, 0.01];
const EIGHT = [...FIVE, 0.3, 0.02, 0.001];
const TWELVE = [...EIGHT, 0.001, 0.002, 0.003, 0.004];
const FOURTEEN = [...TWELVE, 0.01, -0.02];

describe("lensDistortion", () => {
  test.each([
    ["plumb_bob", FOUR, "plumb_bob", [...FOUR, 0, 0, 0, 0]],
    ["plumb_bob", FIVE, "plumb_bob", [...FIVE, 0, 0, 0]],
    ["Plumb Bob", [...FIVE, 0, 0, 0], "plumb_bob", [...FIVE, 0, 0, 0]],
    ["radtan", FOUR, "plumb_bob", [...FOUR, 0, 0, 0, 0]],
    ["RadTan", FIVE, "plumb_bob", [...FIVE, 0, 0, 0]],
    ["radial-tangential", FOUR, "plumb_bob", [...FOUR, 0, 0, 0, 0]],
    ["brown_conrady", FIVE, "plumb_bob", [...FIVE, 0, 0, 0]],
    ["opencv", FOUR, "plumb_bob", [...FOUR, 0, 0, 0, 0]],
    ["pinhole", FIVE, "plumb_bob", [...FIVE, 0, 0, 0]],
    ["rational_polynomial", EIGHT, "rational_polynomial", EIGHT],
    ["rational_polynomial", FIVE, "plumb_bob", [...FIVE, 0, 0, 0]],
    ["RATIONAL_POLYNOMIAL", [...EIGHT, 0, 0, 0, 0, 0, 0], "rational_polynomial", EIGHT],
    ["rational_polynomial", FOURTEEN, "thin_prism", FOURTEEN],
    ["thin_prism", TWELVE, "thin_prism", [...TWELVE, 0, 0]],
    ["thin_prism_model", TWELVE, "thin_prism", [...TWELVE, 0, 0]],
    ["tilted_model", FOURTEEN, "thin_prism", FOURTEEN],
    ["equidistant", FOUR, "equidistant", FOUR],
    ["equidistant", [...FOUR, 0], "equidistant", FOUR],
    ["EQUIDISTANT", [...FOUR, 0, 0, 0, 0], "equidistant", FOUR],
    ["fisheye", FOUR, "equidistant", FOUR],
    ["equi", FOUR, "equidistant", FOUR],
    ["pinhole-equi", FOUR, "equidistant", FOUR],
    ["kannala_brandt", FOUR, "equidistant", FOUR],
    ["kannala_brandt4", FOUR, "equidistant", FOUR],
    ["opencv_fisheye", FOUR, "equidistant", FOUR],
    ["plumb_bob", [], "none", []],
    ["plumb_bob", [0, 0, 0, 0], "none", []],
    ["radtan", [0, 0, 0, 0], "none", []],
    ["none", [], "none", []],
    ["None", [0, 0, 0, 0, 0], "none", []],
    ["", [], "none", []],
  ])("%s with %j is %s", (name, d, model, coefficients) => {
    expect(lens(name, d)).toEqual({ model, coefficients });
  });

  test.each([
    ["", FIVE, "plumb_bob", [...FIVE, 0, 0, 0], "plumb_bob, by its 5 coefficients"],
    ["none", EIGHT, "rational_polynomial", EIGHT, "rational_polynomial, by its 8 coefficients"],
    ["plumb_bob", EIGHT, "rational_polynomial", EIGHT, "rational_polynomial, by its 8 coefficients"],
    ["plumb_bob", TWELVE, "thin_prism", [...TWELVE, 0, 0], "thin_prism, by its 12 coefficients"],
    ["inverse_brown_conrady", [0, 0, 0, 0, 0], "none", [], "no distortion, as all of D is 0"],
  ])("the name %j does not overrule %j: %s", (name, d, model, coefficients, instead) => {
    const oddity = `the distortion model of the CameraInfo is named "${name}", but is read as ${instead}`;
    expect(lens(name, d)).toEqual({ model, coefficients, oddity });
  });

  test.each([
    ["", FOUR, "may be those of plumb_bob or of equidistant"],
    ["inverse_brown_conrady", FIVE, 'the distortion model "inverse_brown_conrady" is not supported'],
    ["double_sphere", FOUR, 'the distortion model "double_sphere" is not supported'],
    ["thin_prism_fisheye", TWELVE, "is not supported"],
    ["fov", [0.9], "is not supported"],
    ["equidistant", FIVE, 'must have 4 coefficients for "equidistant"'],
    ["equidistant", [], "must have 4 coefficients"],
    ["plumb_bob", [...FIVE, 0.1], "must have 4, 5, 8, 12 or 14 coefficients"],
    ["rational_polynomial", [...FOURTEEN, 1], "must have 4, 5, 8, 12 or 14 coefficients"],
  ])("%j with %j is refused", (name, d, sentence) => {
    expect(() => lens(name, d)).toThrow(sentence);
  });
});
