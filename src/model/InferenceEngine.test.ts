import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { hostInputs, selectInputs } from "./graphInputs.js";
import { InferenceEngine } from "./InferenceEngine.js";
import type { LabelRequest } from "./inferenceProtocol.js";
import { ModelBundle } from "./ModelBundle.js";
import type { NamedTensor } from "./NamedTensor.js";
import { warmUpTensors } from "./warmUp.js";

const bundle = await ModelBundle.load(fileURLToPath(new URL("../../models/street-tiny", import.meta.url)));

let engine: InferenceEngine;
beforeAll(async () => {
  engine = await InferenceEngine.start(bundle, { provider: "cpu", threads: 1 });
});
afterAll(async () => {
  await engine.close();
});

function request(change: (tensor: NamedTensor) => NamedTensor = (tensor) => tensor): LabelRequest {
  const inputs = selectInputs(hostInputs(bundle.manifest.graphs.image_free!), warmUpTensors(bundle.manifest));
  return { graph: "image_free", inputs: inputs.map(change), wantLogits: false };
}

test("what ONNX Runtime refuses is a Fault of that scan; what is no tensor ends the worker", async () => {
  const wrongWidth = request((tensor) =>
    tensor.name === "feat"
      ? { name: "feat", dtype: "float32", shape: [1, 1], data: new Float32Array(1) }
      : tensor,
  );
  await expect(engine.label(wrongWidth)).rejects.toMatchObject({
    code: "inference-failed",
    message: expect.stringMatching(/^ONNX Runtime failed on graph image_free: /),
  });
  const { label, confidence } = await engine.label(request());
  expect(label.length).toBeGreaterThan(0);
  expect(confidence).toHaveLength(label.length);

  const noTensor = request((tensor) => ({ ...tensor, shape: [-1] }));
  const reason = /^the inference worker failed: /;
  await expect(engine.label(noTensor)).rejects.toThrow(reason);
  expect((await engine.failed).message).toMatch(reason);
  await expect(engine.label(request())).rejects.toThrow(reason);
});
