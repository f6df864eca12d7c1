import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { decodeNpy, encodeNpy } from "./npy.js";

describe("npy", () => {
  test("reads back what it writes", () => {
    const array = { data: new Int32Array([1, -2, 3, 4, 5, 6]), shape: [2, 3] };
    expect(decodeNpy(encodeNpy(array))).toEqual(array);
  });

  test("refuses a shape that does not hold the data", () => {
    expect(() => encodeNpy({ data: new Float32Array(5), shape: [2, 3] })).toThrow("[2, 3] holds 6 elements");
  });

  test("refuses what is not .npy", () => {
    expect(() => decodeNpy(new Uint8Array(100))).toThrow("not a .npy file");
  });
});

describeWithPython("npy against NumPy", () => {
  test("NumPy doubles what we wrote and we read what it wrote", () => {
    const { doubled } = runReference("npy_double.py", {
      values: { data: new Float32Array([0.5, 1, -3, 2]), shape: [2, 2] },
    });
    expect(doubled).toEqual({ data: new Float32Array([1, 2, -6, 4]), shape: [2, 2] });
  });
});
