import { describe, expect, test } from "@jest/globals";
import { ScanGeometryBuilder } from "../geometry/ScanGeometryBuilder.js";
import { exampleGraph, exampleManifest, tensor } from "./exampleManifest.js";
import { geometryConfig } from "./graphContract.js";
import { featureTensor, geometryTensors, hostInputs, selectInputs } from "./graphInputs.js";

const manifest = exampleManifest();

describe("graph inputs", () => {
  test("the geometry that a backbone asks for gives every input that its graph declares", () => {
    const xyz = Float32Array.from({ length: 300 }, (_, index) => ((index * 7919) % 400) / 100 - 2);
    const geometry = new ScanGeometryBuilder(geometryConfig(manifest)).build(xyz, 100);
    const column = Float32Array.from({ length: 100 }, (_, point) => point);
    const feat = featureTensor(manifest.backbone, [column, column], geometry.representative);
    const inputs = selectInputs(hostInputs(exampleGraph()), [...geometryTensors(geometry), feat]);
    const voxels = geometry.representative.length;
    const coarse = geometry.stages[1]!.voxelCount;
    const patch = Math.min(64, coarse);
    expect(inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["feat", [voxels, 2]],
      ["neighbors_0", [voxels, 27]],
      ["parent_0", [voxels]],
      ["children_0", [coarse, 8]],
      ["coordinates_1", [coarse, 3]],
      ["order_1", [2, Math.ceil(coarse / patch), patch]],
      ["inverse_1", [2, coarse]],
    ]);
    for (const { shape, data } of inputs) expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
  });

  test("features are those of the representative points, shifted and scaled", () => {
    const x = new Float32Array([10, 20, 30]);
    const intensity = new Float32Array([0, 0.5, 1]);
    const { data } = featureTensor(manifest.backbone, [x, intensity], new Int32Array([2, 0]));
    expect([...data]).toEqual([30, 1, 10, -1]);
  });

  test("coordinates of points outside the range are those of its faces where a bundle clamps", () => {
    const x = new Float32Array([-80, 20, 80]);
    const intensity = new Float32Array([-80, 0.5, 80]);
    const { backbone } = manifest;
    const voxels = new Int32Array([0, 1, 2]);
    const values = (clamp: boolean): number[] => [
      ...(featureTensor({ ...backbone, clamp }, [x, intensity], voxels).data as Float32Array),
    ];
    const [first, second] = backbone.input_features.map(
      ({ offset, scale }) =>
        (value: number): number =>
          (value - offset) * scale,
    ) as [(value: number) => number, (value: number) => number];
    expect(values(true)).toEqual([-50, -80, 20, 0.5, 50, 80].map((v, i) => (i % 2 ? second : first)(v)));
    expect(values(false)).toEqual([-80, -80, 20, 0.5, 80, 80].map((v, i) => (i % 2 ? second : first)(v)));
  });

  test("an input that nobody made is a defect, not a silent zero", () => {
    expect(() => selectInputs([tensor("feat", "float32", "V0", 2)], [])).toThrow(
      "no tensor was made for graph input feat",
    );
  });
});
