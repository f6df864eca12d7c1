import { describe, expect, test } from "@jest/globals";
import { encodeImage, IMAGE_TYPE } from "../messages/image.js";
import { EXAMPLE_LAYOUTS, EXAMPLE_STAMP, exampleCloud } from "../messages/examplePointLayouts.js";
import { encodePointCloud2, layOutPointCloud2 } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import { PointFieldType, type CameraInfo, type Image, type PointCloud2 } from "../messages/types.js";
import { FrameImages } from "./FrameImages.js";
import type { FrameImage, ScanFrame, ScanSource } from "./ScanFrame.js";
import { ScanReader } from "./ScanReader.js";

function layout(source: string): (typeof EXAMPLE_LAYOUTS)[number] {
  return EXAMPLE_LAYOUTS.find((example) => example.source.startsWith(source))!;
}

const VELODYNE = exampleCloud(layout("Velodyne"), 1);
const WITHOUT_INTENSITY = exampleCloud(layout("ZED"), 2);

function points(topic: string, cloud = VELODYNE, change: Partial<ScanSource> = {}): ScanSource {
  return {
    kind: "points",
    index: 0,
    topic,
    frameId: "lidar",
    cdr: encodePointCloud2(cloud),
    ...change,
  } as ScanSource;
}

function frame(sources: readonly ScanSource[], change: Partial<ScanFrame> = {}): ScanFrame {
  return { stamp: EXAMPLE_STAMP, topic: "/points", sources, images: [], missing: [], ...change };
}

const NO_IMAGES = new FrameImages([]);
/** Column-major: x and y turned by 90 degrees, then 10 m ahead and 1 m up. */
const TURNED = Float64Array.of(0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 10, 0, 1, 1);

