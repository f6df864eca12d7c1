import { describe, expect, test } from "@jest/globals";
import { appendFields } from "./appendFields.js";
import { pointCloud2 } from "./exampleMessages.js";
import { filterPoints } from "./filterPoints.js";
import { packRgb } from "./packRgb.js";
import { decodePointCloud2 } from "./pointCloud2.js";
import { readColumn, readFloat32Column, readXyz } from "./pointColumns.js";
import { PointFieldType, type PointCloud2 } from "./types.js";

const LABELS = Uint16Array.of(3, 1, 400, 65535, 0, 7);
const CONFIDENCES = Float32Array.of(0.5, 1, 0.25, NaN, 0, 0.125);

const COLUMNS = [
  { name: "label", datatype: PointFieldType.UINT16, values: LABELS },
  { name: "confidence", datatype: PointFieldType.FLOAT32, values: CONFIDENCES },
] as const;

/** 2 x 3 points of 12 bytes, all steps multiples of 4. */
const aligned: PointCloud2 = {
  ...pointCloud2,
  fields: ["x", "y", "z"].map((name, i) => ({ ...pointCloud2.fields[0]!, name, offset: 4 * i })),
  pointStep: 12,
  rowStep: 40,
  data: Uint8Array.from({ length: 80 }, (_, index) => index + 1),
};

function pointBytes(
  { data, rowStep, pointStep, width }: PointCloud2,
  point: number,
  bytes: number,
): number[] {
  const start = Math.floor(point / width) * rowStep + (point % width) * pointStep;
  return [...data.subarray(start, start + bytes)];
}

describe.each([
  ["words", aligned],
  ["words that lie unaligned in memory", { ...aligned, data: new Uint8Array(81).fill(9).subarray(1) }],
  ["odd bytes", pointCloud2],
  ["odd bytes, big-endian", { ...pointCloud2, isBigEndian: true }],
])("appendFields to points of %s", (_, cloud) => {
  const labelled = decodePointCloud2(appendFields(cloud, COLUMNS));

  test("keeps every point's bytes, the order and the header, and drops row padding", () => {
    expect(labelled.header).toEqual(cloud.header);
    expect([labelled.height, labelled.width]).toEqual([2, 3]);
    expect(labelled.rowStep).toBe(3 * labelled.pointStep);
    expect(labelled.isBigEndian).toBe(cloud.isBigEndian);
    for (let i = 0; i < 6; i++) {
      expect(pointBytes(labelled, i, cloud.pointStep)).toEqual(pointBytes(cloud, i, cloud.pointStep));
    }
  });

  test("the new fields hold the values, aligned to their size", () => {
    expect([...readColumn(labelled, "label", new Int32Array(6))]).toEqual([...LABELS]);
    expect([...readFloat32Column(labelled, "confidence")]).toEqual([...CONFIDENCES]);
    expect(labelled.fields.slice(cloud.fields.length)).toEqual([
      { name: "label", offset: 12, datatype: PointFieldType.UINT16, count: 1 },
      { name: "confidence", offset: 16, datatype: PointFieldType.FLOAT32, count: 1 },
    ]);
    expect(labelled.pointStep).toBe(20);
  });
});

