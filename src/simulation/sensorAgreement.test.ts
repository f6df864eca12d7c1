import { beforeAll, describe, expect, test } from "@jest/globals";
import { cameraModelFromInfo } from "../camera/CameraModel.js";
import { decodeDepth } from "../camera/decodeDepth.js";
import { emptyProjection, projectPoints } from "../camera/projection.js";
import { columnsOf, ExampleDrive, type ScanColumns } from "./exampleDrive.js";

const SIZE = { width: 480, height: 240, semantic: true, depth: true } as const;

/** What one camera sees of the points of a scan that was frozen at the moment of its exposure. */
interface SeenPoints {
  /** Points inside the image, away from the borders between classes, and not hidden from the camera. */
  readonly compared: number;
  /** Share of them whose class is the pixel's. */
  readonly sameClass: number;
  /** Median of |depth image - point| along the optical axis, metres. */
  readonly depthError: number;
}

/** `turn` degrees are added to the camera's yaw, to see that a wrong calibration would show. */
async function compare(
  drive: ExampleDrive,
  scan: ScanColumns,
  camera: string,
  turn = 0,
): Promise<SeenPoints> {
  const info = drive.cameraInfos(camera)[0]!;
  const semantic = drive.images(`/camera/${camera}/semantic`)[0]!;
  const depth = (await decodeDepth(drive.images(`/camera/${camera}/depth/image_raw`)[0]!)).data;
  const { width, height, data: classes } = semantic;
  const model = cameraModelFromInfo(info, { rectified: false, imageWidth: width, imageHeight: height });
  const toOptical = drive.transforms.lookup(info.header.frameId, "lidar", info.header.stamp);
  const projected = emptyProjection();
  projectPoints(model, toOptical, turned(scan.xyz, (turn * Math.PI) / 180), scan.count, projected);
  let compared = 0;
  let same = 0;
  const errors: number[] = [];
  for (let point = 0; point < scan.count; point++) {
    if (projected.visible[point] === 0) continue;
    const [u, v, along] = [projected.u[point]!, projected.v[point]!, projected.depth[point]!];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    if (column < 1 || row < 1 || column > width - 3 || row > height - 3) continue;
    const first = row * width + column;
    const pixels = [first, first + 1, first + width, first + width + 1];
    const around = [first - width - 1, first - width + 2, first + 2 * width - 1, first + 2 * width + 2];
    if ([...pixels, ...around].some((pixel) => classes[pixel] !== classes[first])) continue;
    const [fu, fv] = [u - column, v - row];
    // Of a plane 1 / depth is linear in the image.
    const [d00, d10, d01, d11] = pixels.map((pixel) => 1 / depth[pixel]!) as [number, number, number, number];
    const inverse = (d00 * (1 - fu) + d10 * fu) * (1 - fv) + (d01 * (1 - fu) + d11 * fu) * fv;
    if (!Number.isFinite(inverse)) continue;
    if (1 / inverse < along - 0.5) continue;
    compared++;
    if (classes[first] === scan.groundTruth[point]) same++;
    errors.push(Math.abs(1 / inverse - along));
  }
  errors.sort((a, b) => a - b);
  return { compared, sameClass: same / compared, depthError: errors[errors.length >> 1]! };
}

/** Points turned about the LiDAR's z axis. */
function turned(xyz: Float32Array, angle: number): Float32Array {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return xyz.map((value, index) => {
    if (index % 3 === 0) return cos * value - sin * xyz[index + 1]!;
    return index % 3 === 1 ? sin * xyz[index - 1]! + cos * value : value;
  });
}

describe("LiDAR points projected into the images of the same moment", () => {
  let drive: ExampleDrive;
  let scan: ScanColumns;

  beforeAll(async () => {
    drive = await ExampleDrive.record({
      seed: 4,
      scanCount: 1,
      columns: 1024,
      frozenScans: true,
      idealLidar: true,
      cameras: [
        { name: "front", ...SIZE },
        { name: "left", ...SIZE, horizontalFov: 100, pitch: 8, position: [0.4, 0.9, 1.2] },
        { name: "rear", ...SIZE, distortion: [-0.28, 0.07, 0.001, -0.002, 0] },
      ],
    });
    scan = columnsOf(drive.scans[0]!);
  });

  test.each(["front", "left", "rear"])(
    "meet their class and their depth in the %s camera",
    async (camera) => {
      const seen = await compare(drive, scan, camera);
      expect(seen.compared).toBeGreaterThan(8000);
      expect(seen.sameClass).toBeGreaterThan(0.998);
      expect(seen.depthError).toBeLessThan(5e-4);
    },
  );

  test("would miss them with a camera turned by one degree", async () => {
    const seen = await compare(drive, scan, "front", 1);
    expect(seen.sameClass).toBeLessThan(0.99);
    expect(seen.depthError).toBeGreaterThan(1e-3);
  });
});
