import { expect, test } from "@jest/globals";
import type { CameraModel } from "../camera/CameraModel.js";
import type { OrientedBox } from "../geometry/OrientedBox.js";
import { boxesSvg, cameraProjection, overSvg, viewProjection } from "./drawnBoxes.js";
import { projectToView, viewFromAbove } from "./scanViews.js";

const SIZE = { width: 200, height: 100 } as const;
const BOX: OrientedBox = { center: [10, 0, 0], size: [4, 2, 2], yaw: 0 };
const RED = [255, 0, 0] as const;

async function drawn(svg: string): Promise<(u: number, v: number) => boolean> {
  const data = new Uint8Array(3 * SIZE.width * SIZE.height);
  const picture = await overSvg({ ...SIZE, data }, svg);
  expect(picture.data).toHaveLength(data.length);
  return (u, v) => picture.data[3 * (Math.floor(v) * SIZE.width + Math.floor(u))]! > 100;
}

test("a box from above is its footprint, with a stroke to its front", async () => {
  const view = viewFromAbove(SIZE.width, SIZE.height, 15);
  const isRed = await drawn(boxesSvg([{ box: BOX, color: RED }], viewProjection(view), 2));
  const at = (x: number, y: number): boolean => isRed(...projectToView(view, x, y, 0)!);
  expect([at(12, 0), at(8, 0.5), at(10, 1), at(10, -1)]).toEqual([true, true, true, true]);
  expect([at(11, 0), at(9, 0), at(6, 0), at(14, 0)]).toEqual([true, false, false, false]);
});

/** Of a camera at the sensor's place that looks along x. */
const MODEL: CameraModel = {
  ...SIZE,
  fx: 100,
  fy: 100,
  cx: 99.5,
  cy: 49.5,
  skew: 0,
  distortion: "none",
  coefficients: new Float64Array(0) as unknown as CameraModel["coefficients"],
  validRadius: Infinity,
  fromOptical: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
};
const CLOUD_TO_OPTICAL = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1);
const CAMERA = { model: MODEL, cloudToOptical: CLOUD_TO_OPTICAL };

test("in an image a box has the edges that are before the camera", async () => {
  const svg = boxesSvg([{ box: BOX, color: RED }], cameraProjection(CAMERA, 1), 2);
  const isRed = await drawn(svg);
  // x right, y down from the middle, of a point (x, y, z).
  const at = (x: number, y: number, z: number): boolean => isRed(100 - (100 * y) / x, 50 - (100 * z) / x);
  expect([at(8, 0.5, 1), at(8, 1, 0.3), at(12, -1, 0.3), at(10, 1, 1)]).toEqual([true, true, true, true]);
  expect([at(8, 0.4, 0.3), at(8, 1.5, 0), at(8, 0, -1.4)]).toEqual([false, false, false]);
  const behind = { box: { ...BOX, center: [-10, 0, 0] } as const, color: RED };
  expect(boxesSvg([behind], cameraProjection(CAMERA, 1), 2)).toContain('d=""');
  // Around the camera: the part before it is drawn, in an image half as large.
  const around = boxesSvg(
    [{ box: { ...BOX, center: [1, 0, 0] }, color: RED }],
    cameraProjection(CAMERA, 0.5),
    2,
  );
  expect(around).toContain("L");
});
