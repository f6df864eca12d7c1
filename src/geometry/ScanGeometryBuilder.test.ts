import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { Fault } from "../faults/Fault.js";
import { SERIALIZATION_ORDERS } from "./geometryConfig.js";
import { pairNames } from "./pairTables.js";
import { ScanGeometryBuilder } from "./ScanGeometryBuilder.js";
import { spinningScan } from "./spinningScan.js";
import { TableArena } from "./TableArena.js";
import type { GeometryConfig, ScanGeometry, StageGeometry } from "./types.js";

const CONFIG: GeometryConfig = {
  gridSize: 0.1,
  pointRange: [-20, -20, -5, 20, 20, 5],
  orders: SERIALIZATION_ORDERS,
  stemKernelSize: 5,
  stages: Array.from({ length: 4 }, () => ({ convolution: true, patchSize: 8 })),
};

const SEEDS = [
  ["fixed", { seed: 1 }],
  ["fresh", {}],
] as const;

/** Clouds of clustered points, some outside of the range or not finite. */
const clouds = fc
  .record({
    points: fc.array(
      fc.tuple(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -0.4, max: 0.4, noNaN: true }),
      ),
      { maxLength: 150 },
    ),
    oddities: fc.array(fc.constantFrom(NaN, Infinity, -Infinity, 20, -21, 1e30), { maxLength: 4 }),
  })
  .map(({ points, oddities }) =>
    Float32Array.of(...oddities.flatMap((odd) => [0, odd, 0]), ...points.flat()),
  );

function build(xyz: Float32Array, config = CONFIG): ScanGeometry {
  return new ScanGeometryBuilder(config).build(xyz, xyz.length / 3);
}

function cellOf({ coordinates }: StageGeometry, voxel: number): string {
  return coordinates.subarray(3 * voxel, 3 * voxel + 3).join();
}

function octantOf({ coordinates }: StageGeometry, voxel: number): number {
  const [x, y, z] = coordinates.subarray(3 * voxel, 3 * voxel + 3);
  return 4 * (x! & 1) + 2 * (y! & 1) + (z! & 1);
}

function expectNeighborsByDefinition(stage: StageGeometry, table: Int32Array, kernelSize: number): void {
  const { voxelCount, coordinates } = stage;
  const voxelAt = new Map(Array.from({ length: voxelCount }, (_, voxel) => [cellOf(stage, voxel), voxel]));
  const radius = (kernelSize - 1) / 2;
  const expected: number[] = [];
  for (let voxel = 0; voxel < voxelCount; voxel++) {
    const [x, y, z] = coordinates.subarray(3 * voxel, 3 * voxel + 3);
    for (let dx = -radius; dx <= radius; dx++) {
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dz = -radius; dz <= radius; dz++) {
          expected.push(voxelAt.get([x! + dx, y! + dy, z! + dz].join()) ?? voxelCount);
        }
      }
    }
  }
  expect([...table]).toEqual(expected);
}

describe("points and voxels", () => {
  test.each(SEEDS)("every point inside is in the voxel of its own cell (%s seed)", (_, parameters) => {
    fc.assert(
      fc.property(clouds, (xyz) => {
        const { pointToVoxel, representative, stages } = build(xyz);
        const points = Array.from({ length: xyz.length / 3 }, (_, i) => [...xyz.subarray(3 * i, 3 * i + 3)]);
        const inside = points.map((p) =>
          p.every((value, axis) => value >= CONFIG.pointRange[axis]! && value < CONFIG.pointRange[axis + 3]!),
        );
        const minimum = [0, 1, 2].map((axis) =>
          points.reduce((least, p, i) => (inside[i] === true ? Math.min(least, p[axis]!) : least), Infinity),
        );
        const firstPoint = new Map<number, number>();
        for (const [i, point] of points.entries()) {
          const voxel = pointToVoxel[i]!;
          if (inside[i] === true) {
            const cell = point.map((value, axis) => Math.floor((value - minimum[axis]!) / CONFIG.gridSize));
            expect(cellOf(stages[0]!, voxel)).toBe(cell.join());
            if (!firstPoint.has(voxel)) firstPoint.set(voxel, i);
          } else {
            expect(voxel).toBe(-1);
          }
        }
        expect([...representative]).toEqual(
          Array.from({ length: stages[0]!.voxelCount }, (_, voxel) => firstPoint.get(voxel)),
        );
      }),
      parameters,
    );
  });

  test("voxels 256 apart, whose codes differ only in the upper word, stay apart", () => {
    const { pointToVoxel } = build(Float32Array.of(0, 0, 0, 25.65, 0, 0, 0, 0, 25.65), {
      ...CONFIG,
      pointRange: [-1, -1, -1, 100, 100, 100],
    });
    expect([...pointToVoxel]).toEqual([0, 2, 1]);
  });

  test("a run of points that leaves a voxel and returns keeps its first point", () => {
    const { pointToVoxel, representative } = build(Float32Array.of(1, 0, 0, 0, 0, 0, 1.01, 0, 0, 0.01, 0, 0));
    expect([...pointToVoxel]).toEqual([1, 0, 1, 0]);
    expect([...representative]).toEqual([1, 0]);
  });
});

