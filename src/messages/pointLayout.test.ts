import { describe, expect, test } from "@jest/globals";
import { documentedTable, markdownTable } from "../../test/support/documentedTable.mjs";
import {
  EXAMPLE_COLUMNS,
  EXAMPLE_LAYOUTS,
  EXAMPLE_STAMP,
  exampleCloud,
  examplePoint,
  type ExampleLayout,
} from "./examplePointLayouts.js";
import { IntensityReader } from "./IntensityReader.js";
import { decodePointCloud2, encodePointCloud2 } from "./pointCloud2.js";
import { readColumn, readXyz } from "./pointColumns.js";
import { describeIntensity, describeTime, pointLayout } from "./pointLayout.js";
import { readPointTimes, timeSpan } from "./pointTimes.js";
import type { PointCloud2 } from "./types.js";

/** Half a step of the coarsest clock: seconds since the epoch in double precision. */
const CLOCK_STEP = 240;

describe.each(EXAMPLE_LAYOUTS)("$source", (layout) => {
  test("x, y, z, intensity, times and rings are read from a reused buffer", () => {
    const memory = new Uint8Array(1 << 12);
    const xyz = new Float32Array(3 * 64);
    const offsets = new Float64Array(64);
    const reader = new IntensityReader();
    for (const [seed, start] of [
      [1, 3],
      [2, 8],
    ] as const) {
      xyz.fill(NaN);
      offsets.fill(NaN);
      const cloud = exampleCloud(layout, seed, memory, start);
      const decoded = decodePointCloud2(encodePointCloud2(cloud));
      const read = everything(cloud, reader, xyz, offsets);
      // What was read must be copies: the next message comes into the same memory.
      memory.fill(0xa5);
      compare(read, layout, seed);
      compare(everything(decoded, reader, xyz, offsets), layout, seed);
    }
  });
});

interface Read {
  readonly xyz: Float32Array;
  readonly intensity: Float32Array | undefined;
  readonly fullScale: number | undefined;
  readonly offsets: Float64Array | undefined;
  readonly ring: Int32Array | undefined;
}

function everything(cloud: PointCloud2, reader: IntensityReader, xyz: Float32Array, out: Float64Array): Read {
  const { time, ring } = pointLayout(cloud);
  const times = time && readPointTimes(cloud, time, out);
  if (times) expect(times.base).toBe(EXAMPLE_STAMP);
  const count = cloud.width * cloud.height;
  return {
    xyz: readXyz(cloud, xyz),
    intensity: reader.read(cloud),
    fullScale: reader.fullScale,
    offsets: times?.offsets,
    ring: ring === undefined ? undefined : readColumn(cloud, ring, new Int32Array(count)),
  };
}

function compare(read: Read, layout: ExampleLayout, seed: number): void {
  const count = EXAMPLE_COLUMNS * layout.height;
  const points = Array.from({ length: count }, (_, index) => examplePoint(index, seed));
  expect([...read.xyz]).toEqual(points.flatMap(({ xyz }) => xyz));
  expect(read.fullScale).toBe(layout.fullScale);
  expect(read.intensity === undefined).toBe(layout.fullScale === undefined);
  read.intensity?.forEach((value, i) => {
    expect(Math.abs(value - points[i]!.intensity)).toBeLessThan(0.51 / 255);
  });
  expect(read.offsets === undefined).toBe(layout.time === undefined);
  read.offsets?.forEach((offset, i) => {
    expect(Math.abs(offset - points[i]!.offset)).toBeLessThanOrEqual(CLOCK_STEP);
  });
  const hasRing = layout.fields.some(([name]) => ["ring", "channel", "line"].includes(name));
  expect(read.ring === undefined).toBe(!hasRing);
  if (read.ring) expect([...read.ring]).toEqual(points.map(({ ring }) => ring));
}

