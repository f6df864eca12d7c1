import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import ort from "onnxruntime-node";
import { Fault } from "../faults/Fault.js";
import type { GraphName, GraphSpec } from "./bundleManifest.js";
import {
  END_OF_INFERENCE,
  type BoxProposals,
  type InferenceAnswer,
  type InferenceCommand,
  type InferenceWorkerData,
  type LabelRequest,
  type LabelResult,
  type LoadingReply,
} from "./inferenceProtocol.js";
import { hostInputs, selectInputs } from "./graphInputs.js";
import { GateShutError, NativeCallGate } from "./NativeCallGate.js";
import { float32Tensor, type NamedTensor } from "./NamedTensor.js";
import { readNodePlacement, type NodePlacement } from "./nodePlacement.js";
import { createWithProvider, type Provider } from "./providers.js";
import { warmUpTensors } from "./warmUp.js";

/**
 * The one thread that owns ONNX Runtime: `InferenceSession.run` of onnxruntime-node blocks its thread,
 * and more than one thread with sessions has crashed (microsoft/onnxruntime#24486).
 */

const port = parentPort!;
const {
  manifest,
  graphs: wanted,
  provider: choice,
  threads,
  gate: memory,
} = workerData as InferenceWorkerData;
const gate = new NativeCallGate(memory);
const sessions = new Map<GraphName, ort.InferenceSession>();
// A provider that cannot be loaded is reported by us, with the reason, instead of on the terminal.
ort.env.logLevel = "fatal";

function reply(message: InferenceAnswer | LoadingReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** Creates all sessions on a provider and runs each once, so that what cannot run fails now. */
async function load(provider: Provider): Promise<NodePlacement> {
  const profiles = provider === "cpu" ? undefined : await mkdtemp(path.join(tmpdir(), "ditr-profile-"));
  try {
    sessions.clear();
    for (const { name, path: file, spec } of wanted) {
      const session = await gate.pass(() =>
        ort.InferenceSession.create(file, sessionOptions(provider, name, profiles)),
      );
      checkMetadata(session, file, spec);
      sessions.set(name, session);
    }
    await warmUp();
    if (profiles === undefined) return {};
    for (const session of sessions.values()) session.endProfiling();
    return await readNodePlacement(profiles);
  } finally {
    if (profiles !== undefined) await rm(profiles, { recursive: true, force: true });
  }
}

function sessionOptions(
  provider: Provider,
  name: string,
  profiles: string | undefined,
): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    // Scans differ in size, so a memory pattern of one scan never fits the next.
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...(threads > 0 && { intraOpNumThreads: threads }),
    ...(profiles !== undefined && { enableProfiling: true, profileFilePrefix: path.join(profiles, name) }),
  };
}

async function warmUp(): Promise<void> {
  const tensors = warmUpTensors(manifest);
  const images = tensors.find(({ name }) => name === "image");
  const { detection } = manifest.graphs;
  for (const { name, spec } of wanted) {
    if (name === "image_encoder" || name === "detection") continue;
    await label({
      graph: name,
      inputs: selectInputs(hostInputs(spec), tensors),
      wantLogits: false,
      ...(name === "fused" && images && { images }),
      ...(detection && { detection: selectInputs(hostInputs(detection), tensors) }),
    });
  }
}

function checkMetadata(session: ort.InferenceSession, file: string, spec: GraphSpec): void {
  const problem = (side: string, actual: readonly string[], expected: readonly string[]) =>
    new Fault(
      "bad-bundle",
      `${file} has ${side}s ${actual.join(", ")}, but bundle.json declares ${expected.join(", ")}`,
    );
  for (const [side, metadata, declared] of [
    ["input", session.inputMetadata, spec.inputs],
    ["output", session.outputMetadata, spec.outputs],
  ] as const) {
    const actual = metadata
      .map((tensor) => signature(tensor.name, tensor.isTensor ? tensor.type : "no tensor"))
      .sort();
    const expected = declared.map((tensor) => signature(tensor.name, tensor.dtype)).sort();
    if (actual.join() !== expected.join()) throw problem(side, actual, expected);
  }
}

function signature(name: string, dtype: string): string {
  return `${name} (${dtype})`;
}

function asOrt(tensor: NamedTensor): ort.Tensor {
  return tensor.dtype === "float32"
    ? new ort.Tensor("float32", tensor.data, tensor.shape)
    : new ort.Tensor("int32", tensor.data, tensor.shape);
}

