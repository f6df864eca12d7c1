import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import type { BundleManifest } from "./bundleManifest.js";
import { hostInputs, selectInputs } from "./graphInputs.js";
import { InferenceEngine } from "./InferenceEngine.js";
import type { LabelResult } from "./inferenceProtocol.js";
import { ModelBundle } from "./ModelBundle.js";
import { warmUpTensors } from "./warmUp.js";

const street = fileURLToPath(new URL("../../models/street-tiny", import.meta.url));
const half = mkdtempSync(path.join(tmpdir(), "ditr-half-"));
afterAll(() => {
  rmSync(half, { recursive: true });
});

/** The fused labels of a made-up scan. */
async function label(bundle: ModelBundle): Promise<LabelResult> {
  const engine = await InferenceEngine.start(bundle, { provider: "cpu", threads: 1 });
  try {
    const tensors = warmUpTensors(bundle.manifest);
    const images = tensors.find(({ name }) => name === "image")!;
    const inputs = selectInputs(hostInputs(bundle.manifest.graphs.fused!), tensors);
    return await engine.label({ graph: "fused", inputs, images, wantLogits: true });
  } finally {
    await engine.close();
  }
}

describeWithPython("a bundle in float16, its weights beside the graphs", () => {
  test("gives nearly the same logits, and is refused when a byte of its weights is not its own", async () => {
    // Room for the graph without weights, as ditr_train.export.graph_file counts it, and for a hundred thousand bytes of them.
    runReference("half_bundle.py", {}, { bundle: street, half, largest_file: 2 ** 22 + 100_000 });
    expect(readdirSync(half)).toEqual(expect.arrayContaining(["fused.onnx", "fused.onnx.data"]));
    const bundle = await ModelBundle.load(half);
    expect(bundle.precision).toBe("float16");
    const expected = await label(await ModelBundle.load(street));
    const found = await label(bundle);
    const differences = found.logits!.map((value, index) => Math.abs(value - expected.logits![index]!));
    expect(Math.max(...expected.logits!) - Math.min(...expected.logits!)).toBeGreaterThan(1);
    expect(Math.max(...differences)).toBeGreaterThan(0);
    expect(Math.max(...differences)).toBeLessThan(0.1);

    const manifest = path.join(half, "bundle.json");
    const written = readFileSync(manifest, "utf8");
    const { graphs, ...rest } = JSON.parse(written) as BundleManifest;
    delete graphs.fused!.external_data;
    writeFileSync(manifest, JSON.stringify({ ...rest, graphs }));
    await expect(ModelBundle.load(half)).rejects.toThrow(
      /fused\.onnx has weights in fused\.onnx\.data, which external_data does not list$/,
    );
    writeFileSync(manifest, written);

    const weights = path.join(half, "fused.onnx.data");
    appendFileSync(weights, "x");
    await expect(ModelBundle.load(half)).rejects.toThrow(
      /fused\.onnx\.data has SHA-256 .*, bundle\.json says/,
    );
    renameSync(weights, path.join(half, "elsewhere"));
    await expect(ModelBundle.load(half)).rejects.toThrow(/fused\.onnx\.data cannot be read/);
  }, 120_000);
});
