import { expect, test } from "@jest/globals";
import type { CameraInfo } from "../messages/types.js";
import { cameraModelFromInfo } from "./CameraModel.js";
import { MAXIMUM_OVERLAY_WIDTH, OverlayDrawer, paintPoints, type OverlayDraft } from "./OverlayDrawer.js";

/** Looks along z; cloud coordinates are those of the camera. */
const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

function infoOf(width: number, height: number, focal: number): CameraInfo {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  return {
    header: { stamp: 0n, frameId: "camera" },
    width,
    height,
    distortionModel: "plumb_bob",
    d: [],
    k: [focal, 0, cx, 0, focal, cy, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  };
}

async function draft(
  points: readonly (readonly number[])[],
  { width = 100, height = 50, pointToVoxel = points.map((_, i) => i) } = {},
): Promise<OverlayDraft> {
  const info = infoOf(width, height, width);
  const model = cameraModelFromInfo(info, { rectified: false, imageWidth: width, imageHeight: height });
  const image = { width, height, data: new Uint8Array(width * height * 3).fill(9) };
  return new OverlayDrawer().draft(
    image,
    { model, cloudToOptical: IDENTITY },
    { xyz: Float32Array.from(points.flat()), pointToVoxel: Int32Array.from(pointToVoxel) },
  );
}

/** [column, row] of the pixels of a voxel. */
function pixelsOf({ voxels, image }: OverlayDraft, voxel: number): [number, number][] {
  return [...voxels.keys()]
    .filter((pixel) => voxels[pixel] === voxel)
    .map((pixel) => [pixel % image.width, Math.floor(pixel / image.width)]);
}

test("a point covers the four pixels around it", async () => {
  // On the optical axis, between the middle pixels; and 10 pixels to the right and 5 down.
  const result = await draft([
    [0, 0, 10],
    [1, 0.5, 10],
  ]);
  const square = (x: number, y: number) => [
    [x, y],
    [x + 1, y],
    [x, y + 1],
    [x + 1, y + 1],
  ];
  expect(pixelsOf(result, 0)).toEqual(square(49, 24));
  expect(pixelsOf(result, 1)).toEqual(square(59, 29));
});

test("nothing is seen behind the camera, outside the image, at a point that is not finite or has no voxel", async () => {
  const points = [
    [0, 0, -10],
    [100, 0, 10],
    [NaN, 0, 10],
    [0, 0, 10],
  ];
  const { voxels } = await draft(points, { pointToVoxel: [0, 1, 2, -1] });
  expect(voxels.every((voxel) => voxel === -1)).toBe(true);
});

test("the nearer of two points that share a pixel is seen, in whichever order they come", async () => {
  for (const depths of [
    [10, 10.2],
    [10.2, 10],
  ]) {
    const result = await draft(depths.map((z) => [0, 0, z]));
    expect(pixelsOf(result, depths.indexOf(10))).toHaveLength(4);
    expect(pixelsOf(result, depths.indexOf(10.2))).toHaveLength(0);
  }
});

test("what a wall hides is not painted, even between the wall's points", async () => {
  const wall = Array.from({ length: 21 * 21 }, (_, i) => [
    ((i % 21) - 10) / 10,
    (Math.floor(i / 21) - 10) / 10,
    10,
  ]);
  // Of the wall's points every tenth is 10 pixels from the next, and 3 to 4 pixels show nothing of the wall.
  const behind = [0.15, 0.15, 30];
  expect(pixelsOf(await draft([...wall, behind], { width: 400, height: 200 }), wall.length)).toHaveLength(0);
  expect(pixelsOf(await draft([behind], { width: 400, height: 200 }), 0)).toHaveLength(4);
});

test("a wide image shrinks, and points stay where they were in it", async () => {
  const [width, height] = [2 * MAXIMUM_OVERLAY_WIDTH, 900];
  const result = await draft([[4, -2, 10]], { width, height });
  expect([result.image.width, result.image.height]).toEqual([MAXIMUM_OVERLAY_WIDTH, 450]);
  expect(result.image.data).toHaveLength(MAXIMUM_OVERLAY_WIDTH * 450 * 3);
  // u = 799.5 + 640, v = 449.5 - 320; half of it.
  expect(pixelsOf(result, 0)[0]).toEqual([719, 64]);
});

test("pixels get the colour of their voxel's class, the others stay", () => {
  const pixels = new Uint8Array(9).fill(5);
  const colors = [
    [1, 2, 3],
    [10, 20, 30],
  ] as const;
  paintPoints(pixels, Int32Array.of(1, -1, 0), Int32Array.of(0, 1), colors);
  expect([...pixels]).toEqual([10, 20, 30, 5, 5, 5, 1, 2, 3]);
});