async function run(
  name: GraphName,
  inputs: readonly NamedTensor[],
  fetches: readonly string[],
  others: ort.InferenceSession.FeedsType = {},
): Promise<{ outputs: ort.InferenceSession.OnnxValueMapType; ms: number }> {
  const feeds = { ...Object.fromEntries(inputs.map((tensor) => [tensor.name, asOrt(tensor)])), ...others };
  const session = sessions.get(name)!;
  const start = performance.now();
  try {
    const outputs = await gate.pass(() => session.run(feeds, [...fetches]));
    return { outputs, ms: performance.now() - start };
  } catch (cause) {
    if (cause instanceof GateShutError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("inference-failed", `ONNX Runtime failed on graph ${name}: ${reason}`, { cause });
  }
}

async function label(request: LabelRequest): Promise<LabelResult> {
  const { graph: name, inputs, images, wantLogits, detection } = request;
  let imageEncoderMs = 0;
  let all = inputs;
  if (images !== undefined) {
    const encoded = await run("image_encoder", [images], ["features"]);
    imageEncoderMs = encoded.ms;
    const features = encoded.outputs["features"]!;
    const [count, patches, dimension] = features.dims as [number, number, number];
    all = [
      ...inputs,
      float32Tensor(
        "image_features",
        [count * patches, dimension],
        features.data as Float32Array<ArrayBuffer>,
      ),
    ];
  }
  const fetches = [
    "label",
    "confidence",
    "entropy",
    ...(wantLogits ? ["logits"] : []),
    ...(detection === undefined ? [] : ["tokens"]),
  ];
  const { outputs, ms } = await run(name, all, fetches);
  const found = detection && (await detect(outputs["tokens"]!, detection));
  return {
    label: outputs["label"]!.data as Int32Array<ArrayBuffer>,
    confidence: outputs["confidence"]!.data as Float32Array<ArrayBuffer>,
    entropy: outputs["entropy"]!.data as Float32Array<ArrayBuffer>,
    ...(wantLogits && { logits: outputs["logits"]!.data as Float32Array<ArrayBuffer> }),
    ...(found && { proposals: found.proposals }),
    imageEncoderMs,
    backboneMs: ms,
    detectionMs: found?.ms ?? 0,
    inputs,
    ...(images !== undefined && { images }),
    ...(detection !== undefined && { detection }),
  };
}

async function detect(
  tokens: ort.OnnxValue,
  inputs: readonly NamedTensor[],
): Promise<{ proposals: BoxProposals; ms: number }> {
  const { outputs, ms } = await run("detection", inputs, ["boxes", "class_probabilities"], { tokens });
  const proposals = {
    boxes: outputs["boxes"]!.data as Float32Array<ArrayBuffer>,
    classProbabilities: outputs["class_probabilities"]!.data as Float32Array<ArrayBuffer>,
  };
  return { proposals, ms };
}

function buffersOf(result: LabelResult): ArrayBuffer[] {
  const views = [result.label, result.confidence, result.entropy, ...result.inputs.map(({ data }) => data)];
  if (result.logits !== undefined) views.push(result.logits);
  if (result.images !== undefined) views.push(result.images.data);
  if (result.detection !== undefined) views.push(...result.detection.map(({ data }) => data));
  if (result.proposals !== undefined) views.push(result.proposals.boxes, result.proposals.classProbabilities);
  return [...new Set(views.map((view) => view.buffer))];
}

async function handle({ id, request }: InferenceCommand): Promise<void> {
  try {
    const result = await label(request);
    reply({ kind: "labelled", id, result }, buffersOf(result));
  } catch (error) {
    // Nobody waits for the answer any more, and the message that ends the thread is on its way.
    if (error instanceof GateShutError) return;
    // What is not a Fault is a defect: it ends the worker, and the pipeline with it.
    if (!(error instanceof Fault)) throw error;
    reply({ kind: "failed", id, code: error.code, message: error.message });
  }
}

let previous = Promise.resolve();
port.on("message", (command: InferenceCommand | typeof END_OF_INFERENCE) => {
  previous = previous.then(async () => {
    // Without its port the thread has nothing left to do, and ends by itself.
    if (command === END_OF_INFERENCE) port.close();
    else await handle(command);
  });
});
try {
  reply({ kind: "loaded", report: await createWithProvider(choice, load) });
} catch (error) {
  if (error instanceof Fault) reply({ kind: "failed", code: error.code, message: error.message });
  else if (!(error instanceof GateShutError)) throw error;
}
