import { describe, expect, test } from "@jest/globals";
import { pointCloud2 } from "./exampleMessages.js";
import { hasField, readColumn, readFloat32Column, readXyz } from "./pointColumns.js";
import { PointFieldType, type PointCloud2 } from "./types.js";

const NAMES = Object.keys(PointFieldType) as (keyof typeof PointFieldType)[];

type Setter = (view: DataView, at: number, value: number, littleEndian: boolean) => void;

const SETTERS: Record<keyof typeof PointFieldType, Setter> = {
  INT8: (view, at, value) => {
    view.setInt8(at, value);
  },
  UINT8: (view, at, value) => {
    view.setUint8(at, value);
  },
  INT16: (view, ...rest) => {
    view.setInt16(...rest);
  },
  UINT16: (view, ...rest) => {
    view.setUint16(...rest);
  },
  INT32: (view, ...rest) => {
    view.setInt32(...rest);
  },
  UINT32: (view, ...rest) => {
    view.setUint32(...rest);
  },
  FLOAT32: (view, ...rest) => {
    view.setFloat32(...rest);
  },
  FLOAT64: (view, ...rest) => {
    view.setFloat64(...rest);
  },
};

/** 2 rows of 2 points, one field at an odd offset, rows padded; written with DataView. */
function cloudOf(type: keyof typeof PointFieldType, isBigEndian: boolean, values: number[]): PointCloud2 {
  const pointStep = 12;
  const rowStep = 31;
  const data = new Uint8Array(2 * rowStep).fill(0xee);
  const view = new DataView(data.buffer);
  values.forEach((value, i) => {
    const at = Math.floor(i / 2) * rowStep + (i % 2) * pointStep + 3;
    SETTERS[type](view, at, value, !isBigEndian);
  });
  const fields = ["x", "y", "z"].map((name) => ({
    name,
    offset: 3,
    datatype: PointFieldType[type],
    count: 1,
  }));
  return { ...pointCloud2, width: 2, height: 2, fields, isBigEndian, pointStep, rowStep, data };
}

describe.each(NAMES)("%s", (type) => {
  test.each([false, true])("is read as float32 (big-endian: %s)", (isBigEndian) => {
    const values = type.startsWith("UINT") ? [0, 1, 127, 200] : [-3, 100, 0, -128];
    const cloud = cloudOf(type, isBigEndian, values);
    expect([...readFloat32Column(cloud, "x")]).toEqual(values);
    expect([...readXyz(cloud)]).toEqual(values.flatMap((value) => [value, value, value]));
  });
});

describe("point columns", () => {
  test("NaN and infinities pass through, float32 bits of x, y, z exactly", () => {
    const values = [NaN, Infinity, -Infinity, -0];
    expect([...readFloat32Column(cloudOf("FLOAT64", false, values), "x")]).toEqual(values);
    const cloud = cloudOf("FLOAT32", false, values);
    new DataView(cloud.data.buffer).setUint32(3, 0x7fc1_2345, true);
    const xyz = readXyz(cloud);
    expect(new Uint32Array(xyz.buffer)[0]).toBe(0x7fc1_2345);
  });

  test("keeps what float32 would round, when asked to", () => {
    const time = 1_700_000_001.987654;
    const cloud = cloudOf("FLOAT64", true, [time, 0, 1, 2]);
    expect([...readColumn(cloud, "x", new Float64Array(4))]).toEqual([time, 0, 1, 2]);
    const ids = cloudOf("UINT32", true, [0xffff_0001, 0, 1, 2]);
    expect([...readColumn(ids, "x", new Uint32Array(4))]).toEqual([0xffff_0001, 0, 1, 2]);
  });

  test("uses the given memory when it suffices", () => {
    const cloud = cloudOf("FLOAT32", false, [1, 2, 3, 4]);
    const out = new Float32Array(100).fill(7);
    const xyz = readXyz(cloud, out);
    expect(xyz.buffer).toBe(out.buffer);
    expect(xyz.length).toBe(12);
    expect(out[12]).toBe(7);
    expect(readFloat32Column(cloud, "y", new Float32Array(3)).length).toBe(4);
  });

  test("says which fields there are", () => {
    const flat = { ...pointCloud2, fields: pointCloud2.fields.filter(({ name }) => name !== "z") };
    expect(hasField(pointCloud2, "z")).toBe(true);
    expect(hasField(flat, "z")).toBe(false);
    expect(() => readXyz(flat)).toThrow(
      'sensor_msgs/msg/PointCloud2 fields: there is no "z", only x, y, ring.',
    );
  });

  test("refuses memory of another length", () => {
    expect(() => readColumn(pointCloud2, "x", new Int32Array(7))).toThrow("out has 7 elements instead of");
  });
});