describe("stages", () => {
  test.each(SEEDS)("parents and children mirror each other (%s seed)", (_, parameters) => {
    fc.assert(
      fc.property(clouds, (xyz) => {
        const { stages } = build(xyz);
        for (const [index, stage] of stages.entries()) {
          const next = stages[index + 1];
          if (next === undefined) {
            expect(stage.parent ?? stage.children).toBeUndefined();
            continue;
          }
          const expected = new Int32Array(8 * next.voxelCount).fill(stage.voxelCount);
          for (let voxel = 0; voxel < stage.voxelCount; voxel++) {
            const parent = stage.parent![voxel]!;
            const halved = stage.coordinates.subarray(3 * voxel, 3 * voxel + 3).map((c) => c >> 1);
            expect(cellOf(next, parent)).toBe(halved.join());
            expected[8 * parent + octantOf(stage, voxel)] = voxel;
          }
          expect([...stage.children!]).toEqual([...expected]);
        }
      }),
      parameters,
    );
  });

  test.each(SEEDS)("neighbours are those of the definition (%s seed)", (_, parameters) => {
    fc.assert(
      fc.property(clouds, (xyz) => {
        const { stages, stemNeighbors } = build(xyz);
        for (const stage of stages) expectNeighborsByDefinition(stage, stage.neighbors!, 3);
        expectNeighborsByDefinition(stages[0]!, stemNeighbors!, 5);
      }),
      { numRuns: 30, ...parameters },
    );
  });

  test.each(SEEDS)("every order has each voxel once and borrows the rest (%s seed)", (_, parameters) => {
    fc.assert(
      fc.property(clouds, (xyz) => {
        for (const { voxelCount, serialization } of build(xyz).stages) {
          const { patchCount, patchSize, order, inverse } = serialization!;
          const slotCount = patchCount * patchSize;
          for (let curve = 0; curve < SERIALIZATION_ORDERS.length; curve++) {
            const slots = [...order.subarray(curve * slotCount, (curve + 1) * slotCount)];
            expect(slots.slice(0, voxelCount).sort((a, b) => a - b)).toEqual([...Array(voxelCount).keys()]);
            expect(slots.slice(voxelCount)).toEqual(
              slots.slice(voxelCount - patchSize, slotCount - patchSize),
            );
            const ownSlots = [...inverse.subarray(curve * voxelCount, (curve + 1) * voxelCount)];
            expect(ownSlots.map((slot) => slots[slot])).toEqual([...Array(voxelCount).keys()]);
            expect(ownSlots.every((slot) => slot < voxelCount)).toBe(true);
          }
        }
      }),
      parameters,
    );
  });
});