describe("ScanReader", () => {
  test("a cloud without intensity has zeros, which is said once per topic", async () => {
    const reader = new ScanReader({ withIntensity: true });
    const first = await reader.read(frame([points("/zed", WITHOUT_INTENSITY)]), NO_IMAGES);
    expect([...first.intensity!]).toEqual(Array(32).fill(0));
    expect(first.faults.map(({ code, message }) => [code, message])).toEqual([
      [
        "feature-missing",
        "/zed: no intensity among the fields x, y, z, rgb; the model takes 0 instead, which costs quality",
      ],
    ]);
    expect((await reader.read(frame([points("/zed", WITHOUT_INTENSITY)]), NO_IMAGES)).faults).toEqual([]);
    const indifferent = new ScanReader({ withIntensity: false });
    const { faults, intensity } = await indifferent.read(
      frame([points("/zed", WITHOUT_INTENSITY)]),
      NO_IMAGES,
    );
    expect([faults, intensity]).toEqual([[], undefined]);
  });

  test("a field that was set right is mentioned once per topic", async () => {
    const reader = new ScanReader({ withIntensity: false });
    const { cdr, payload } = layOutPointCloud2({ ...VELODYNE, rowStep: 0 }, VELODYNE.data.length);
    payload.set(VELODYNE.data);
    const said: string[][] = [];
    for (const topic of ["/points", "/points", "/other"]) {
      const { xyz, faults } = await reader.read(frame([{ ...points(topic), cdr }]), NO_IMAGES);
      expect(xyz).toEqual(readXyz(VELODYNE));
      said.push(faults.map(({ code, severity, message }) => `${severity} ${code} ${message}`));
    }
    const sentence = (topic: string) =>
      expect.stringMatching(
        `^warning redundant-field ${topic}: row_step is 0 instead of ${VELODYNE.rowStep} bytes`,
      );
    expect(said).toEqual([[sentence("/points")], [], [sentence("/other")]]);
  });

  test("intensity is 0..1, by the user's scale when there is one", async () => {
    const raw = readColumn(VELODYNE, "intensity", new Float32Array(16));
    for (const [scale, expected] of [
      [undefined, 255],
      [510, 510],
    ] as const) {
      const reader = new ScanReader({ withIntensity: true, ...(scale && { intensityScale: scale }) });
      const { intensity } = await reader.read(frame([points("/points")]), NO_IMAGES);
      expect([...intensity!]).toEqual([...raw.map((value) => value / expected)]);
    }
  });

  test("several sources become one cloud in the scan's frame, with their number and scale", async () => {
    const reader = new ScanReader({ withIntensity: true });
    // The source with index 1 is missing.
    const sources = [points("/points"), points("/zed", WITHOUT_INTENSITY, { index: 2, toScan: TURNED })];
    const merged = await reader.read(frame(sources, { mergedFrame: "base_link" }), NO_IMAGES);
    const { cloud, xyz } = merged;
    expect(cloud.header).toEqual({ stamp: EXAMPLE_STAMP, frameId: "base_link" });
    expect([cloud.width, cloud.height, cloud.fields.map(({ name }) => name)]).toEqual([
      48,
      1,
      ["x", "y", "z", "intensity", "source"],
    ]);
    const own = readXyz(VELODYNE);
    const turned = readXyz(WITHOUT_INTENSITY);
    const moved = [...turned].map((_, i) => {
      const at = i - (i % 3);
      return [10 - turned[at + 1]!, turned[at]!, turned[at + 2]! + 1][i % 3]!;
    });
    // Infinities that are rotated become NaN; both are no points.
    const finite = (values: Iterable<number>) => [...values].map((v) => (Number.isFinite(v) ? v : NaN));
    expect(finite(readXyz(cloud))).toEqual(finite([...own, ...moved]));
    expect(xyz).toEqual(readXyz(cloud));
    const numbers = readColumn(cloud, "source", new Int32Array(48));
    expect([...numbers]).toEqual([...Array<number>(16).fill(0), ...Array<number>(32).fill(2)]);
    const intensity = readColumn(cloud, "intensity", new Float32Array(48));
    expect(Math.max(...intensity.subarray(0, 16))).toBe(1);
    expect(Math.max(...intensity.subarray(16))).toBe(0);
  });

  test("the model sees points where they were at the stamp, the output where they were measured", async () => {
    const reader = new ScanReader({ withIntensity: false });
    // 1 m further ahead every 10 ms.
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const poses = Float64Array.from([...identity, ...identity]);
    poses[28] = 1;
    const source = points("/points", VELODYNE, { motion: { first: 0, step: 10_000_000, poses } });
    const { cloud, xyz } = await reader.read(frame([source]), NO_IMAGES);
    expect(readXyz(cloud)).toEqual(readXyz(VELODYNE));
    // Point 2 was measured 6.001 ms after the stamp.
    expect(xyz[6]! - readXyz(VELODYNE)[6]!).toBeCloseTo(0.6001, 5);
    const merged = frame([{ ...source, toScan: TURNED }], { mergedFrame: "base_link" });
    const both = await reader.read(merged, NO_IMAGES);
    expect(readXyz(both.cloud)[6]).toBe(10 - readXyz(VELODYNE)[7]!);
    expect(both.xyz[6]).toBe(xyz[6]);
  });

  test("points exactly in the sensor are no returns, before and after they are moved", async () => {
    const cloud = { ...VELODYNE, data: VELODYNE.data.slice() };
    cloud.data.fill(0, 0, 12);
    cloud.data.fill(0, 5 * cloud.pointStep, 5 * cloud.pointStep + 12);
    const reader = new ScanReader({ withIntensity: false });
    const plain = await reader.read(frame([points("/points", cloud)]), NO_IMAGES);
    expect(plain.noReturnCount).toBe(2);
    expect([...plain.xyz.subarray(0, 3), ...plain.xyz.subarray(15, 18)]).toEqual(Array(6).fill(NaN));
    // The cloud itself is as it came.
    expect(readXyz(plain.cloud)[0]).toBe(0);
    const moved = points("/points", cloud, { toScan: TURNED });
    const merged = await reader.read(frame([moved], { mergedFrame: "base_link" }), NO_IMAGES);
    expect([merged.noReturnCount, merged.xyz[0], merged.xyz[15], readXyz(merged.cloud)[0]]).toEqual([
      2,
      NaN,
      NaN,
      NaN,
    ]);
    const next = await reader.read(frame([points("/points")]), NO_IMAGES);
    expect(next.noReturnCount).toBe(0);
  });

  test("coordinates of a map are moved with all their digits, with motion and without", async () => {
    const pointStep = 24;
    const data = new Uint8Array(3 * pointStep);
    const utm = Float64Array.of(
      500_000.123,
      5_400_000.456,
      312.5,
      500_012.001,
      5_400_007.25,
      311.75,
      0,
      0,
      0,
    );
    data.set(new Uint8Array(utm.buffer));
    const cloud: PointCloud2 = {
      ...VELODYNE,
      width: 3,
      height: 1,
      fields: ["x", "y", "z"].map((name, i) => ({
        name,
        offset: 8 * i,
        datatype: PointFieldType.FLOAT64,
        count: 1,
      })),
      pointStep,
      rowStep: data.length,
      data,
    };
    const toScan = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -500_000, -5_400_000, -310, 1);
    const reader = new ScanReader({ withIntensity: false });
    const { xyz, cloud: merged } = await reader.read(
      frame([points("/utm", cloud, { toScan })], { mergedFrame: "base_link" }),
      NO_IMAGES,
    );
    const expected = [0.123, 0.456, 2.5, 12.001, 7.25, 1.75].map((value) => expect.closeTo(value, 6));
    expect([...xyz.subarray(0, 6)]).toEqual(expected);
    expect([...readXyz(merged).subarray(0, 6)]).toEqual(expected);
    // Unmerged, the output keeps what came.
    const plain = await reader.read(frame([points("/utm", cloud)]), NO_IMAGES);
    expect(readColumn(plain.cloud, "y", new Float64Array(3))[0]).toBe(5_400_000.456);
  });

  test("a field that the user names is intensity, and one that is not there is named", async () => {
    const reader = new ScanReader({ withIntensity: true, intensityField: "ring" });
    const { intensity } = await reader.read(frame([points("/points")]), NO_IMAGES);
    const rings = readColumn(VELODYNE, "ring", new Float32Array(16));
    expect([...intensity!]).toEqual([...rings.map((ring) => ring / 255)]);
    const other = new ScanReader({ withIntensity: true, intensityField: "gloss" });
    const { faults } = await other.read(frame([points("/points")]), NO_IMAGES);
    expect(faults.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^\/points: no field "gloss", which --intensity-field \(parameter intensity_field\) names, among the fields x, y, z, /,
      ),
    ]);
  });

  test("intensities that are mostly beyond the user's scale are named", async () => {
    const reader = new ScanReader({ withIntensity: true, intensityScale: 1 });
    const { faults } = await reader.read(frame([points("/points")]), NO_IMAGES);
    expect(faults.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(
        /^implausible-points \/points: \d+ % of the values of intensity are above 1, which/,
      ),
    ]);
  });

  test("a scale that the values gave, and intensities that are all the same, are said once per topic", async () => {
    const reader = new ScanReader({ withIntensity: true });
    for (const [topic, intensity, expected] of [
      ["/photons", (i: number) => 60 * i, /^\/photons: 95 % of the values of intensity are above 255/],
      [
        "/decibels",
        (i: number) => -80 + i / 2,
        /^\/decibels: all values of intensity are read as the same, the first is -80/,
      ],
      ["/gazebo", () => 0, /^\/gazebo: all values of intensity are read as the same/],
    ] as const) {
      const values = Float32Array.from({ length: 400 }, (_, at) => (at % 4 < 3 ? at : intensity(at >> 2)));
      const cloud: PointCloud2 = {
        ...VELODYNE,
        width: 100,
        height: 1,
        fields: ["x", "y", "z", "intensity"].map((name, i) => ({
          name,
          offset: 4 * i,
          datatype: 7,
          count: 1,
        })),
        pointStep: 16,
        rowStep: 1600,
        data: new Uint8Array(values.buffer),
      };
      const said: string[] = [];
      for (let scan = 0; scan < 3; scan++) {
        const { faults } = await reader.read(frame([points(topic, cloud)]), NO_IMAGES);
        said.push(...faults.map(({ message }) => message));
      }
      expect(said).toEqual([expect.stringMatching(expected)]);
    }
  });

  test("a further source that cannot be read is left out, the first costs the scan, none says why", async () => {
    const reader = new ScanReader({ withIntensity: true });
    const broken = points("/rear", VELODYNE, { cdr: encodePointCloud2(VELODYNE).slice(0, 90) });
    const merged = { mergedFrame: "base_link" };
    const { cloud, faults } = await reader.read(frame([points("/points"), broken], merged), NO_IMAGES);
    expect([cloud.width, faults.map(({ code, place }) => [code, place?.topic])]).toEqual([
      16,
      [["malformed-message", "/rear"]],
    ]);
    await expect(reader.read(frame([broken, points("/points")], merged), NO_IMAGES)).rejects.toMatchObject({
      code: "malformed-message",
    });
    const missing = [{ camera: "/points", reason: "transform-missing: no way" }];
    await expect(reader.read(frame([], { missing }), NO_IMAGES)).rejects.toThrow(
      "no source of points has a place in the scan's frame: /points: transform-missing: no way",
    );
  });
});

