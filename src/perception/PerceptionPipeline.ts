import { Fault } from "../faults/Fault.js";
import type { LabelResult } from "../model/inferenceProtocol.js";
import { InferenceEngine } from "../model/InferenceEngine.js";
import type { NamedTensor } from "../model/NamedTensor.js";
import type { ModelBundle } from "../model/ModelBundle.js";
import type { ProviderChoice, ProviderReport } from "../model/providers.js";
import { mapInOrder } from "../sync/mapInOrder.js";
import type { FusionPolicyOptions } from "./FusionPolicy.js";
import type { CloudFilter } from "./labelledClouds.js";
import type { PreparedScan } from "./preparationProtocol.js";
import { PreparationWorker } from "./PreparationWorker.js";
import type { ScanDump, ScanFrame, ScanOutcome } from "./ScanFrame.js";

export interface PerceptionPipelineOptions {
  readonly bundle: ModelBundle;
  readonly provider: ProviderChoice;
  /** Threads inside an operator of the model; 0 lets ONNX Runtime choose. */
  readonly threads: number;
  readonly fusion: FusionPolicyOptions;
  /** Also make a cloud without some classes. */
  readonly filter?: CloudFilter;
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** Keep the voxels, inputs and logits of every scan for a dump: much memory. */
  readonly dump?: boolean;
}

/** Scans between intake and output: one in preparation while another is inferred and a third composed. */
const SCANS_IN_FLIGHT = 3;

/**
 * Labels scans: preparation (decoding, geometry, projection), inference and composition of the output run in
 * two worker threads, the next scan being prepared while the current one is inferred.
 */
export class PerceptionPipeline {
  readonly #engine: InferenceEngine;
  readonly #preparation: PreparationWorker;
  readonly #options: PerceptionPipelineOptions;
  #nextId = 0;

  private constructor(options: PerceptionPipelineOptions, engine: InferenceEngine) {
    this.#options = options;
    this.#engine = engine;
    this.#preparation = new PreparationWorker({
      manifest: options.bundle.manifest,
      fusion: options.fusion,
      ...(options.filter && { filter: options.filter }),
      ...(options.intensityScale !== undefined && { intensityScale: options.intensityScale }),
      dump: options.dump === true,
    });
  }

  /** Throws a Fault when the model does not load with the provider. */
  static async start(options: PerceptionPipelineOptions): Promise<PerceptionPipeline> {
    const engine = await InferenceEngine.start(options.bundle, options);
    return new PerceptionPipeline(options, engine);
  }

  get providerReport(): ProviderReport {
    return this.#engine.providerReport;
  }

  /**
   * Labels frames in their order, nothing dropped; intake waits while the pipeline is full. A frame that cannot
   * be labelled comes out as a FailedScan. Frames' message buffers are taken over.
   */
  label(frames: AsyncIterable<ScanFrame>): AsyncGenerator<ScanOutcome> {
    return mapInOrder(frames, (frame) => this.#labelOne(frame), { concurrency: SCANS_IN_FLIGHT });
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), this.#preparation.close()]);
  }

  async #labelOne(frame: ScanFrame): Promise<ScanOutcome> {
    const { stamp, topic, missing } = frame;
    try {
      const id = this.#nextId++;
      const prepared = await this.#preparation.prepare(id, frame);
      const result = await this.#infer(id, prepared);
      const dump = this.#options.dump === true ? copyForDump(prepared, result) : undefined;
      const composed = await this.#preparation.compose(id, {
        label: result.label,
        confidence: result.confidence,
        ...(result.logits && { logits: result.logits }),
        inputs: result.inputs,
      });
      return {
        kind: "labelled",
        stamp,
        topic,
        mode: prepared.mode,
        reason: prepared.reason,
        imagesUsed: prepared.imagesUsed,
        missing,
        faults: prepared.faults.map(
          ({ code, message, topic: imageTopic }) =>
            new Fault(code, message, imageTopic === undefined ? {} : { place: { topic: imageTopic } }),
        ),
        seenShare: prepared.seenShare,
        pointCount: prepared.pointCount,
        voxelCount: prepared.voxelCount,
        unlabeledCount: composed.unlabeledCount,
        classCounts: composed.classCounts,
        labelledCloud: composed.labelledCloud,
        ...(composed.filteredCloud && { filteredCloud: composed.filteredCloud }),
        times: {
          decode: prepared.decodeMs,
          geometry: prepared.geometryMs,
          images: prepared.imagesMs,
          projection: prepared.projectionMs,
          imageEncoder: result.imageEncoderMs,
          backbone: result.backboneMs,
          compose: composed.composeMs,
        },
        ...(dump && { dump }),
      };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { kind: "failed", stamp, topic, fault: error.at({ topic, stamp }).asError() };
    }
  }

  async #infer(id: number, { mode, inputs, images, voxelCount }: PreparedScan): Promise<LabelResult> {
    if (voxelCount === 0) return emptyResult(inputs);
    try {
      return await this.#engine.label({
        graph: mode === "fused" ? "fused" : "image_free",
        inputs,
        ...(images && { images }),
        wantLogits: this.#wantLogits,
      });
    } catch (error) {
      this.#preparation.discard(id);
      throw error;
    }
  }

  get #wantLogits(): boolean {
    return this.#options.dump === true || this.#options.filter?.probabilityThreshold !== undefined;
  }
}

/** A scan without a single point in the model's range has nothing to infer. */
function emptyResult(inputs: PreparedScan["inputs"]): LabelResult {
  return {
    label: new Int32Array(0),
    confidence: new Float32Array(0),
    entropy: new Float32Array(0),
    logits: new Float32Array(0),
    imageEncoderMs: 0,
    backboneMs: 0,
    inputs,
  };
}

/** Copies: the originals go back to the workers. */
function copyForDump(
  { mode, voxelCoordinates }: PreparedScan,
  { logits, inputs, images }: LabelResult,
): ScanDump {
  const tensors = images === undefined ? inputs : [...inputs, images];
  return {
    mode,
    voxelCoordinates: voxelCoordinates!,
    logits: logits!.slice(),
    inputs: tensors.map((tensor): NamedTensor =>
      tensor.dtype === "int32"
        ? { ...tensor, data: tensor.data.slice() }
        : { ...tensor, data: tensor.data.slice() },
    ),
  };
}
