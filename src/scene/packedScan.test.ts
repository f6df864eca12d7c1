import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { packScan, unpackScan, type PackedScan } from "./packedScan.js";

const scan = fc
  .record({
    count: fc.integer({ min: 0, max: 40 }),
    hasTruth: fc.boolean(),
    fields: fc.array(fc.boolean(), { maxLength: 3 }),
    sightings: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
    seed: fc.array(fc.nat(), { minLength: 400, maxLength: 400 }),
  })
  .map(({ count, hasTruth, fields, sightings, seed }) => {
    let at = 0;
    const next = () => seed[at++ % seed.length]!;
    const bytes = (length: number) => Uint8Array.from({ length }, next);
    const words = (length: number) => Uint16Array.from({ length }, next);
    const packed: PackedScan = {
      positions: words(3 * count),
      labels: bytes(count),
      ...(hasTruth && { truth: bytes(count) }),
      fields: fields.map((has) => (has ? bytes(count) : undefined)),
      sightings: sightings.map((seen) => ({
        points: Uint32Array.from({ length: seen }, next).sort(),
        u: words(seen),
        v: words(seen),
        seen: bytes(seen),
      })),
    };
    return packed;
  });

function layoutOf(packed: PackedScan) {
  return {
    origin: [0, 0, 0],
    step: 1,
    fields: packed.fields.map((field) => (field === undefined ? null : ([0, 1] as const))),
    hasTruth: packed.truth !== undefined,
    sightings: packed.sightings.map(({ points }) => points.length),
  } as const;
}

test("what is packed comes out as it was", () => {
  fc.assert(
    fc.property(scan, (packed) => {
      expect(unpackScan(packScan(packed), packed.labels.length, layoutOf(packed))).toEqual(packed);
    }),
  );
});

test("bytes of another layout are refused", () => {
  const packed: PackedScan = {
    positions: Uint16Array.of(1, 2, 3),
    labels: Uint8Array.of(4),
    fields: [],
    sightings: [],
  };
  const bytes = packScan(packed);
  expect(() => unpackScan(bytes.subarray(1), 1, layoutOf(packed))).toThrow("ends after 6 bytes, before 7");
  expect(() => unpackScan(Uint8Array.of(...bytes, 0), 1, layoutOf(packed))).toThrow("8 bytes instead of 7");
});
