import { describe, expect, test } from "@jest/globals";
import type { Fault, FaultCode } from "../faults/Fault.js";
import type { CameraInfo } from "../messages/types.js";
import { cameraModelFromInfo, type CameraModel, type CameraModelOptions } from "./CameraModel.js";
import { emptyProjection, projectPoints } from "./projection.js";

const RAW = { rectified: false, imageWidth: 640, imageHeight: 480 };
const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

function info(change: Partial<CameraInfo> = {}): CameraInfo {
  return {
    header: { stamp: 0n, frameId: "camera_optical" },
    width: 640,
    height: 480,
    distortionModel: "plumb_bob",
    d: [-0.2, 0.05, 0.001, -0.002, 0],
    k: [500, 0, 320, 0, 510, 240, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [480, 0, 315, 0, 0, 480, 235, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, width: 0, height: 0, doRectify: false },
    ...change,
  };
}

function pixel(model: CameraModel, point: readonly [number, number, number]): [number, number] | undefined {
  const out = emptyProjection();
  projectPoints(model, IDENTITY, Float32Array.of(...point), 1, out);
  return out.visible[0] === 1 ? [out.u[0]!, out.v[0]!] : undefined;
}

function expectFault(change: Partial<CameraInfo>, code: FaultCode, message: string, options = RAW): void {
  const make = () => cameraModelFromInfo(info(change), options);
  expect(make).toThrow(message);
  try {
    make();
  } catch (error) {
    expect((error as Fault).code).toBe(code);
  }
}

describe("cameraModelFromInfo", () => {
  test("raw images use K and D, rectified ones P without distortion", () => {
    const raw = cameraModelFromInfo(info({ d: [0, 0, 0, 0, 0] }), RAW);
    const rectified = cameraModelFromInfo(info(), { ...RAW, rectified: true });
    expect(pixel(raw, [1, 0.5, 4])).toEqual([320 + 125, 240 + 63.75]);
    expect(pixel(rectified, [1, 0.5, 4])).toEqual([315 + 120, 235 + 60]);
    expect(pixel(cameraModelFromInfo(info(), RAW), [1, 0.5, 4])![0]).toBeLessThan(445);
  });

  test("the baseline of a right stereo camera moves its pixels", () => {
    const p = [480, 0, 315, -48, 0, 480, 235, 0, 0, 0, 1, 0];
    const right = cameraModelFromInfo(info({ p }), { ...RAW, rectified: true });
    expect(pixel(right, [1, 0.5, 4])![0]).toBeCloseTo(315 + 120 - 12, 9);
  });

  test("KITTI's P, whose last row is not 0 0 1 0, is applied as written", () => {
    const p = [721.5, 0, 300, 44.86, 0, 721.5, 172, 0.216, 0, 0, 1, 0.0027];
    const model = cameraModelFromInfo(info({ p }), { ...RAW, rectified: true });
    const [x, y, z] = [0.5, 0.25, 8];
    const w = z + 0.0027;
    const [u, v] = pixel(model, [x, y, z])!;
    expect(u).toBeCloseTo((721.5 * x + 300 * z + 44.86) / w, 9);
    expect(v).toBeCloseTo((721.5 * y + 172 * z + 0.216) / w, 9);
  });

  test("raw pixels of a stereo camera take R back, as image_geometry's unrectifyPoint does", () => {
    const [c, s] = [Math.cos(0.1), Math.sin(0.1)];
    const model = cameraModelFromInfo(info({ d: [], r: [c, 0, s, 0, 1, 0, -s, 0, c] }), RAW);
    // The rectified frame's forward axis is at R^T (0, 0, 1) = (-s, 0, c) in the raw camera.
    expect(pixel(model, [0, 0, 1])![0]).toBeCloseTo(320 - 500 * Math.tan(0.1), 9);
    const unset = cameraModelFromInfo(info({ d: [], r: [0, 0, 0, 0, 0, 0, 0, 0, 0] }), RAW);
    expect(pixel(unset, [0, 0, 1])).toEqual([320, 240]);
  });

  test("region of interest and binning: the same light falls on the same place", () => {
    const roi = { xOffset: 40, yOffset: 60, width: 400, height: 300, doRectify: false };
    const whole = pixel(cameraModelFromInfo(info(), RAW), [0.2, 0.1, 2])!;
    const part = cameraModelFromInfo(info({ roi, binningX: 2, binningY: 4 }), {
      rectified: false,
      imageWidth: 200,
      imageHeight: 75,
    });
    const [u, v] = pixel(part, [0.2, 0.1, 2])!;
    // A binned pixel covers the edges of its pixels: edge = centre + 0.5.
    expect(u + 0.5).toBeCloseTo((whole[0] + 0.5 - 40) / 2, 9);
    expect(v + 0.5).toBeCloseTo((whole[1] + 0.5 - 60) / 4, 9);
    expect([part.width, part.height]).toEqual([200, 75]);
  });

  test("accepts what drivers write: no model, OpenCV's 14 coefficients, fisheye, odd binned sizes", () => {
    const sizes = (imageWidth: number): CameraModelOptions => ({ ...RAW, imageWidth, imageHeight: 480 });
    expect(cameraModelFromInfo(info({ distortionModel: "", d: [] }), RAW).distortion).toBe("none");
    const fourteen = [0.1, 0.2, 0, 0, 0, 0.1, 0.2, 0, 0, 0, 0, 0, 0, 0];
    const rational = info({ distortionModel: "rational_polynomial", d: fourteen });
    expect(cameraModelFromInfo(rational, RAW).coefficients).toHaveLength(8);
    const fisheye = info({ distortionModel: "fisheye", d: [0, 0, 0, 0] });
    expect(cameraModelFromInfo(fisheye, RAW).distortion).toBe("equidistant");
    const odd = info({ width: 641, binningX: 2 });
    expect([320, 321].map((width) => cameraModelFromInfo(odd, sizes(width)).width)).toEqual([320, 321]);
  });

  test("a matrix that is not filled in is not used when the other one is", () => {
    const zeroK = { k: [0, 0, 0, 0, 0, 0, 0, 0, 0] };
    const zeroP = { p: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
    const rectified = { ...RAW, rectified: true };
    const plain = { d: [0, 0, 0, 0, 0] };
    expect(pixel(cameraModelFromInfo(info({ ...zeroK, ...plain }), RAW), [1, 0.5, 4])).toEqual([435, 295]);
    expect(pixel(cameraModelFromInfo(info(zeroK), rectified), [1, 0.5, 4])).toEqual([435, 295]);
    expect(pixel(cameraModelFromInfo(info(zeroP), rectified), [1, 0.5, 4])).toEqual([445, 303.75]);
    // D still holds for a raw image whose K is missing.
    const bent = cameraModelFromInfo(info(zeroK), RAW);
    expect([bent.fx, bent.distortion]).toEqual([480, "plumb_bob"]);
    expect(bent.oddities).toEqual([
      "K of the CameraInfo, which is for raw images, is not filled in; P is used instead",
    ]);
    expect(cameraModelFromInfo(info(zeroP), RAW).oddities).toBeUndefined();
    const unusedNaN = info({ k: [NaN, 0, 0, 0, 0, 0, 0, 0, 0], d: [NaN] });
    expect(cameraModelFromInfo(unusedNaN, rectified).fx).toBe(480);
  });

  test("a size of 0, or of another image, is not believed against the principal point", () => {
    for (const size of [
      { width: 0, height: 0 },
      { width: 1920, height: 1080 },
    ]) {
      const model = cameraModelFromInfo(info(size), RAW);
      expect([model.width, model.height, model.cx]).toEqual([640, 480, 320]);
      expect(model.oddities).toEqual([
        expect.stringContaining(`the CameraInfo says ${size.width}x${size.height}`),
      ]);
    }
    // The calibration is of the larger image: half its size would need another K.
    const larger = { width: 1280, height: 960, k: [1000, 0, 640, 0, 1000, 480, 0, 0, 1] };
    expectFault(larger, "camera-info-mismatch", "for images of 1280x960 pixels, but the image has 640x480");
    const corner = { width: 0, height: 0, k: [500, 0, 40, 0, 510, 240, 0, 0, 1] };
    expectFault(corner, "camera-info-mismatch", "for images of 0x0 pixels");
  });

  test("says why a camera cannot be used", () => {
    const none = { k: [0, 0, 0, 0, 0, 0, 0, 0, 0], p: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
    expectFault(none, "camera-info-missing", "not calibrated: K[0] and P[0] of its CameraInfo are both 0");
    expectFault(none, "camera-info-missing", "K[0] and P[0]", { ...RAW, rectified: true });
    const sizes = "for images of 640x480 pixels, but the image has 640x360";
    expectFault({}, "camera-info-mismatch", sizes, { ...RAW, imageHeight: 360 });
    expectFault({ binningX: 2 }, "camera-info-mismatch", "640x480 pixels binned by 2x1, but the image has");
    const roi = { xOffset: 600, yOffset: 0, width: 41, height: 480, doRectify: false };
    expectFault({ roi }, "camera-info-mismatch", "41x480 at (600, 0), must lie in its 640x480");
    expectFault({ distortionModel: "thin_plate" }, "unsupported-encoding", '"thin_plate" is not supported');
    const counts = 'must have 4, 5, 8, 12 or 14 coefficients for "plumb_bob"';
    expectFault({ d: [1, 2, 3] }, "malformed-message", counts);
    expectFault({ d: [0, 0, 0, 0, 0, 0.1] }, "malformed-message", counts);
    expectFault({ d: [NaN, 0, 0, 0, 0] }, "malformed-message", "D of the CameraInfo must be finite");
    expectFault({ k: [500, 0, 320, 0, -1, 240, 0, 0, 1] }, "malformed-message", "must be positive");
  });
});