describe("IntensityReader", () => {
  const velodyne = EXAMPLE_LAYOUTS[0]!;
  const dark = { ...velodyne, fullScale: 0 };

  test("the scale that holds almost all points is taken at once, and kept in the dark", () => {
    const reader = new IntensityReader();
    expect(reader.fullScale).toBeUndefined();
    reader.read(exampleCloud(dark, 1));
    expect(reader.fullScale).toBe(1);
    reader.read(exampleCloud(velodyne, 1));
    expect(reader.fullScale).toBe(255);
    reader.read(exampleCloud(dark, 1));
    expect(reader.fullScale).toBe(255);
  });

  test.each(["i", "I", "Intensity", "remission", "reflectance", "intensities", "signal"])(
    "a field called %s is intensity",
    (name) => {
      const { fields, ...cloud } = exampleCloud(velodyne, 1);
      const renamed = fields.map((field) => (field.name === "intensity" ? { ...field, name } : field));
      const expected = [...new IntensityReader().read(exampleCloud(velodyne, 1))!];
      const reader = new IntensityReader();
      expect([...reader.read({ ...cloud, fields: renamed })!]).toEqual(expected);
      expect(reader.last).toMatchObject({ field: name, scale: 255, beyond: 0 });
    },
  );

  test("ambient is none, the user may say otherwise, and a name that is not there gives none", () => {
    const { fields, ...cloud } = exampleCloud(velodyne, 1);
    const renamed = fields.map((field) =>
      field.name === "intensity" ? { ...field, name: "ambient" } : field,
    );
    expect(new IntensityReader().read({ ...cloud, fields: renamed })).toBeUndefined();
    const named = new IntensityReader({ field: "ambient" });
    expect(named.read({ ...cloud, fields: renamed })).toHaveLength(16);
    expect(named.read({ ...cloud, fields })).toBeUndefined();
  });

  test("takes the user's scale, and keeps within 0..1", () => {
    const values = new IntensityReader({ scale: 100 }).read(exampleCloud(velodyne, 1))!;
    expect(Math.max(...values)).toBe(1);
    const raw = readColumn(exampleCloud(velodyne, 1), "intensity", new Float32Array(16));
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.min(1, raw[i]! / 100), 6);
    });
  });

  test("NaN is 0", () => {
    const cloud = exampleCloud(velodyne, 1);
    new DataView(cloud.data.buffer).setFloat32(12, NaN, true);
    expect(new IntensityReader().read(cloud)![0]).toBe(0);
  });
});

describe("point times", () => {
  const hesai = EXAMPLE_LAYOUTS.find(({ source }) => source.startsWith("Hesai"))!;
  const time = pointLayout(exampleCloud(hesai, 1)).time!;

  test("a clock that is not that of the stamp is refused", () => {
    const cloud = exampleCloud(hesai, 1);
    const other = { ...cloud, header: { ...cloud.header, stamp: EXAMPLE_STAMP + 3_000_000_000n } };
    expect(() => readPointTimes(other, time)).toThrow(
      'field "timestamp": most points are further than 1 s from the stamp of the header (-2.9',
    );
  });

  test("points without a time have none, and the span is that of the others", () => {
    const cloud = exampleCloud(hesai, 0);
    const view = new DataView(cloud.data.buffer);
    view.setFloat64(18, 0, true);
    view.setFloat64(26 + 18, NaN, true);
    const times = readPointTimes(cloud, time);
    expect([times.offsets[0], times.offsets[1]]).toEqual([NaN, NaN]);
    const [first, last] = timeSpan(times)!;
    expect(Math.abs(first - 6e6)).toBeLessThan(CLOCK_STEP);
    expect(Math.abs(last - 45e6)).toBeLessThan(CLOCK_STEP);
    expect(timeSpan({ base: 0n, offsets: Float64Array.of(NaN) })).toBeUndefined();
  });

  test("double precision seconds may also count from the stamp", () => {
    const relative = { ...hesai, time: { field: "timestamp", encode: (offset: number) => offset / 1e9 } };
    const { offsets } = readPointTimes(exampleCloud(relative, 1), time);
    expect(offsets[4]).toBeCloseTo(examplePoint(4, 1).offset, 3);
  });

  test("milliseconds and microseconds since the epoch are recognized", () => {
    for (const unit of [1e6, 1e3]) {
      const encode = (offset: number): number => (Number(EXAMPLE_STAMP) + offset) / unit;
      const { offsets } = readPointTimes(
        exampleCloud({ ...hesai, time: { field: "timestamp", encode } }, 1),
        time,
      );
      expect(Math.abs(offsets[4]! - examplePoint(4, 1).offset)).toBeLessThan(600);
    }
  });
});

test("docs/inputs.md lists the layouts that are tested here (UPDATE_DOCS=1 writes it)", () => {
  const table = layoutTable();
  expect(documentedTable("docs/inputs.md", "point layouts", table)).toBe(table);
});

const SHORT_TYPES: Readonly<Record<string, string>> = {
  UINT8: "u8",
  UINT16: "u16",
  UINT32: "u32",
  FLOAT32: "f32",
  FLOAT64: "f64",
};

function layoutTable(): string {
  const rows = EXAMPLE_LAYOUTS.map((layout) => {
    const { intensity, time, ring, color } = pointLayout(exampleCloud(layout, 1));
    const more = [ring, color].filter((name) => name !== undefined);
    return [
      layout.source,
      layout.fields.map(([name, , type]) => `${name} ${SHORT_TYPES[type]!}`).join(", "),
      layout.height > 1 ? "yes" : "no",
      intensity ? describeIntensity(intensity) : "none: 0",
      time ? describeTime(time) : "none",
      more.length > 0 ? more.join(", ") : "none",
    ];
  });
  const header = ["source", "fields", "organized", "intensity", "time", "ring or colour"];
  return markdownTable(header, rows);
}
