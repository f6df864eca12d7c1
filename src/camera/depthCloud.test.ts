import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { describeWithRealData } from "../../test/support/realData.mjs";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import type { CameraInfo } from "../messages/types.js";
import type { DepthImage } from "./decodeDepth.js";
import { depthCameraModel, DepthUnprojector } from "./depthCloud.js";
import { sharp } from "./libvips.js";
import { emptyProjection, projectPoints } from "./projection.js";

const HEADER = { stamp: 7n, frameId: "depth_optical" };
const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
const WIDTH = 32;
const HEIGHT = 24;

function info(change: Partial<CameraInfo> = {}): CameraInfo {
  return {
    header: HEADER,
    width: WIDTH,
    height: HEIGHT,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [31, 0, 15.5, 0, 32, 11.5, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [30, 0.25, 15.75, -1.5, 0, 31, 11.25, 0.5, 0, 0, 1, 0.001],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
    ...change,
  };
}

/** A slanted plane with holes of every kind. */
function plane(width = WIDTH, height = HEIGHT): DepthImage {
  const data = Float32Array.from({ length: width * height }, (_, i) => 1 + (i % width) * 0.05 + i * 0.001);
  data.set([NaN, Infinity, -Infinity, 0, -2], 40);
  return { width, height, data };
}

describe("depthCloud", () => {
  test("is organized, with NaN where there is no depth, and projects back to its pixels", () => {
    const depth = plane();
    const model = depthCameraModel(info(), depth, true);
    const cloud = new DepthUnprojector(model).cloud(depth, HEADER);
    expect(cloud).toMatchObject({ header: HEADER, width: WIDTH, height: HEIGHT, pointStep: 12 });
    const xyz = readXyz(cloud);
    expect([...xyz.subarray(120, 135)]).toEqual(Array(15).fill(NaN));
    const projected = emptyProjection();
    projectPoints(model, IDENTITY, xyz, WIDTH * HEIGHT, projected);
    for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
      const valid = pixel < 40 || pixel >= 45;
      expect(projected.visible[pixel]).toBe(valid ? 1 : 0);
      if (!valid) continue;
      expect(Math.abs(projected.u[pixel]! - (pixel % WIDTH))).toBeLessThan(1e-3);
      expect(Math.abs(projected.v[pixel]! - Math.floor(pixel / WIDTH))).toBeLessThan(1e-3);
    }
  });

  test("the window and binning of the CameraInfo move and scale P", () => {
    const depth = plane(8, 6);
    const window = info({
      binningX: 2,
      binningY: 2,
      roi: { xOffset: 10, yOffset: 4, width: 16, height: 12, doRectify: false },
      p: [30, 0, 15.5, 0, 0, 31, 11.5, 0, 0, 0, 1, 0],
    });
    const xyz = readXyz(new DepthUnprojector(depthCameraModel(window, depth, true)).cloud(depth, HEADER));
    // The centre of binned pixel (1, 2) is between full pixels 12, 13 and 8, 9.
    const z = depth.data[2 * 8 + 1]!;
    expect(xyz[3 * 17]).toBeCloseTo(((12.5 - 15.5) / 30) * z, 6);
    expect(xyz[3 * 17 + 1]).toBeCloseTo(((8.5 - 11.5) / 31) * z, 6);
  });

  test("colour of the same size comes along, bit for bit", () => {
    const depth = plane();
    const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 31) % 256);
    const cloud = new DepthUnprojector(depthCameraModel(info(), depth, true)).cloud(depth, HEADER, {
      width: WIDTH,
      height: HEIGHT,
      data,
    });
    const rgb = new Uint32Array(cloud.data.buffer).filter((_, i) => i % 4 === 3);
    expect(cloud.fields.map(({ name }) => name)).toEqual(["x", "y", "z", "rgb"]);
    expect([rgb[0], rgb[700]]).toEqual([
      (0 << 16) | (31 << 8) | 62,
      (((2100 * 31) % 256) << 16) | (((2101 * 31) % 256) << 8) | ((2102 * 31) % 256),
    ]);
    const small = { width: 2, height: 1, data: new Uint8Array(6) };
    expect(() =>
      new DepthUnprojector(depthCameraModel(info(), depth, true)).cloud(depth, HEADER, small),
    ).toThrow("an image has 2x1 pixels, the camera 32x24");
    expect([...readColumn(cloud, "z", new Float32Array(WIDTH * HEIGHT)).subarray(0, 3)]).toEqual([
      ...depth.data.subarray(0, 3),
    ]);
  });

  test("a raw image with distortion projects back to its pixels too", () => {
    const depth = plane();
    const r = [0.9998, -0.02, 0, 0.02, 0.9998, 0, 0, 0, 1];
    const model = depthCameraModel(info({ d: [-0.2, 0.05, 0.001, -0.002, 0], r }), depth, false);
    expect(model.distortion).toBe("plumb_bob");
    const xyz = readXyz(new DepthUnprojector(model).cloud(depth, HEADER));
    const projected = emptyProjection();
    projectPoints(model, IDENTITY, xyz, WIDTH * HEIGHT, projected);
    for (let pixel = 45; pixel < WIDTH * HEIGHT; pixel++) {
      expect(Math.abs(projected.u[pixel]! - (pixel % WIDTH))).toBeLessThan(1e-3);
      expect(Math.abs(projected.v[pixel]! - Math.floor(pixel / WIDTH))).toBeLessThan(1e-3);
      expect(projected.depth[pixel]!).toBeCloseTo(depth.data[pixel]!, 5);
    }
  });

  test("K holds where P is not filled in, unless there is distortion", () => {
    const depth = plane();
    const zeros = Array<number>(12).fill(0);
    expect(depthCameraModel(info({ p: zeros }), depth, true).fx).toBe(31);
    const distorted = info({ p: zeros, d: [0.1, 0, 0, 0, 0] });
    expect(depthCameraModel(distorted, depth, true)).toMatchObject({ fx: 31, distortion: "none" });
    expect(() => depthCameraModel(info({ width: 31 }), depth, true)).toThrow("31x24");
  });
});