describe("memory", () => {
  /** Copies that outlive the arena's next use. */
  const copyOf = (geometry: ScanGeometry): ScanGeometry => structuredClone(geometry);
  /** Much quicker than a matcher on large arrays. */
  const expectSame = (actual: ScanGeometry, expected: ScanGeometry): void => {
    expect(isDeepStrictEqual(copyOf(actual), copyOf(expected))).toBe(true);
  };
  const first = spinningScan({ pointCount: 6400, rings: 64, seed: 1 });
  const second = spinningScan({ pointCount: 3200, rings: 64, seed: 2 });
  const config = { ...CONFIG, pairs: true, pointRange: [-90, -90, -5, 90, 90, 20] } as const;

  /** Under their names in the arena. */
  const tablesOf = (geometry: ScanGeometry): [name: string, table: Int32Array][] => {
    const tables: [string, Int32Array | undefined][] = [
      ["point_to_voxel", geometry.pointToVoxel],
      ["representative", geometry.representative],
      ["stem_neighbors", geometry.stemNeighbors],
    ];
    for (const [index, stage] of geometry.stages.entries()) {
      tables.push([`coordinates_${index}`, stage.coordinates], [`neighbors_${index}`, stage.neighbors]);
      const { source, counts, slots, rest, restRow } = stage.pairs!;
      for (const [kind, name] of pairNames(`neighbors_${index}`).entries()) {
        tables.push([name, [source, counts, slots, rest, restRow][kind]]);
      }
      tables.push([`order_${index}`, stage.serialization?.order]);
      tables.push([`inverse_${index}`, stage.serialization?.inverse]);
      tables.push([`parent_${index}`, stage.parent], [`children_${index}`, stage.children]);
    }
    return tables.filter((entry): entry is [string, Int32Array] => entry[1] !== undefined);
  };

  test("is reused from scan to scan, and what an earlier scan left there changes nothing", () => {
    const builder = new ScanGeometryBuilder(config);
    const arena = new TableArena();
    builder.build(second, 3200, { arena }); // some of its tables are the larger ones
    const geometry = builder.build(first, 6400, { arena });
    const expected = copyOf(geometry);
    const buffers = tablesOf(geometry).map(([, { buffer }]) => buffer);
    for (const buffer of buffers) new Uint8Array(buffer).fill(0xa5);
    expectSame(builder.build(second, 3200, { arena }), build(second, config));
    const again = builder.build(first, 6400, { arena });
    expectSame(again, expected);
    for (const [index, [, { buffer }]] of tablesOf(again).entries()) expect(buffer).toBe(buffers[index]);
  });

  test("travels to another thread and back while the next scan is built in another arena", () => {
    const builder = new ScanGeometryBuilder(config);
    const arena = new TableArena();
    const geometry = builder.build(first, 6400, { arena });
    const expected = copyOf(geometry);
    const received = structuredClone(geometry, {
      transfer: tablesOf(geometry).map(([, { buffer }]) => buffer as ArrayBuffer),
    });
    expect(geometry.pointToVoxel).toHaveLength(0);
    builder.build(second, 3200, { arena: new TableArena() });
    expectSame(received, expected);
    arena.giveBack(tablesOf(received).map(([name, { buffer }]) => [name, buffer as ArrayBuffer]));
    const again = builder.build(first, 6400, { arena });
    expectSame(again, expected);
    expect(again.pointToVoxel.buffer).toBe(received.pointToVoxel.buffer);
  });

  test("the tables of a build do not share buffers", () => {
    const tables = tablesOf(new ScanGeometryBuilder(config).build(first, 6400));
    expect(new Set(tables.map(([, { buffer }]) => buffer)).size).toBe(tables.length);
  });
});

describe("limits", () => {
  const wide = { ...CONFIG, gridSize: 1, pointRange: [-1e6, -1, -1, 1e6, 1, 1], stemKernelSize: 3 } as const;

  test("65536 voxels along an axis are possible", () => {
    const { stages } = build(Float32Array.of(0, 0, 0, 65535.5, 0, 0), wide);
    expect([...stages[0]!.coordinates]).toEqual([0, 0, 0, 65535, 0, 0]);
  });

  test("65537 are a fault that names the axis, and the next scan is built", () => {
    const builder = new ScanGeometryBuilder(wide);
    const xyz = Float32Array.of(0, 0, 0, 65536, 0, 0);
    expect(() => builder.build(xyz, 2)).toThrow(Fault);
    expect(() => builder.build(xyz, 2)).toThrow(
      "spans 65537 voxels of gridSize 1 m along x, but at most 65536",
    );
    expect(builder.build(xyz, 1).stages[0]!.voxelCount).toBe(1);
  });

  test("fewer numbers than points are a defect of the caller", () => {
    expect(() => new ScanGeometryBuilder(CONFIG).build(new Float32Array(8), 3)).toThrow(RangeError);
  });

  test("only the first pointCount points are read", () => {
    const xyz = Float32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2);
    const geometry = new ScanGeometryBuilder(CONFIG).build(xyz, 2);
    expect(geometry.pointToVoxel).toHaveLength(2);
    expect(geometry.stages[0]!.voxelCount).toBe(2);
  });

  test("a bad configuration is refused at once", () => {
    expect(() => new ScanGeometryBuilder({ ...CONFIG, gridSize: -1 })).toThrow("gridSize is -1");
  });
});
