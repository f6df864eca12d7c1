import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { describeWithRealData } from "../../test/support/realData.mjs";
import { SERIALIZATION_ORDERS } from "./geometryConfig.js";
import { pairNames } from "./pairTables.js";
import { ScanGeometryBuilder } from "./ScanGeometryBuilder.js";
import { spinningScan } from "./spinningScan.js";
import type { GeometryConfig, PairTables, ScanGeometry } from "./types.js";

type NpyArray = Parameters<typeof runReference>[1][string];

interface Case {
  readonly name: string;
  readonly xyz: Float32Array;
  readonly config: GeometryConfig;
}

const EVERYTHING: GeometryConfig = {
  gridSize: 0.05,
  pointRange: [-100, -100, -10, 100, 100, 10],
  orders: SERIALIZATION_ORDERS,
  pairs: true,
  stemKernelSize: 5,
  stages: Array.from({ length: 5 }, () => ({ convolution: true, patchSize: 64 })),
};

/** Tables under the names that test/reference/scan_geometry.py gives them. */
function named(geometry: ScanGeometry, orderCount: number): Map<string, NpyArray> {
  const tables = new Map<string, NpyArray>();
  const add = (name: string, data: Int32Array | undefined, ...shape: number[]): void => {
    if (data !== undefined) tables.set(name, { data, shape });
  };
  const first = geometry.stages[0]!.voxelCount;
  add("point_to_voxel", geometry.pointToVoxel, geometry.pointCount);
  add("representative", geometry.representative, first);
  add("stem_neighbors", geometry.stemNeighbors, first, 125);
  const addPairs = (table: string, pairs: PairTables | undefined): void => {
    if (pairs === undefined) return;
    const { source, counts, slots, slotWidth, rest, restWidth, restRow } = pairs;
    const [sourceName, countsName, slotsName, restName, restRowName] = pairNames(table);
    add(sourceName, source, source.length);
    add(countsName, counts, counts.length);
    add(slotsName, slots, slots.length / slotWidth, slotWidth);
    add(restName, rest, rest.length / restWidth, restWidth);
    add(restRowName, restRow, restRow.length);
  };
  addPairs("stem_neighbors", geometry.stemPairs);
  for (const [index, stage] of geometry.stages.entries()) {
    const { voxelCount, serialization } = stage;
    add(`coordinates_${index}`, stage.coordinates, voxelCount, 3);
    add(`neighbors_${index}`, stage.neighbors, voxelCount, 27);
    addPairs(`neighbors_${index}`, stage.pairs);
    if (serialization !== undefined) {
      const { patchCount, patchSize, order, inverse } = serialization;
      add(`order_${index}`, order, orderCount, patchCount, patchSize);
      add(`inverse_${index}`, inverse, orderCount, voxelCount);
    }
    add(`parent_${index}`, stage.parent, voxelCount);
    add(`children_${index}`, stage.children, geometry.stages[index + 1]?.voxelCount ?? 0, 8);
  }
  return tables;
}

/** One sentence on the first difference, or "equal"; quicker and shorter than a matcher on a million numbers. */
function compare(actual: NpyArray, expected: NpyArray): string {
  if (actual.shape.join() !== expected.shape.join()) {
    return `shape [${actual.shape.join()}], expected [${expected.shape.join()}]`;
  }
  for (let i = 0; i < expected.data.length; i++) {
    if (actual.data[i] !== expected.data[i]) {
      return `entry ${i} is ${String(actual.data[i])}, expected ${String(expected.data[i])}`;
    }
  }
  return "equal";
}

