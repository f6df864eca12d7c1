import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { appendFields } from "./appendFields.js";
import { filterPoints } from "./filterPoints.js";
import { datatypeBytes, decodePointCloud2, encodePointCloud2, pointCount } from "./pointCloud2.js";
import { readColumn, readXyz } from "./pointColumns.js";
import { PointFieldType, type PointCloud2, type PointField } from "./types.js";

/** Clouds with fields of any datatype in any order, gaps between them, padded rows and random bytes. */
const randomCloud: fc.Arbitrary<PointCloud2> = fc
  .record({
    height: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 20 }),
    layout: fc.shuffledSubarray(["x", "y", "z", "intensity", "t"], { minLength: 5 }).chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc.record({
            name: fc.constant(name),
            gap: fc.nat(3),
            datatype: fc.constantFrom(...Object.values(PointFieldType)),
          }),
        ),
      ),
    ),
    isBigEndian: fc.boolean(),
    tail: fc.nat(5),
    rowPadding: fc.nat(9),
    seed: fc.nat(),
  })
  .map(({ height, width, layout, isBigEndian, tail, rowPadding, seed }) => {
    let end = 0;
    const fields = layout.map(({ name, gap, datatype }): PointField => {
      const offset = end + gap;
      end = offset + datatypeBytes(datatype);
      return { name, offset, datatype, count: 1 };
    });
    const pointStep = end + tail;
    const rowStep = width * pointStep + rowPadding;
    const data = Uint8Array.from(
      { length: rowStep * height },
      (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24,
    );
    const header = { stamp: BigInt(seed), frameId: "lidar" };
    return { header, height, width, fields, isBigEndian, pointStep, rowStep, data, isDense: false };
  });

describeWithPython("point columns against rosbags and NumPy", () => {
  test("random clouds are read, labelled and filtered alike", () => {
    const seed = Math.trunc(Math.random() * 0x7fff_ffff);
    const clouds = [
      ...fc.sample(randomCloud, { seed: 7, numRuns: 40 }),
      ...fc.sample(randomCloud, { seed, numRuns: 40 }),
    ];
    const cases = clouds.map((cloud) => {
      const points = pointCount(cloud);
      const values = Float32Array.from({ length: points }, (_, i) => i / 7);
      const labels = Uint16Array.from({ length: points }, (_, i) => 60000 + i);
      const cdr = encodePointCloud2(cloud);
      const labelledCdr = appendFields(decodePointCloud2(cdr), [
        { name: "label", datatype: PointFieldType.UINT16, values: labels },
        { name: "confidence", datatype: PointFieldType.FLOAT32, values },
      ]);
      const labelled = decodePointCloud2(labelledCdr);
      const keep = Uint8Array.from({ length: points }, (_, i) => (i % 3 === 1 ? 1 : 0));
      return { cdr, labelledCdr, labelled, keep, kept: filterPoints(labelled, keep) };
    });
    const expected = runReference(
      "point_columns.py",
      Object.fromEntries(
        cases.flatMap(({ cdr, labelledCdr, keep, kept }, k) => [
          [`cloud_${k}`, { data: cdr, shape: [cdr.length] }],
          [`labelled_${k}`, { data: labelledCdr, shape: [labelledCdr.length] }],
          [`keep_${k}`, { data: keep, shape: [keep.length] }],
          [`kept_${k}`, { data: kept, shape: [kept.length] }],
        ]),
      ),
    );
    cases.forEach(({ labelled }, k) => {
      const place = { seed, cloud: k };
      expect({ ...place, xyz: readXyz(labelled) }).toEqual({ ...place, xyz: expected[`xyz_${k}`]!.data });
      for (const { name } of labelled.fields) {
        const column = readColumn(labelled, name, new Float64Array(pointCount(labelled)));
        expect({ ...place, name, column }).toEqual({
          ...place,
          name,
          column: expected[`${name}_${k}`]!.data,
        });
      }
    });
  });
});
