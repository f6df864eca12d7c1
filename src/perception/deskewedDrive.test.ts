import { beforeAll, expect, test } from "@jest/globals";
import { FaultLog } from "../faults/FaultLog.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import { encodeTFMessage } from "../messages/tfMessage.js";
import type { PointCloud2 } from "../messages/types.js";
import { ClassId } from "../simulation/classes.js";
import { ExampleDrive } from "../simulation/exampleDrive.js";
import { FrameAssembler } from "./FrameAssembler.js";
import { FrameImages } from "./FrameImages.js";
import { ScanReader, type ScanPoints } from "./ScanReader.js";

const COLUMNS = 720;
const OPTIONS = {
  seed: 3,
  scanCount: 2,
  columns: COLUMNS,
  cameras: [],
  egoSpeed: 15,
  idealLidar: true,
} as const;

let moving: ExampleDrive;
let walls: Walls;
beforeAll(async () => {
  moving = await ExampleDrive.record(OPTIONS);
  // The same street, seen as if the vehicle stood still during each turn.
  const frozen = await ExampleDrive.record({ ...OPTIONS, frozenScans: true });
  walls = new Walls(frozen.scans[0]!);
});

async function read(drive: ExampleDrive, deskew: boolean): Promise<ScanPoints> {
  const faults = new FaultLog();
  const assembler = new FrameAssembler({ rectified: new Set(), fixedFrame: "odom", deskew }, faults);
  for (const { type, topic, message } of drive.messages) {
    if (type === "tf2_msgs/msg/TFMessage") {
      assembler.addTransforms(encodeTFMessage(message), topic === "/tf_static");
    }
  }
  const scan = drive.scans[0]!;
  const { stamp, frameId } = scan.header;
  const cdr = encodePointCloud2(scan);
  const cloud = { topic: "/lidar/points", type: POINT_CLOUD2_TYPE, frameId, cdr };
  const frame = assembler.assemble({ cloud, stamp, epoch: 0, images: [], missing: [], release: "complete" });
  const points = await new ScanReader({ withIntensity: true }).read(frame, new FrameImages([]));
  expect(faults.total).toBe(0);
  return points;
}

test("static walls are where they are seen from a vehicle that stands still", async () => {
  const skewed = await read(moving, false);
  const before = walls.distances(skewed.xyz, groundTruth(skewed.cloud));
  const deskewed = await read(moving, true);
  const after = walls.distances(deskewed.xyz, groundTruth(deskewed.cloud));
  // Measured at 15 m/s: 90 % of the points within 0.82 m before, within a micrometre after.
  expect(before.length).toBeGreaterThan(500);
  expect(after.length).toBeGreaterThan(500);
  expect(quantiles(before)[1]).toBeGreaterThan(10 * quantiles(after)[1]!);
  expect(quantiles(after)[1]).toBeLessThan(0.01);
});

test("the cloud that is labelled keeps the coordinates as they came", async () => {
  const { cloud, xyz } = await read(moving, true);
  const original = readXyz(moving.scans[0]!);
  expect(readXyz(cloud)).toEqual(original);
  expect(xyz).not.toEqual(original);
  expect((await read(moving, false)).xyz).toEqual(original);
});

function groundTruth(cloud: PointCloud2): Int32Array {
  return readColumn(cloud, "ground_truth", new Int32Array(cloud.width * cloud.height));
}

/** Median and 90th percentile. */
function quantiles(values: Float32Array): number[] {
  const sorted = values.slice().sort();
  return [0.5, 0.9].map((share) => sorted[Math.floor(share * sorted.length)]!);
}

/** The surfaces of buildings as one turn of the LiDAR sees them: a plane per beam and column. */
class Walls {
  readonly #points = new Map<number, readonly [number, number, number]>();
  readonly #elevations: Float64Array;

  constructor(scan: PointCloud2) {
    const xyz = readXyz(scan);
    const rings = readColumn(scan, "ring", new Int32Array(xyz.length / 3));
    const classes = groundTruth(scan);
    const beams = Math.max(...rings) + 1;
    this.#elevations = new Float64Array(beams).fill(NaN);
    rings.forEach((ring, i) => {
      const [x, y, z] = [xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!];
      this.#elevations[ring] = Math.atan2(z, Math.hypot(x, y));
      if (classes[i] === BUILDING) this.#points.set(this.#cell(columnOf(x, y), ring), [x, y, z]);
    });
  }

  /** Of the points that are of buildings, where the wall in their direction is known. */
  distances(xyz: Float32Array, classes: Int32Array): Float32Array {
    const distances: number[] = [];
    classes.forEach((label, i) => {
      if (label !== BUILDING) return;
      const [x, y, z] = [xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!];
      const elevation = Math.atan2(z, Math.hypot(x, y));
      const ring = this.#elevations.reduce(
        (best, value, r) =>
          Math.abs(value - elevation) < Math.abs(this.#elevations[best]! - elevation) ? r : best,
        0,
      );
      const distance = this.#distanceToWall(columnOf(x, y), ring, [x, y, z]);
      if (distance !== undefined) distances.push(distance);
    });
    return Float32Array.from(distances);
  }

  #distanceToWall(column: number, ring: number, [x, y, z]: readonly number[]): number | undefined {
    const at = (c: number, r: number) => this.#points.get(this.#cell((c + COLUMNS) % COLUMNS, r));
    const centre = at(column, ring);
    const around = [at(column + 1, ring), at(column - 1, ring), at(column, ring + 1), at(column, ring - 1)];
    const [right, left, up, down] = around;
    if (!centre || !right || !left || !up || !down) return undefined;
    const a = right.map((value, k) => value - left[k]!) as [number, number, number];
    const b = up.map((value, k) => value - down[k]!) as [number, number, number];
    const normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    const length = Math.hypot(...normal);
    const along = (p: readonly number[]): number =>
      Math.abs(p.reduce((sum, value, k) => sum + (value - centre[k]!) * normal[k]!, 0)) / length;
    // Only where the surroundings are flat: not at corners, windows and balconies.
    if (around.some((neighbor) => along(neighbor!) > 0.01)) return undefined;
    return along([x!, y!, z!]);
  }

  #cell(column: number, ring: number): number {
    return ring * COLUMNS + column;
  }
}

const BUILDING = ClassId.BUILDING;

/** Clockwise, beginning straight behind. */
function columnOf(x: number, y: number): number {
  return Math.round(((Math.PI - Math.atan2(y, x)) / (2 * Math.PI)) * COLUMNS) % COLUMNS;
}
