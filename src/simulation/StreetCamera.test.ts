import { describe, expect, test } from "@jest/globals";
import { cameraModelFromInfo } from "../camera/CameraModel.js";
import { emptyProjection, projectPoints } from "../camera/projection.js";
import { PinholeCamera } from "./PinholeCamera.js";
import { ClassId } from "./classes.js";
import { multiply, OPTICAL_ROTATION, rigidPose, toMatrix } from "./RigidPose.js";
import { StreetCamera } from "./StreetCamera.js";
import { World } from "./World.js";

const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

describe("a camera's viewing directions", () => {
  test.each<[lens: string, distortion: [number, number, number, number, number]]>([
    ["no distortion", [0, 0, 0, 0, 0]],
    ["barrel distortion", [-0.28, 0.07, 0.001, -0.002, 0.003]],
    ["pincushion distortion", [0.12, 0.02, -0.001, 0.001, 0]],
  ])("are projected back to their pixels with %s", (_, distortion) => {
    const { width, height, focal, centerX, centerY, directions } = new PinholeCamera({
      width: 96,
      height: 64,
      horizontalFov: 80,
      distortion,
    });
    const model = cameraModelFromInfo(
      {
        header: { stamp: 0n, frameId: "camera" },
        width,
        height,
        distortionModel: "plumb_bob",
        d: distortion,
        k: [focal, 0, centerX, 0, focal, centerY, 0, 0, 1],
        r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
        p: [focal, 0, centerX, 0, 0, focal, centerY, 0, 0, 0, 1, 0],
        binningX: 0,
        binningY: 0,
        roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
      },
      { rectified: false, imageWidth: width, imageHeight: height },
    );
    const projected = emptyProjection();
    const count = width * height;
    projectPoints(model, IDENTITY, Float32Array.from(directions), count, projected);
    let worst = 0;
    for (let pixel = 0; pixel < count; pixel++) {
      const [u, v] = [pixel % width, Math.floor(pixel / width)];
      worst = Math.max(worst, Math.hypot(projected.u[pixel]! - u, projected.v[pixel]! - v));
    }
    expect(projected.visible.subarray(0, count)).not.toContain(0);
    expect(worst).toBeLessThan(1e-3);
  });
});

test("a level camera sees the plane below the horizon at height * focal / (v - cy), and sky above", () => {
  const world = new World({ seed: 1, travel: 0, egoSpeed: 0 });
  const camera = new StreetCamera(new PinholeCamera({ width: 40, height: 30, horizontalFov: 60 }));
  const { width, height, focal, centerY } = camera.model;
  const pose = multiply(
    toMatrix(rigidPose([5000, -5000, 1.5], 1.1)),
    toMatrix(OPTICAL_ROTATION),
    new Float64Array(16),
  );
  const { color, depth, semantic, regions } = camera.expose(world, pose, 0);
  expect(color).toHaveLength(width * height * 3);
  const below = Array.from({ length: width * height }, (_, pixel) => Math.floor(pixel / width) - centerY);
  expect([...semantic]).toEqual(below.map((rows) => (rows > 0 ? ClassId.TERRAIN : ClassId.UNLABELED)));
  expect([...regions]).toEqual(below.map((rows) => (rows > 0 ? 1 : 0)));
  const expected = below.map((rows) => (rows > 0 ? (1.5 * focal) / rows : 0));
  expect(Math.max(...expected.map((metres, pixel) => Math.abs(depth[pixel]! - metres)))).toBeLessThan(1e-5);
});