function expectSameTables(cases: readonly Case[]): void {
  const clouds = cases.map(({ xyz }, index) => [
    `cloud_${index}`,
    { data: xyz, shape: [xyz.length / 3, 3] } satisfies NpyArray,
  ]);
  const configs = cases.map(({ config }) => config);
  const results = runReference(
    "scan_geometry.py",
    Object.fromEntries(clouds) as Record<string, NpyArray>,
    configs,
  );
  for (const [index, { name, xyz, config }] of cases.entries()) {
    const actual = named(new ScanGeometryBuilder(config).build(xyz, xyz.length / 3), config.orders.length);
    const prefix = `${index}.`;
    const expected = Object.entries(results).filter(([table]) => table.startsWith(prefix));
    expect([name, ...actual.keys()].sort()).toEqual(
      [name, ...expected.map(([table]) => table.slice(prefix.length))].sort(),
    );
    for (const [table, array] of expected) {
      const actualTable = actual.get(table.slice(prefix.length))!;
      expect(`${name}: ${table} ${compare(actualTable, array)}`).toBe(`${name}: ${table} equal`);
    }
  }
}

/** Points in a box of the given half extents, the same for the same seed. */
function cloud(seed: number, count: number, extents: readonly [number, number, number]): Float32Array {
  let state = seed;
  return Float32Array.from({ length: 3 * count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * extents[i % 3]!;
  });
}

/** The centres of all cells of a cube. */
function fullCube(edge: number, gridSize: number): Float32Array {
  const cells = Array.from({ length: edge ** 3 }, (_, i) => [
    Math.floor(i / edge ** 2),
    Math.floor(i / edge) % edge,
    i % edge,
  ]);
  return Float32Array.from(cells.flat(), (cell) => (cell + 0.5) * gridSize);
}

describeWithPython("scan geometry against the NumPy implementation", () => {
  test("no points, nothing inside, one voxel, two voxels", () => {
    expectSameTables([
      { name: "no points", xyz: new Float32Array(0), config: EVERYTHING },
      { name: "all NaN", xyz: new Float32Array(30).fill(NaN), config: EVERYTHING },
      { name: "all outside", xyz: new Float32Array(30).fill(1000), config: EVERYTHING },
      { name: "one voxel", xyz: Float32Array.of(1, 2, 3, 1.01, 2.01, 3.01), config: EVERYTHING },
      { name: "two voxels", xyz: Float32Array.of(1, 2, 3, 1.06, 2, 3), config: EVERYTHING },
      {
        name: "infinite",
        xyz: Float32Array.of(Infinity, 0, 0, 1, 1, 1, 0, -Infinity, 0),
        config: EVERYTHING,
      },
    ]);
  });

  test("random clouds of many sizes, depths and patch sizes", () => {
    const sizes = [2, 3, 10, 50, 300, 2000, 8000];
    expectSameTables(
      sizes.flatMap((count, index) =>
        [0.01, 0.05, 0.6].map((gridSize, variant) => ({
          name: `${count} points at ${gridSize} m`,
          xyz: cloud(index * 3 + variant, count, [6 * (index + 1), 110, 4]),
          config: {
            ...EVERYTHING,
            gridSize,
            stages: EVERYTHING.stages.map(({ convolution }) => ({
              convolution,
              patchSize: 1 + 31 * variant,
            })),
          },
        })),
      ),
    );
  });

  test("points outside the range, moved to its faces", () => {
    const xyz = cloud(11, 4000, [90, 60, 8]);
    xyz.set([NaN, 0, 0, 0, Infinity, 0, 35.2, -35.2, 2, 1e30, -1e30, 0]);
    const pointRange = [-35.2, -35.2, -4, 35.2, 35.2, 2] as const;
    const cases = [0.05, 0.4].map((gridSize) => ({
      name: `clamped at ${gridSize} m`,
      xyz,
      config: { ...EVERYTHING, gridSize, pointRange, clamp: true },
    }));
    expectSameTables(cases);
    const clamped = new ScanGeometryBuilder(cases[1]!.config).build(xyz, 4000);
    expect([...clamped.pointToVoxel].filter((voxel) => voxel < 0)).toHaveLength(2);
    const left = new ScanGeometryBuilder({ ...cases[1]!.config, clamp: false }).build(xyz, 4000);
    expect([...left.pointToVoxel].filter((voxel) => voxel < 0).length).toBeGreaterThan(2000);
  });

  test("the largest grid, with coordinates of 16 bits", () => {
    const xyz = cloud(7, 3000, [32.7, 32.7, 32.7]);
    xyz.set([-32.7, -32.7, -32.7, 32.835, 0, 0]);
    expectSameTables([
      {
        name: "16 bits",
        xyz,
        config: { ...EVERYTHING, gridSize: 0.001, pointRange: [-40, -40, -40, 40, 40, 40] },
      },
    ]);
  });

  test("voxels that fill their patches exactly, and one more or less", () => {
    const cube = fullCube(8, 0.05);
    expectSameTables(
      [cube, cube.subarray(3), Float32Array.of(...cube, -0.01, 0, 0)].map((xyz) => ({
        name: `${xyz.length / 3} voxels`,
        xyz,
        config: EVERYTHING,
      })),
    );
  });

  test("tables only where a stage needs them", () => {
    const none = { convolution: false, patchSize: 0 };
    const convolution = { convolution: true, patchSize: 0 };
    const attention = { convolution: false, patchSize: 100 };
    const xyz = cloud(8, 3000, [5, 5, 1]);
    const variants: Partial<GeometryConfig>[] = [
      { stemKernelSize: 3, stages: [none] },
      { stemKernelSize: 5, stages: [none] },
      { stemKernelSize: 3, orders: [], stages: [none, none, convolution] },
      { stemKernelSize: 5, stages: [none, none, convolution, none] },
      { stemKernelSize: 5, stages: [none, convolution, attention] },
      { stemKernelSize: 3, orders: ["hilbert"], stages: [convolution, convolution, attention, attention] },
      { stemKernelSize: 3, orders: ["hilbert-trans", "z-trans"], stages: [attention, none, attention] },
      {
        stemKernelSize: 3,
        gridSize: 3,
        stages: Array.from({ length: 8 }, () => ({ convolution: true, patchSize: 2 })),
      },
    ];
    expectSameTables(
      variants.map((variant, index) => ({
        name: `variant ${index}`,
        xyz,
        config: { ...EVERYTHING, ...variant },
      })),
    );
  });

  test("a synthetic spinning scan", () => {
    const xyz = spinningScan({ pointCount: 40_000, rings: 64, seed: 1 });
    expectSameTables([{ name: "scan", xyz, config: EVERYTHING }]);
  });
});