describe("a depth image", () => {
  const header = { stamp: EXAMPLE_STAMP, frameId: "optical" };
  const info: CameraInfo = {
    header,
    width: 4,
    height: 2,
    distortionModel: "plumb_bob",
    d: [],
    k: [2, 0, 1.5, 0, 2, 0.5, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [2, 0, 1.5, 0, 0, 2, 0.5, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  };
  const depth: Image = {
    header,
    width: 4,
    height: 2,
    encoding: "16UC1",
    isBigEndian: false,
    step: 8,
    data: new Uint8Array(Uint16Array.of(0, 1000, 2000, 3000, 4000, 5000, 6000, 7000).buffer),
  };
  const source: ScanSource = {
    kind: "depth",
    index: 0,
    topic: "/depth",
    frameId: "optical",
    type: IMAGE_TYPE,
    cdr: encodeImage(depth),
    info,
    rectified: true,
  };

  function colour(width: number, frameId: string): FrameImage {
    const data = Uint8Array.from({ length: width * 2 * 3 }, (_, i) => i);
    const message: Image = {
      ...depth,
      header: { ...header, frameId },
      encoding: "rgb8",
      width,
      step: width * 3,
      data,
    };
    return {
      camera: "color",
      topic: "/color",
      type: IMAGE_TYPE,
      frameId,
      cdr: encodeImage(message),
      info,
      cloudToCamera: new Float64Array(16),
      rectified: true,
      stamp: 0n,
      delta: 0n,
    };
  }

  test("is an organized cloud, coloured by an image of the same frame and size", async () => {
    const reader = new ScanReader({ withIntensity: true });
    const images = new FrameImages([colour(4, "elsewhere"), colour(2, "optical"), colour(4, "optical")]);
    const { cloud, xyz, faults } = await reader.read(frame([source]), images);
    expect([cloud.width, cloud.height, cloud.header.frameId]).toEqual([4, 2, "optical"]);
    expect([...xyz.subarray(0, 6)]).toEqual([NaN, NaN, NaN, -0.25, -0.25, 1]);
    const rgb = new Uint32Array(cloud.data.buffer).filter((_, i) => i % 4 === 3);
    expect(rgb[1]).toBe((3 << 16) | (4 << 8) | 5);
    expect(faults.map(({ message }) => message)).toEqual([
      "/depth: a depth image has no intensity; the model takes 0 instead, which costs quality",
    ]);
  });

  test("has no colour without such an image, and a broken one is reported", async () => {
    const reader = new ScanReader({ withIntensity: false });
    const broken = { ...colour(4, "optical"), cdr: encodeImage(depth).slice(0, 60) };
    const { cloud, faults } = await reader.read(frame([source]), new FrameImages([broken]));
    expect(cloud.fields.map(({ name }) => name)).toEqual(["x", "y", "z"]);
    expect(faults.map(({ code, place }) => [code, place?.topic])).toEqual([["malformed-message", "/color"]]);
  });
});
