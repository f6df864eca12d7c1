import { beforeAll, describe, expect, test } from "@jest/globals";
import { LIDAR_PRESETS } from "./beamTables.js";
import { ClassId } from "./classes.js";
import { columnsOf, ExampleDrive } from "./exampleDrive.js";
import { intensityOf, randomResponse, STANDARD_RESPONSE, type LidarResponse } from "./LidarResponse.js";
import { Random } from "./Random.js";
import { rigidPose, toMatrix } from "./RigidPose.js";
import type { SimulateDriveOptions } from "./SimulateDriveOptions.js";
import { SpinningLidar } from "./SpinningLidar.js";
import { World } from "./World.js";

const QUICK: SimulateDriveOptions = { scanCount: 1, columns: 64, lidar: "vlp-16", cameras: [] };
const QUIET: LidarResponse = { ...STANDARD_RESPONSE, loss: 0, rangeNoise: 0, noiseShare: 0, noiseFloor: 0 };

/** base_link_T_lidar of a drive's /tf_static. */
function mountOf(drive: ExampleDrive): Float64Array {
  return Float64Array.from(drive.transforms.lookup("base_link", "lidar", drive.scans[0]!.header.stamp));
}

describe("a drive with a random sensor", () => {
  test("is the same for the same seed, another than with the standard sensor, which is the default", async () => {
    const digest = async (more: Partial<SimulateDriveOptions>) =>
      (await ExampleDrive.record({ ...QUICK, seed: 6, ...more })).digest;
    const random = await digest({ sensor: "random" });
    expect(await digest({ sensor: "random" })).toBe(random);
    const standard = await digest({});
    expect(random).not.toBe(standard);
    expect(await digest({ sensor: "standard", street: "standard" })).toBe(standard);
  });

  test.each([3, 6, 8])(
    "%i has its transform where the points stand on the ground, intensities in 0..1",
    async (seed) => {
      const drive = await ExampleDrive.record({ ...QUICK, seed, sensor: "random", lidar: "hdl-32e" });
      const m = mountOf(drive);
      expect(m[14]).toBeGreaterThanOrEqual(1.5);
      expect(m[14]).toBeLessThanOrEqual(2.1);
      const { count, xyz, intensity, groundTruth } = columnsOf(drive.scans[0]!);
      let near = 0;
      for (let i = 0; i < count; i++) {
        expect(intensity[i]).toBeGreaterThanOrEqual(0);
        expect(intensity[i]).toBeLessThanOrEqual(1);
        const [x, y, z] = [xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!];
        if (groundTruth[i] !== ClassId.ROAD || Math.hypot(x, y) > 6) continue;
        near++;
        const height = m[2]! * x + m[6]! * y + m[10]! * z + m[14]!;
        expect(Math.abs(height)).toBeLessThan(0.25);
      }
      expect(near).toBeGreaterThan(50);
    },
  );

  test("has another height and tilt for another seed", async () => {
    const mounts = await Promise.all(
      [1, 2].map(async (seed) => mountOf(await ExampleDrive.record({ ...QUICK, seed, sensor: "random" }))),
    );
    for (const at of [2, 6, 14]) expect(mounts[0]![at]).not.toBeCloseTo(mounts[1]![at]!, 3);
  });
});

describe("the response of a LiDAR", () => {
  let world: World;
  beforeAll(() => {
    world = new World({ seed: 6, travel: 1, egoSpeed: 8 });
  });

  function scan(response: LidarResponse) {
    const lidar = new SpinningLidar({
      preset: LIDAR_PRESETS["hdl-32e"],
      columns: 256,
      period: 0.1,
      frozen: true,
      ideal: false,
      frameId: "lidar",
      response,
    });
    const { x, y } = world.path.poseAt(0, world.layout.laneCenter(1, 0), { x: 0, y: 0, heading: 0 });
    const pose = toMatrix(rigidPose([x, y, world.ground.heightAt(x, y) + 1.8], 0));
    return columnsOf(lidar.scan(world, 0, 0n, 0, () => pose));
  }

  test("loses the share of returns that it should, of roads as of buildings", () => {
    const all = scan(QUIET);
    const some = scan({ ...QUIET, loss: 0.3 });
    for (const classId of [ClassId.ROAD, ClassId.BUILDING]) {
      const count = ({ groundTruth }: typeof all) => groundTruth.filter((id) => id === classId).length;
      expect(count(all)).toBeGreaterThan(300);
      expect(count(some) / count(all)).toBeGreaterThan(0.64);
      expect(count(some) / count(all)).toBeLessThan(0.76);
    }
  });

  test("mixes ranges at edges only, and at most half way", () => {
    const clean = scan(QUIET);
    const edges = scan({ ...QUIET, mixed: 1 });
    const moved = (other: typeof clean) => {
      const place = (of: typeof clean, i: number) =>
        Math.hypot(of.xyz[3 * i]!, of.xyz[3 * i + 1]!, of.xyz[3 * i + 2]!);
      const ranges = new Map<string, number>();
      for (let i = 0; i < clean.count; i++) {
        const azimuth = Math.atan2(clean.xyz[3 * i + 1]!, clean.xyz[3 * i]!).toFixed(3);
        ranges.set(`${clean.ring[i]} ${azimuth}`, place(clean, i));
      }
      const shifts: number[] = [];
      for (let i = 0; i < other.count; i++) {
        const azimuth = Math.atan2(other.xyz[3 * i + 1]!, other.xyz[3 * i]!).toFixed(3);
        const range = ranges.get(`${other.ring[i]} ${azimuth}`);
        if (range !== undefined) shifts.push(Math.abs(place(other, i) - range));
      }
      return shifts;
    };
    const shifts = moved(edges);
    expect(shifts.length).toBeGreaterThan(2000);
    const share = shifts.filter((shift) => shift > 0.01).length / shifts.length;
    expect(share).toBeGreaterThan(0.005);
    expect(share).toBeLessThan(0.2);
    expect(Math.max(...shifts)).toBeLessThanOrEqual(2.001);
  });

  test("gives dark paint 0 where it takes that much off, and less the more slanted and the farther", () => {
    const response = { ...STANDARD_RESPONSE, dark: 0.1 };
    expect(intensityOf(response, 0.09, 1, 5, 100)).toBeLessThan(0);
    expect(intensityOf(response, 0.5, 1, 5, 100)).toBeGreaterThan(0.3);
    for (let seed = 0; seed < 50; seed++) {
      const drawn = randomResponse(new Random(seed));
      expect(intensityOf(drawn, 0.4, 0.2, 10, 100)).toBeLessThan(intensityOf(drawn, 0.4, 1, 10, 100));
      expect(intensityOf(drawn, 0.4, 1, 60, 100)).toBeLessThanOrEqual(intensityOf(drawn, 0.4, 1, 10, 100));
    }
  });
});

describe("a green street", () => {
  test("has more vegetation than the standard one in a scan, over five seeds", async () => {
    const shares = { standard: 0, green: 0 };
    for (const street of ["standard", "green"] as const) {
      for (let seed = 1; seed <= 5; seed++) {
        const drive = await ExampleDrive.record({ ...QUICK, seed, street });
        const { groundTruth, count } = columnsOf(drive.scans[0]!);
        shares[street] += groundTruth.filter((id) => id === ClassId.VEGETATION).length / count / 5;
      }
    }
    expect(shares.green).toBeGreaterThan(1.5 * shares.standard);
  });
});
