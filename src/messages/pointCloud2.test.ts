import { describe, expect, test } from "@jest/globals";
import { Fault } from "../faults/Fault.js";
import { pointCloud2 } from "./exampleMessages.js";
import { decodePointCloud2, encodePointCloud2, layOutPointCloud2 } from "./pointCloud2.js";
import type { PointCloud2 } from "./types.js";

/** Encodes a cloud without checking it, as a broken driver would. */
function encodeUnchecked(cloud: PointCloud2): Uint8Array {
  const { cdr, payload } = layOutPointCloud2(cloud, cloud.data.length);
  payload.set(cloud.data);
  return cdr;
}

describe("PointCloud2", () => {
  test("data is a view of the message, not a copy", () => {
    const larger = new Uint8Array(1000);
    const cdr = encodePointCloud2(pointCloud2);
    larger.set(cdr, 3);
    const cloud = decodePointCloud2(larger.subarray(3, 3 + cdr.length));
    expect(cloud.data.buffer).toBe(larger.buffer);
    larger.fill(0xdb);
    expect([...new Set(cloud.data)]).toEqual([0xdb]);
  });

  test("an empty cloud is a cloud, even one with rows", () => {
    const empty = { ...pointCloud2, height: 4_000_000_000, width: 0, rowStep: 0, data: new Uint8Array(0) };
    expect(decodePointCloud2(encodePointCloud2(empty))).toEqual(empty);
  });

  test("a field of count 0 is one of count 1", () => {
    const cloud = { ...pointCloud2, fields: [{ ...pointCloud2.fields[0]!, count: 0 }] };
    expect(decodePointCloud2(encodePointCloud2(cloud)).fields[0]!.count).toBe(0);
  });

  const fields = pointCloud2.fields;
  test.each<[string, Partial<PointCloud2>, string]>([
    ["more rows", { height: 3 }, "data: 76 bytes instead of row_step 38 * height 3 = 114"],
    ["missing bytes", { data: new Uint8Array(70) }, "data: 70 bytes instead of row_step 38 * height 2 = 76"],
    [
      "sizes whose product overflows 32 bits",
      { height: 0x8000_0000, rowStep: 0x8000_0000 },
      `data: 76 bytes instead of row_step 2147483648 * height 2147483648 = ${2 ** 62}`,
    ],
    ["rows too short", { width: 4 }, "row_step: 38 is less than width 4 * point_step 11 = 44"],
    [
      "points of no size",
      { pointStep: 0, rowStep: 0, height: 4e9, width: 4e9, fields: [], data: new Uint8Array(0) },
      "point_step: 0 bytes for each of 16000000000000000000 points",
    ],
    [
      "a field beyond the point",
      { fields: [{ ...fields[0]!, offset: 8 }] },
      'fields: "z" (offset 8, datatype 7, count 1) ends at byte 12 of a point_step of 11',
    ],
    [
      "a coordinate beyond the point",
      { fields: [{ ...fields[3]!, name: "x", count: 12 }] },
      'fields: "x" (offset 0, datatype 2, count 12) ends at byte 12 of a point_step of 11',
    ],
    [
      "an unknown datatype",
      { fields: [{ ...fields[0]!, datatype: 9 as never }] },
      'fields[0].datatype: 9 of field "z" is not from 1 to 8',
    ],
  ])("refuses %s", (_, change, message) => {
    const broken = { ...pointCloud2, ...change };
    const expected = new Fault("malformed-message", `sensor_msgs/msg/PointCloud2 ${message}.`);
    expect(() => decodePointCloud2(encodeUnchecked(broken))).toThrow(expected);
  });

  test("does not write what it would not read", () => {
    expect(() => encodePointCloud2({ ...pointCloud2, width: 5 })).toThrow("row_step: 38 is less than");
  });
});
