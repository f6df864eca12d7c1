import { beforeAll, describe, expect, test } from "@jest/globals";
import { LIDAR_PRESETS, type LidarPreset } from "./beamTables.js";
import { ClassId } from "./classes.js";
import { columnsOf, ExampleDrive, type ScanColumns } from "./exampleDrive.js";
import { GROUND, Hit } from "./Hit.js";
import { rigidPose, toMatrix } from "./RigidPose.js";
import { SpinningLidar, type SpinningLidarOptions } from "./SpinningLidar.js";
import { SurfaceSample } from "./SurfaceSample.js";
import { World } from "./World.js";

const SPEED = 12;
const COLUMNS = 256;
const PERIOD = 0.1;

function lidar(options: Partial<SpinningLidarOptions>): SpinningLidar {
  const preset: LidarPreset = LIDAR_PRESETS["hdl-64e"];
  const defaults = { preset, columns: COLUMNS, period: PERIOD, frozen: false, ideal: true, frameId: "lidar" };
  return new SpinningLidar({ ...defaults, ...options });
}

/** Metres from the sensor to point i. */
function rangeOf({ xyz }: ScanColumns, i: number): number {
  return Math.hypot(xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!);
}

let world: World;
beforeAll(() => {
  world = new World({ seed: 6, travel: PERIOD * SPEED, egoSpeed: SPEED });
});

describe.each(Object.values<LidarPreset>(LIDAR_PRESETS))(
  "$name on the plane far from the street",
  (preset) => {
    test("measures height / sin(depression) with each beam, and nothing at or above the horizon", () => {
      const height = 1.9;
      const pose = toMatrix(rigidPose([5000, 5000, height], 0.7));
      const scan = columnsOf(lidar({ preset }).scan(world, 0, 0n, 0, () => pose));
      const reaching = preset.elevations.filter((elevation) => {
        const range = height / Math.sin(-elevation);
        return range > preset.minimumRange && range < preset.maximumRange;
      });
      expect(scan.count).toBe(reaching.length * COLUMNS);
      let worst = 0;
      for (let i = 0; i < scan.count; i++) {
        const expected = height / Math.sin(-preset.elevations[scan.ring[i]!]!);
        worst = Math.max(worst, Math.abs(rangeOf(scan, i) / expected - 1));
      }
      expect(worst).toBeLessThan(1e-6);
    });
  },
);

describe("a turn of the LiDAR", () => {
  let drive: ExampleDrive;
  let scan: ScanColumns;

  beforeAll(async () => {
    const options = {
      seed: 6,
      scanCount: 1,
      egoSpeed: SPEED,
      columns: COLUMNS,
      idealLidar: true,
      cameras: [],
    };
    drive = await ExampleDrive.record(options);
    scan = columnsOf(drive.scans[0]!);
  });

  test("goes clockwise from behind, with the time and the beam of every point", () => {
    const { elevations } = LIDAR_PRESETS["hdl-64e"];
    let elevationError = 0;
    let turnError = 0;
    for (let i = 0; i < scan.count; i++) {
      const [x, y, z] = [scan.xyz[3 * i]!, scan.xyz[3 * i + 1]!, scan.xyz[3 * i + 2]!];
      const elevation = Math.asin(z / rangeOf(scan, i));
      elevationError = Math.max(elevationError, Math.abs(elevation - elevations[scan.ring[i]!]!));
      const turn = (Math.PI - Math.atan2(y, x)) / (2 * Math.PI) - scan.time[i]! / PERIOD;
      // Straight behind, in the first column, rounding may make a whole turn of none.
      turnError = Math.max(turnError, Math.abs(turn - Math.round(turn)));
    }
    expect(elevationError).toBeLessThan(1e-5);
    expect(turnError).toBeLessThan(1e-6);
    expect(scan.time).toEqual(scan.time.toSorted());
    expect(scan.time[0]).toBe(0);
    expect(scan.time.at(-1)).toBeCloseTo((PERIOD * (COLUMNS - 1)) / COLUMNS, 6);
  });

  test("lies on the street when each point is moved to odom at its own time", () => {
    // The same street as the drive's: of a drive of one scan.
    const own = measure(true);
    expect(own.ground).toBeLessThan(0.002);
    expect(own.walls).toBeLessThan(0.005);
    expect(own.classes).toBeGreaterThan(0.999);
    // 1.2 m of driving show when all points are moved as at the stamp.
    const atStamp = measure(false);
    expect(atStamp.ground).toBeGreaterThan(0.02);
    expect(atStamp.walls).toBeGreaterThan(0.1);
  });

  /** 99th percentiles of the distance to ground and walls in metres, and the share of points with the class of the place. */
  function measure(rolling: boolean): { ground: number; walls: number; classes: number } {
    const { stamp } = drive.scans[0]!.header;
    const ground: number[] = [];
    const walls: number[] = [];
    let same = 0;
    const hit = new Hit();
    const sample = new SurfaceSample();
    const percentile = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)]!;
    const still = new Set<number>([ClassId.BUILDING, ClassId.FENCE, ClassId.TRUNK, ClassId.POLE]);
    const paved = new Set<number>([ClassId.ROAD, ClassId.SIDEWALK, ClassId.PARKING]);
    for (let i = 0; i < scan.count; i++) {
      const classId = scan.groundTruth[i]!;
      if (!still.has(classId) && !paved.has(classId)) continue;
      const time = rolling ? BigInt(Math.round(scan.time[i]! * 1e9)) : 0n;
      const m = drive.transforms.lookup("odom", "lidar", stamp + time);
      const place = [0, 1, 2].map(
        (row) =>
          m[row]! * scan.xyz[3 * i]! +
          m[4 + row]! * scan.xyz[3 * i + 1]! +
          m[8 + row]! * scan.xyz[3 * i + 2]! +
          m[12 + row]!,
      ) as [number, number, number];
      if (paved.has(classId)) {
        const [x, y, z] = place;
        ground.push(Math.abs(z - world.ground.heightAt(x, y)));
        Object.assign(hit, { solid: GROUND, actor: -1 });
        if (world.sampleSurface(hit, x, y, 1, sample) === classId) same++;
        continue;
      }
      // Along the beam, from half a metre before the point: the surface is that far away.
      const beam = place.map((value, row) => value - m[12 + row]!);
      const length = Math.hypot(...beam);
      const [dx, dy, dz] = beam.map((value) => value / length) as [number, number, number];
      const [ox, oy, oz] = [place[0] - dx / 2, place[1] - dy / 2, place[2] - dz / 2];
      const met = world.cast(ox, oy, oz, dx, dy, dz, 2, hit);
      walls.push(met ? Math.abs(hit.distance - 0.5) : 2);
    }
    expect(ground.length).toBeGreaterThan(2000);
    expect(walls.length).toBeGreaterThan(500);
    return { ground: percentile(ground), walls: percentile(walls), classes: same / ground.length };
  }
});