describeWithPython("neighbour tables against SciPy's k-d tree", () => {
  test.each([
    ["a synthetic spinning scan", spinningScan({ pointCount: 20_032, rings: 64, seed: 2 })],
    ["a dense random cloud", cloud(9, 8000, [0.8, 0.8, 0.4])],
  ])("%s", (_, xyz) => {
    const { stages, stemNeighbors } = new ScanGeometryBuilder(EVERYTHING).build(xyz, xyz.length / 3);
    const { voxelCount, coordinates, neighbors } = stages[0]!;
    const results = runReference("scan_neighbors.py", {
      coordinates: { data: coordinates, shape: [voxelCount, 3] },
    });
    expect(compare({ data: neighbors!, shape: [voxelCount, 27] }, results["kernel_3"]!)).toBe("equal");
    expect(compare({ data: stemNeighbors!, shape: [voxelCount, 125] }, results["kernel_5"]!)).toBe("equal");
  });
});

describeWithPython("scan geometry of real scans", () => {
  describeWithRealData("KITTI raw", "kitti_raw", (folder) => {
    test("equals the NumPy implementation", () => {
      const scans = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
        file.endsWith(".bin"),
      );
      const bytes = readFileSync(path.join(folder, scans.sort()[0]!));
      const records = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      const xyz = records.filter((_, i) => i % 4 !== 3);
      expect(xyz.length / 3).toBeGreaterThan(100_000);
      expectSameTables([
        {
          name: "published",
          xyz,
          config: {
            ...EVERYTHING,
            stages: EVERYTHING.stages.map(({ convolution }) => ({ convolution, patchSize: 1024 })),
          },
        },
        {
          name: "short range",
          xyz,
          config: { ...EVERYTHING, pointRange: [-20, -20, -3, 20, 20, 1], stemKernelSize: 3 },
        },
      ]);
    });
  });
});