describeWithPython("against NumPy", () => {
  test("points agree", () => {
    const depth = plane();
    const reference = runReference(
      "depth_cloud.py",
      { depth: { data: depth.data, shape: [HEIGHT, WIDTH] } },
      { p: info().p },
    )["points"]!.data;
    const xyz = readXyz(new DepthUnprojector(depthCameraModel(info(), depth, true)).cloud(depth, HEADER));
    let largest = 0;
    xyz.forEach((value, i) => {
      expect(Number.isNaN(value)).toBe(Number.isNaN(Number(reference[i])));
      if (!Number.isNaN(value)) largest = Math.max(largest, Math.abs(value - Number(reference[i])));
    });
    expect(largest).toBeLessThan(1e-6);
  });
});

describeWithRealData("recorded RGB-D frames", "rgbd_7scenes", (folder) => {
  const FRAMES = [150, 156, 162, 168, 174, 180, 186, 192, 198];
  const K = [585, 0, 320, 0, 585, 240, 0, 0, 1];
  const camera = info({
    width: 640,
    height: 480,
    k: K,
    p: [585, 0, 320, 0, 0, 585, 240, 0, 0, 0, 1, 0],
  });

  async function frame(number: number): Promise<{ depth: DepthImage; pose: number[] }> {
    const name = path.join(folder, "rgbd-frames", `frame-000${number}`);
    const { data, info: png } = await sharp(`${name}.depth.png`)
      .toColourspace("grey16")
      .raw({ depth: "ushort" })
      .toBuffer({ resolveWithObject: true });
    const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const metres = Float32Array.from(samples, (mm) => (mm === 0 || mm === 65535 ? NaN : mm / 1000));
    const pose = readFileSync(`${name}.pose.txt`, "utf8").trim().split(/\s+/).map(Number);
    return { depth: { width: png.width, height: png.height, data: metres }, pose };
  }

  /** Row-major rigid 4x4 `a^-1 b`, column-major. */
  function relative(a: number[], b: number[]): Float64Array {
    const out = new Float64Array(16);
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 4; column++) {
        let sum = 0;
        for (let k = 0; k < 3; k++)
          sum += a[4 * k + row]! * (b[4 * k + column]! - (column === 3 ? a[4 * k + 3]! : 0));
        out[4 * column + row] = sum;
      }
    }
    out[15] = 1;
    return out;
  }

  test("neighbouring frames agree through their poses, and do not without them", async () => {
    const frames = await Promise.all(FRAMES.map(frame));
    const model = depthCameraModel(camera, frames[0]!.depth, true);
    const errors: number[] = [];
    const withoutPoses: number[] = [];
    for (const [i, { depth, pose }] of frames.entries()) {
      const next = frames[i + 1];
      if (next === undefined) break;
      const xyz = readXyz(new DepthUnprojector(model).cloud(depth, HEADER));
      errors.push(medianDepthError(xyz, relative(next.pose, pose), next.depth));
      withoutPoses.push(medianDepthError(xyz, IDENTITY, next.depth));
    }
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    // Measured: 7.2 to 9.3 mm with poses, 66 to 110 mm without.
    expect(mean(errors)).toBeLessThan(0.0095);
    expect(mean(withoutPoses)).toBeGreaterThan(2 * mean(errors));
  });

  function medianDepthError(xyz: Float32Array, toNext: Float64Array, next: DepthImage): number {
    const projected = emptyProjection();
    const model = depthCameraModel(camera, next, true);
    projectPoints(model, toNext, xyz, xyz.length / 3, projected);
    const differences = new Float32Array(xyz.length / 3);
    let count = 0;
    for (let point = 0; point < xyz.length / 3; point++) {
      if (projected.visible[point] === 0) continue;
      const pixel = Math.round(projected.v[point]!) * next.width + Math.round(projected.u[point]!);
      const difference = Math.abs(next.data[pixel]! - projected.depth[point]!);
      if (!Number.isNaN(difference)) differences[count++] = difference;
    }
    return differences.subarray(0, count).sort()[Math.floor(count / 2)]!;
  }
});