describe("appendFields", () => {
  test("a new field takes over the name of an old one, whose bytes stay", () => {
    const rings = Int8Array.of(-1, -2, -3, -4, -5, -6);
    const replaced = decodePointCloud2(
      appendFields(pointCloud2, [{ name: "ring", datatype: PointFieldType.INT8, values: rings }]),
    );
    expect(replaced.fields.map(({ name }) => name)).toEqual(["z", "x", "y", "ring"]);
    expect([...readFloat32Column(replaced, "ring")]).toEqual([...rings]);
    expect(pointBytes(replaced, 4, 11)).toEqual(pointBytes(pointCloud2, 4, 11));
  });

  test.each([false, true])("writes all datatypes (big-endian: %s)", (isBigEndian) => {
    const values = [1, 2, 3, 4, 5, 100];
    const all = [
      { name: "i8", datatype: PointFieldType.INT8, values: Int8Array.from(values, (v) => -v) },
      { name: "u8", datatype: PointFieldType.UINT8, values: Uint8Array.from(values, (v) => 2 * v) },
      { name: "i16", datatype: PointFieldType.INT16, values: Int16Array.from(values, (v) => -300 * v) },
      { name: "u16", datatype: PointFieldType.UINT16, values: Uint16Array.from(values, (v) => 600 * v) },
      { name: "i32", datatype: PointFieldType.INT32, values: Int32Array.from(values, (v) => -70000 * v) },
      { name: "u32", datatype: PointFieldType.UINT32, values: Uint32Array.from(values, (v) => 4e7 * v) },
      { name: "f32", datatype: PointFieldType.FLOAT32, values: Float32Array.from(values, (v) => v / 8) },
      { name: "f64", datatype: PointFieldType.FLOAT64, values: Float64Array.from(values, (v) => v / 3) },
    ] as const;
    const cloud = decodePointCloud2(appendFields({ ...pointCloud2, isBigEndian }, all));
    for (const column of all) {
      expect([...readColumn(cloud, column.name, new Float64Array(6))]).toEqual([...column.values]);
    }
  });

  test("an empty cloud gets the fields", () => {
    const empty = { ...pointCloud2, width: 0, rowStep: 4, data: new Uint8Array(8) };
    const cloud = decodePointCloud2(
      appendFields(empty, [{ name: "label", datatype: PointFieldType.UINT8, values: new Uint8Array(0) }]),
    );
    expect(cloud.fields.at(-1)!.name).toBe("label");
    expect(cloud.data.length).toBe(0);
  });

  test("needs one value per point", () => {
    const values = new Uint8Array(5);
    expect(() =>
      appendFields(pointCloud2, [{ name: "label", datatype: PointFieldType.UINT8, values }]),
    ).toThrow('column "label" has 5 values for 6 points');
  });
});

describe("packRgb", () => {
  test("gives the bits 0x00RRGGBB of each class's colour, and they survive in a cloud", () => {
    const rgb = packRgb(Uint8Array.of(0, 1, 2, 0, 1, 9), [
      [255, 128, 1],
      [0, 0, 255],
      [127, 192, 0],
    ]);
    const expected = [0xff8001, 0x0000ff, 0x7fc000, 0xff8001, 0x0000ff, 0];
    expect([...new Uint32Array(rgb.buffer)]).toEqual(expected);
    for (const isBigEndian of [false, true]) {
      const cloud = decodePointCloud2(
        appendFields({ ...pointCloud2, isBigEndian }, [
          { name: "rgb", datatype: PointFieldType.FLOAT32, values: rgb },
        ]),
      );
      const asBits = {
        ...cloud,
        fields: cloud.fields.map((field) => ({ ...field, datatype: PointFieldType.UINT32 })).slice(-1),
      };
      expect([...readColumn(asBits, "rgb", new Uint32Array(6))]).toEqual(expected);
    }
  });

  test("bits that are a NaN survive too", () => {
    const rgba = new Float32Array(6);
    new Uint32Array(rgba.buffer).fill(0xff80_1234);
    const cloud = decodePointCloud2(
      appendFields(pointCloud2, [{ name: "rgba", datatype: PointFieldType.FLOAT32, values: rgba }]),
    );
    expect(pointBytes(cloud, 5, 16).slice(-4)).toEqual([0x34, 0x12, 0x80, 0xff]);
  });
});

describe("filterPoints", () => {
  test("keeps the chosen points of padded rows with all their bytes, in order", () => {
    const cloud = decodePointCloud2(filterPoints(pointCloud2, Uint8Array.of(0, 1, 1, 0, 0, 255)));
    expect([cloud.height, cloud.width, cloud.pointStep, cloud.rowStep]).toEqual([1, 3, 11, 33]);
    expect(cloud.fields).toEqual(pointCloud2.fields);
    expect([0, 1, 2].map((i) => pointBytes(cloud, i, 11))).toEqual(
      [1, 2, 5].map((i) => pointBytes(pointCloud2, i, 11)),
    );
    expect([...readXyz(cloud).subarray(6)]).toEqual([...readXyz(pointCloud2).subarray(15)]);
  });

  test("may keep nothing", () => {
    expect(decodePointCloud2(filterPoints(pointCloud2, new Uint8Array(6))).width).toBe(0);
  });

  test("needs one decision per point", () => {
    expect(() => filterPoints(pointCloud2, new Uint8Array(7))).toThrow("keep has 7 elements for 6 points");
  });
});
