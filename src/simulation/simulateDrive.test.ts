import { describe, expect, test } from "@jest/globals";
import { Fault } from "../faults/Fault.js";
import { ClassId } from "./classes.js";
import { ExampleDrive } from "./exampleDrive.js";
import { simulateDrive } from "./simulateDrive.js";
import type { SimulatedCamera, SimulateDriveOptions } from "./SimulateDriveOptions.js";

const FRONT: SimulatedCamera = { name: "front", width: 64, height: 32 };
const QUICK: SimulateDriveOptions = {
  seed: 11,
  scanCount: 2,
  columns: 64,
  lidar: "vlp-16",
  cameras: [{ ...FRONT, semantic: true, depth: true }],
};

async function faultOf(options: SimulateDriveOptions): Promise<Fault> {
  try {
    await simulateDrive(options).next();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no Fault was thrown");
}

describe("a simulated drive", () => {
  test("is the same to the last byte for the same options, and another for another seed or LiDAR", async () => {
    const { digest } = await ExampleDrive.record(QUICK);
    expect((await ExampleDrive.record({ ...QUICK })).digest).toBe(digest);
    const variants: Partial<SimulateDriveOptions>[] = [
      { seed: 12 },
      { idealLidar: true },
      { frozenScans: true },
    ];
    const digests = [digest];
    for (const variant of variants) {
      digests.push((await ExampleDrive.record({ ...QUICK, ...variant })).digest);
    }
    expect(new Set(digests).size).toBe(1 + variants.length);
  });

  test("regions are parts of one class each, from 1 on, and tell vehicles of one class apart", async () => {
    const drive = await ExampleDrive.record({
      ...QUICK,
      seed: 3,
      scanCount: 1,
      cameras: [{ name: "front", width: 320, height: 160, semantic: true, regions: true }],
    });
    const classes = drive.images("/camera/front/semantic")[0]!.data;
    const { data, encoding, step } = drive.images("/camera/front/regions")[0]!;
    expect([encoding, step]).toEqual(["mono16", 640]);
    const ids = new Uint16Array(data.buffer, data.byteOffset, classes.length);
    const classOf = new Map<number, number>();
    for (const [pixel, id] of ids.entries()) {
      if (!classOf.has(id)) classOf.set(id, classes[pixel]!);
      expect(classes[pixel]).toBe(classOf.get(id));
    }
    expect([...classOf.keys()].filter((id) => id > 0)).toEqual(
      Array.from({ length: classOf.size - 1 }, (_, index) => index + 1),
    );
    const cars = [...classOf.values()].filter((id) => id === ClassId.CAR);
    expect(cars.length).toBeGreaterThan(1);
  });

  test("publishes scans, images, CameraInfo and transforms in stamp order", async () => {
    const { messages } = await ExampleDrive.record({
      ...QUICK,
      cameras: [
        { ...FRONT, encoding: "raw" },
        { name: "rear", width: 32, height: 16, imagesPerScan: 2 },
      ],
    });
    expect(messages[0]!.topic).toBe("/tf_static");
    for (const [index, { stamp }] of messages.slice(1).entries()) {
      expect(stamp).toBeGreaterThanOrEqual(messages[index]!.stamp);
    }
    for (const sent of messages) {
      if ("header" in sent.message) expect(sent.message.header.stamp).toBe(sent.stamp);
    }
    const count = (topic: string) => messages.filter((message) => message.topic === topic).length;
    expect(count("/lidar/points")).toBe(2);
    expect(count("/camera/front/image_raw")).toBe(2);
    expect(count("/camera/front/camera_info")).toBe(2);
    expect(count("/camera/front/image_raw/compressed")).toBe(0);
    expect(count("/camera/rear/image_raw/compressed")).toBe(4);
    expect(count("/camera/rear/camera_info")).toBe(4);
  });

  test("has images when the LiDAR looks the camera's way", async () => {
    const names = ["front", "left", "rear", "right"];
    const drive = await ExampleDrive.record({
      ...QUICK,
      scanStride: 3,
      cameras: names.map((name) => ({ name, width: 16, height: 16 })),
    });
    const times = (name: string) => drive.times(`/camera/${name}/camera_info`);
    expect(drive.times("/lidar/points")).toEqual([0, 0.3]);
    // The LiDAR begins behind and turns clockwise: left, front, right.
    expect(times("rear")).toEqual([0, 0.3]);
    expect(times("left")).toEqual([0.025, 0.325]);
    expect(times("front")).toEqual([0.05, 0.35]);
    expect(times("right")).toEqual([0.075, 0.375]);
  });

  test("has transforms for every moment of every scan and image", async () => {
    const drive = await ExampleDrive.record({ ...QUICK, transformRate: 7 });
    const turn = 100_000_000n;
    for (const { header } of drive.scans) {
      drive.transforms.lookup("odom", header.frameId, header.stamp);
      drive.transforms.lookup("odom", header.frameId, header.stamp + turn);
    }
    for (const { header } of drive.cameraInfos("front")) {
      drive.transforms.lookup("odom", header.frameId, header.stamp);
    }
  });

  test("has no image of a camera while it fails, and images again afterwards", async () => {
    const drive = await ExampleDrive.record({
      ...QUICK,
      scanCount: 10,
      cameras: [
        { ...FRONT, failures: [[0.2, 0.5]] },
        { ...FRONT, name: "left", failures: [[0.6, Infinity]] },
        { ...FRONT, name: "right" },
      ],
    });
    for (const suffix of ["camera_info", "image_raw/compressed"]) {
      expect(drive.times(`/camera/front/${suffix}`)).toEqual([0.05, 0.15, 0.55, 0.65, 0.75, 0.85, 0.95]);
      expect(drive.times(`/camera/left/${suffix}`)).toEqual([0.025, 0.125, 0.225, 0.325, 0.425, 0.525]);
      expect(drive.times(`/camera/right/${suffix}`)).toHaveLength(10);
    }
    expect(drive.scans).toHaveLength(10);
  });

  test.each<[named: string, options: Partial<SimulateDriveOptions>]>([
    ["seed", { seed: 1.5 }],
    ["scanCount", { scanCount: 0 }],
    ["columns", { columns: 3 }],
    ["scanStride", { scanStride: -1 }],
    ["transformRate", { transformRate: 0 }],
    ["at most 2000 m", { scanCount: 2600 }],
    ["egoSpeed", { egoSpeed: NaN }],
    ["egoSpeed", { egoSpeed: -1 }],
    ["lidar", { lidar: "vlp-17" as "vlp-16" }],
    ['"Front left"', { cameras: [{ name: "Front left" }] }],
    ["front", { cameras: [FRONT, FRONT] }],
    ["horizontalFov", { cameras: [{ ...FRONT, horizontalFov: 180 }] }],
    ["0 x 32", { cameras: [{ ...FRONT, width: 0 }] }],
    ["imagesPerScan", { cameras: [{ ...FRONT, imagesPerScan: 0 }] }],
    ["timeOffset", { cameras: [{ ...FRONT, timeOffset: 0.2 }] }],
    ["failures", { cameras: [{ ...FRONT, failures: [[2, 1]] }] }],
    ["position", { cameras: [{ ...FRONT, position: [0, NaN, 1] }] }],
    ["yaw", { cameras: [{ ...FRONT, yaw: Infinity }] }],
    ["distortion", { cameras: [{ ...FRONT, distortion: [NaN, 0, 0, 0, 0] }] }],
  ])("with %s out of range is refused", async (named, options) => {
    const fault = await faultOf({ ...QUICK, ...options });
    expect(fault.code).toBe("invalid-configuration");
    expect(fault.message).toContain(named);
  });

  test("may have a camera of any name that fits into a topic", async () => {
    const drive = await ExampleDrive.record({ ...QUICK, cameras: [{ ...FRONT, name: "constructor" }] });
    expect(drive.times("/camera/constructor/image_raw/compressed")).toEqual([0.05, 0.15]);
  });
});
