import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { BundleManifest } from "./bundleManifest.js";
import { exampleDetection, exampleGraph, exampleManifest, tensor } from "./exampleManifest.js";
import { ModelBundle } from "./ModelBundle.js";

const folder = mkdtempSync(path.join(tmpdir(), "ditr-bundle-"));
const graphBytes = Buffer.from("the bytes of a graph");
const sha256 = createHash("sha256").update(graphBytes).digest("hex");

function write(manifest: unknown): void {
  writeFileSync(path.join(folder, "bundle.json"), JSON.stringify(manifest));
}

beforeEach(() => {
  writeFileSync(path.join(folder, "image_free.onnx"), graphBytes);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("ModelBundle.load", () => {
  test("gives the graphs with their checked files", async () => {
    write(exampleManifest({ graphs: { image_free: exampleGraph({ sha256 }) } }));
    const bundle = await ModelBundle.load(folder);
    expect(bundle.graphs.map(({ name, path: file }) => [name, file])).toEqual([
      ["image_free", path.join(folder, "image_free.onnx")],
    ]);
    expect([bundle.canFuse, bundle.canRunWithoutImages]).toEqual([false, true]);
    expect(bundle.classId("car")).toBe(1);
    expect(() => bundle.classId("tree")).toThrow('has no class "tree"; it has road, car');
  });

  test.each([
    ["a file that changed", exampleManifest(), `SHA-256 ${sha256}, bundle.json says 0000`],
    [
      "a missing graph file",
      exampleManifest({ graphs: { image_free: exampleGraph({ file: "gone.onnx" }) } }),
      "gone.onnx cannot be read, but bundle.json names it",
    ],
    [
      "a file outside of the folder",
      exampleManifest({ graphs: { image_free: exampleGraph({ file: "../image_free.onnx" }) } }),
      "without directories",
    ],
    [
      "weights beside the graph that changed",
      exampleManifest({
        graphs: {
          image_free: exampleGraph({
            sha256,
            external_data: [{ file: "image_free.onnx", sha256: "1".repeat(64) }],
          }),
        },
      }),
      `SHA-256 ${sha256}, bundle.json says 1111`,
    ],
    [
      "missing weights beside the graph",
      exampleManifest({
        graphs: { image_free: exampleGraph({ sha256, external_data: [{ file: "gone.data", sha256 }] }) },
      }),
      "gone.data cannot be read, but bundle.json names it",
    ],
    [
      "weights outside of the folder",
      exampleManifest({
        graphs: { image_free: exampleGraph({ sha256, external_data: [{ file: "../a.data", sha256 }] }) },
      }),
      "must be the name of a file in the bundle's folder",
    ],
    [
      "a graph that asks for what the host does not make",
      exampleManifest({
        graphs: {
          image_free: exampleGraph({
            inputs: [...exampleGraph().inputs, tensor("order_0", "int32", 2, "P", "K")],
          }),
        },
      }),
      'asks for input "order_0", which the host does not make for this backbone (it makes feat, neighbors_0, pair_source_0,',
    ],
    [
      "a shape that is not the host's",
      exampleManifest({
        graphs: { image_free: exampleGraph({ inputs: [tensor("feat", "float32", "V0", 4)] }) },
      }),
      'declares input "feat" as float32 [V0, 4], the host makes float32 [*, 2]',
    ],
    [
      "a missing output",
      exampleManifest({
        graphs: { image_free: exampleGraph({ outputs: [tensor("label", "int32", "V0")] }) },
      }),
      'graph image_free has no output "confidence"',
    ],
    [
      "logits for another number of classes",
      exampleManifest({
        graphs: {
          image_free: exampleGraph({
            outputs: exampleGraph().outputs.map((output) =>
              output.name === "logits" ? tensor("logits", "float32", "V0", 19) : output,
            ),
          }),
        },
      }),
      'declares output "logits" as float32 [V0, 19], expected float32 [*, 2]',
    ],
    [
      "no graph to label with",
      exampleManifest({ graphs: {} }),
      "at least one of image_free and fused is needed",
    ],
    [
      "a fused graph without an image encoder",
      exampleManifest({ graphs: { image_free: exampleGraph(), fused: exampleGraph() } }),
      "belong together",
    ],
    ["an unlabeled id that a class has", exampleManifest({ unlabeled_id: 9 }), "9 is also the id of a class"],
    ["boxes of a stage that there is not", exampleDetection({ stage: 2 }), "the backbone has stages 0 to 1"],
    [
      "boxes of two classes of one name",
      exampleDetection({
        classes: [
          { name: "car", color: [0, 0, 0] },
          { name: "car", color: [1, 1, 1] },
        ],
      }),
      "every class must have a name of its own",
    ],
    [
      "a detection graph without what its boxes are",
      { ...exampleDetection(), detection: undefined },
      "the graph detection and the description of the detection belong together",
    ],
    [
      "boxes on tokens that the segmentation does not give",
      {
        ...exampleDetection(),
        graphs: { ...exampleDetection().graphs, image_free: exampleGraph() },
      },
      'graph image_free has no output "tokens"',
    ],
    [
      "tokens of another width than the detection takes",
      {
        ...exampleDetection(),
        graphs: {
          ...exampleDetection().graphs,
          image_free: exampleGraph({
            outputs: [...exampleGraph().outputs, tensor("tokens", "float32", "V1", 16)],
          }),
        },
      },
      'declares output "tokens" as float32 [V1, 16], expected float32 [*, 12]',
    ],
    ["an unknown property", { ...exampleManifest(), colour: "red" }, "colour"],
    ["another format version", { ...exampleManifest(), format_version: 2 }, "format_version"],
  ])("refuses %s", async (_, manifest, message) => {
    write(manifest);
    await expect(ModelBundle.load(folder)).rejects.toMatchObject({
      code: "bad-bundle",
      message: expect.stringContaining(message),
    });
  });

  test("loads every bundle that is shipped, each with its modes and a card", async () => {
    const models = fileURLToPath(new URL("../../models/", import.meta.url));
    const names = readdirSync(models);
    expect(names).toEqual(["street-real", "street-real-float16", "street-simulated", "street-tiny"]);
    for (const name of names) {
      const { manifest, precision } = await ModelBundle.load(path.join(models, name));
      expect(manifest.name).toBe(name.replace("-float16", ""));
      expect(precision).toBe(name.endsWith("-float16") ? "float16" : "float32");
      const fused = name === "street-simulated" ? [] : ["fused", "image_encoder"];
      expect(Object.keys(manifest.graphs).sort()).toEqual([...fused, "image_free"]);
      expect(readFileSync(path.join(models, name, "MODEL_CARD.md"), "utf8")).toContain(
        `# ${manifest.name}\n`,
      );
    }
  });

  test("refuses weights that are not of the declared precision", async () => {
    const street = fileURLToPath(new URL("../../models/street-tiny/", import.meta.url));
    const { graphs, ...manifest } = JSON.parse(
      readFileSync(path.join(street, "bundle.json"), "utf8"),
    ) as BundleManifest;
    copyFileSync(path.join(street, "image_free.onnx"), path.join(folder, "image_free.onnx"));
    const graph = graphs.image_free!;
    delete manifest.image_encoder;
    write({ ...manifest, graphs: { image_free: graph } });
    expect((await ModelBundle.load(folder)).precision).toBe("float32");
    write({ ...manifest, graphs: { image_free: { ...graph, precision: "float16" } } });
    await expect(ModelBundle.load(folder)).rejects.toThrow(
      /image_free\.onnx holds float32 weights, bundle\.json says float16$/,
    );
  });

  test("names the file that is no JSON or not there", async () => {
    writeFileSync(path.join(folder, "bundle.json"), "{");
    await expect(ModelBundle.load(folder)).rejects.toThrow(/bundle\.json is not JSON/);
    await expect(ModelBundle.load(path.join(folder, "nowhere"))).rejects.toThrow(
      /nowhere.bundle\.json cannot be read; a model is a folder/,
    );
  });
});
