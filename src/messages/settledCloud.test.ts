import { describe, expect, test } from "@jest/globals";
import { appendFields } from "./appendFields.js";
import { header } from "./exampleMessages.js";
import { filterPoints } from "./filterPoints.js";
import { decodePointCloud2, layOutPointCloud2 } from "./pointCloud2.js";
import { readXyz } from "./pointColumns.js";
import { settledCloud } from "./settledCloud.js";
import { PointFieldType, type PointCloud2 } from "./types.js";

const FIELDS = ["x", "y", "z"].map((name, i) => ({
  name,
  offset: 4 * i,
  datatype: PointFieldType.FLOAT32,
  count: 1,
}));

/** Coordinates 1, 2, 3, ... of `height` x `width` points of 16 bytes, `padding` bytes behind each row. */
function cloudOf(height: number, width: number, padding = 0, littleEndian = true): PointCloud2 {
  const rowStep = 16 * width + padding;
  const data = new Uint8Array(height * rowStep);
  const view = new DataView(data.buffer);
  for (let point = 0; point < height * width; point++) {
    const at = Math.floor(point / width) * rowStep + (point % width) * 16;
    for (let axis = 0; axis < 3; axis++) view.setFloat32(at + 4 * axis, 3 * point + axis + 1, littleEndian);
  }
  return {
    header,
    height,
    width,
    fields: FIELDS,
    isBigEndian: !littleEndian,
    pointStep: 16,
    rowStep,
    data,
    isDense: true,
  };
}

/** As a driver would send it that cares for nothing but the data. */
function sent(cloud: PointCloud2): PointCloud2 {
  const { cdr, payload } = layOutPointCloud2(cloud, cloud.data.length);
  payload.set(cloud.data);
  return decodePointCloud2(cdr);
}

function counting(values: number): number[] {
  return Array.from({ length: values }, (_, i) => i + 1);
}

describe("a cloud whose redundant fields are wrong", () => {
  test.each<[string, PointCloud2, string]>([
    ["row_step 0", { ...cloudOf(1, 5), rowStep: 0 }, "row_step is 0 instead of 80 bytes"],
    ["row_step = width", { ...cloudOf(1, 5), rowStep: 5 }, "row_step is 5 instead of 80 bytes"],
    ["row_step of a larger cloud", { ...cloudOf(3, 5), rowStep: 4096 }, "row_step is 4096 instead of 80"],
    ["row_step = width, rows padded", { ...cloudOf(3, 5, 8), rowStep: 5 }, "row_step is 5 instead of 88"],
    ["height 0", { ...cloudOf(1, 5), height: 0 }, "height is 0 and width 5, but the data are 5 points of 16"],
    ["width 0", { ...cloudOf(1, 5), height: 5, width: 0 }, "height is 5 and width 0, but the data are 5"],
    [
      "a buffer that is larger than what is in it",
      { ...cloudOf(1, 5), data: Uint8Array.of(...cloudOf(1, 5).data, ...new Uint8Array(37)) },
      "data has 117 bytes instead of row_step 80 * height 1 = 80; what is behind the last point is ignored",
    ],
  ])("is read by its data: %s", (_, cloud, oddity) => {
    const read = sent(cloud);
    const points = cloud.data.length >= 240 ? 15 : 5;
    expect([...readXyz(read)]).toEqual(counting(3 * points));
    expect(read.oddities).toEqual([expect.stringContaining(oddity)]);
    const labelled = decodePointCloud2(
      appendFields(read, [{ name: "label", datatype: PointFieldType.UINT8, values: new Uint8Array(points) }]),
    );
    expect([...readXyz(labelled)]).toEqual(counting(3 * points));
    expect(labelled.oddities).toBeUndefined();
    const kept = decodePointCloud2(filterPoints(read, new Uint8Array(points).fill(1)));
    expect([...readXyz(kept)]).toEqual(counting(3 * points));
  });

  test("the last row may do without its padding", () => {
    const cloud = cloudOf(3, 5, 7);
    const read = sent({ ...cloud, data: cloud.data.subarray(0, cloud.data.length - 7) });
    expect([...readXyz(read)]).toEqual(counting(45));
    expect(read.oddities).toBeUndefined();
  });

  test("a sound cloud is left alone, padded or not", () => {
    expect(sent(cloudOf(2, 5)).oddities).toBeUndefined();
    expect(sent(cloudOf(2, 5, 12)).rowStep).toBe(92);
  });

  test("bytes that two readings would explain differently stay a fault", () => {
    const cloud = cloudOf(3, 5);
    expect(() => sent({ ...cloud, width: 6 })).toThrow("row_step: 80 is less than width 6 * point_step 16");
    expect(() => sent({ ...cloud, data: cloud.data.subarray(0, 239 - 16) })).toThrow("data: 223 bytes");
  });

  test.each([true, false])("is_bigendian is not believed against the coordinates (little: %s)", (little) => {
    const cloud = cloudOf(1, 20, 0, little);
    const read = sent({ ...cloud, isBigEndian: little });
    expect([...readXyz(read)]).toEqual(counting(60));
    expect(read.oddities).toEqual([
      expect.stringContaining("but the coordinates are numbers only when read as"),
    ]);
    expect(sent(cloud).oddities).toBeUndefined();
  });

  test("an is_bigendian that is neither 0 nor 1 is no big-endian", () => {
    const cloud = cloudOf(1, 3);
    const read = settledCloud({ ...cloud, bigEndianByte: 205 });
    expect(read.isBigEndian).toBe(false);
    expect(read.oddities).toEqual([
      "is_bigendian is 205 instead of 0 or 1; the data are read as little-endian",
    ]);
  });

  test("zeros and NaN speak for no byte order", () => {
    const cloud = cloudOf(1, 20);
    const floats = new Float32Array(cloud.data.buffer);
    floats.fill(NaN);
    expect(sent({ ...cloud, isBigEndian: true }).isBigEndian).toBe(true);
    floats.fill(0);
    expect(sent({ ...cloud, isBigEndian: true }).isBigEndian).toBe(true);
  });
});

test("a field that ends behind the point is left out and said, unless it is a coordinate", () => {
  const point = [0, 4, 8, 12].map(
    (offset, i) => ({ name: ["x", "y", "z", "intensity"][i]!, offset, datatype: 7, count: 1 }) as const,
  );
  const sound: PointCloud2 = {
    header: { stamp: 1n, frameId: "lidar" },
    height: 1,
    width: 2,
    fields: point,
    isBigEndian: false,
    pointStep: 16,
    rowStep: 32,
    data: new Uint8Array(32),
    isDense: true,
  };
  const message = (name: string): Uint8Array => {
    const fields = point.map((field) => (field.name === name ? { ...field, count: 9 } : field));
    const { data, ...rest } = sound;
    return layOutPointCloud2({ ...rest, fields }, data.length).cdr;
  };
  const { fields, oddities } = decodePointCloud2(message("intensity"));
  expect(fields.map(({ name }) => name)).toEqual(["x", "y", "z"]);
  expect(oddities).toEqual([
    'the fields "intensity" (up to byte 48) end behind the point_step of 16 bytes, and are left out',
  ]);
  expect(() => decodePointCloud2(message("x"))).toThrow(
    '"x" (offset 0, datatype 7, count 9) ends at byte 36',
  );
});
