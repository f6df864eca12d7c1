import { Fault } from "../faults/Fault.js";
import type { LabelResult } from "../model/inferenceProtocol.js";
import { InferenceEngine } from "../model/InferenceEngine.js";
import type { NamedTensor } from "../model/NamedTensor.js";
import type { ModelBundle } from "../model/ModelBundle.js";
import type { AskOptions } from "../model/RequestWorker.js";
import type { ProviderChoice, ProviderReport } from "../model/providers.js";
import { mapInOrder } from "../sync/mapInOrder.js";
import { DEFAULT_FUSION } from "./FusionPolicy.js";
import type { PipelineSettings } from "./PipelineSettings.js";
import { deserializeFault, type ComposedScan, type PreparedScan } from "./preparationProtocol.js";
import { PreparationWorker } from "./PreparationWorker.js";
import type {
  FailedScan,
  LabelledScan,
  ScanDump,
  ScanFrame,
  ScanOutcome,
  ScanWithCloud,
} from "./ScanFrame.js";
import { CLOUDS_ONLY, OUTPUTS_OF_BAGS, type WantedOutputs } from "./WantedOutputs.js";

export interface PerceptionPipelineOptions extends Partial<PipelineSettings> {
  readonly bundle: ModelBundle;
  /** "auto" unless told: CUDA where a session can be created on it, else the CPU. */
  readonly provider?: ProviderChoice;
  /** Threads inside an operator of the model; 0, the default, lets ONNX Runtime choose. */
  readonly threads?: number;
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** The field that is intensity; without it, the layout tells. */
  readonly intensityField?: string;
  /** Keep the voxels, inputs and logits of every scan for a dump: much memory. */
  readonly dump?: boolean;
  /** A thread that takes longer for its part of a scan has failed, milliseconds. Default: it may take as long as it takes. */
  readonly stageLimitMs?: number;
}

/** Scans between intake and output: one in preparation while another is inferred and a third composed. */
export const SCANS_IN_FLIGHT = 3;

/**
 * Labels scans: preparation (decoding, geometry, projection), inference and composition of the output run in
 * two worker threads, the next scan being prepared while the current one is inferred.
 */
export class PerceptionPipeline {
  readonly #engine: InferenceEngine;
  readonly #preparation: PreparationWorker;
  readonly #dumps: boolean;
  readonly #failed: Promise<Error>;
  readonly #limit: AskOptions;
  /** Of the scans that are labelled from now on. */
  #settings: PipelineSettings;
  #nextId = 0;

  private constructor(
    { dump = false, stageLimitMs }: PerceptionPipelineOptions,
    settings: PipelineSettings,
    engine: InferenceEngine,
    preparation: PreparationWorker,
  ) {
    this.#dumps = dump;
    this.#limit = stageLimitMs === undefined ? {} : { withinMs: stageLimitMs };
    this.#settings = settings;
    this.#engine = engine;
    this.#preparation = preparation;
    this.#failed = Promise.race([engine.failed, preparation.failed]);
  }

  /** Throws a Fault when the model does not load with the provider. */
  static async start(options: PerceptionPipelineOptions): Promise<PerceptionPipeline> {
    const { bundle, intensityScale, intensityField, dump = false } = options;
    const { provider = "auto", threads = 0, fusion = DEFAULT_FUSION } = options;
    const settings = { ...options, fusion };
    const preparation = new PreparationWorker({
      manifest: bundle.manifest,
      settings: plainSettings(settings),
      ...(intensityScale !== undefined && { intensityScale }),
      ...(intensityField !== undefined && { intensityField }),
      dump,
    });
    try {
      const engine = await InferenceEngine.start(bundle, { provider, threads });
      return new PerceptionPipeline(options, settings, engine, preparation);
    } catch (error) {
      await preparation.close();
      throw error;
    }
  }

  get providerReport(): ProviderReport {
    return this.#engine.providerReport;
  }

  /**
   * Resolves, with the reason, when a worker thread has died: of a defect, or for want of memory. Scans then reject with
   * an error that is no Fault; close the pipeline and start another. Never settles otherwise.
   */
  get failed(): Promise<Error> {
    return this.#failed;
  }

  /** Replaces all settings for the frames that are given from now on; those under way keep theirs. */
  update(settings: PipelineSettings): void {
    this.#settings = settings;
    this.#preparation.update(plainSettings(settings));
  }

  /**
   * Labels frames in their order, nothing dropped; intake waits while the pipeline is full. A frame that cannot
   * be labelled comes out as a FailedScan. Frames' message buffers are taken over.
   */
  label(frames: AsyncIterable<ScanFrame>): AsyncGenerator<ScanWithCloud | FailedScan> {
    return mapInOrder(frames, (frame) => this.labelFrame(frame, OUTPUTS_OF_BAGS), {
      concurrency: SCANS_IN_FLIGHT,
    });
  }

  /**
   * Labels one frame; call in the order of the stamps, up to 3 at a time (2 keep both threads busy). A frame that
   * cannot be labelled comes out as a FailedScan; a rejection means that the pipeline has failed, or was closed. The
   * frame's message buffers are taken over; a later frame may use the same messages again.
   *
   * @param wanted what is made of it: the clouds unless told
   */
  labelFrame(
    frame: ScanFrame,
    wanted?: WantedOutputs & { readonly labelled: true },
  ): Promise<ScanWithCloud | FailedScan>;
  labelFrame(frame: ScanFrame, wanted: WantedOutputs): Promise<ScanOutcome>;
  async labelFrame(frame: ScanFrame, wanted: WantedOutputs = CLOUDS_ONLY): Promise<ScanOutcome> {
    const { stamp, topic } = frame;
    const wantLogits =
      this.#dumps || (wanted.filtered && this.#settings.filter?.probabilityThreshold !== undefined);
    try {
      const id = this.#nextId++;
      const prepared = await this.#preparation.prepare(id, frame, wanted, this.#limit);
      const result = await this.#infer(id, prepared, wantLogits);
      const dump = this.#dumps ? copyForDump(prepared, result) : undefined;
      const { label, confidence, logits, proposals, inputs, detection = [] } = result;
      const labels = {
        label,
        confidence,
        ...(logits && { logits }),
        ...(proposals && { proposals }),
        inputs: [...inputs, ...detection],
      };
      const composed = await this.#preparation.compose(id, labels, this.#limit);
      return { ...labelledScan(frame, prepared, result, composed), ...(dump && { dump }) };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { kind: "failed", stamp, topic, fault: error.at({ topic, stamp }).asError() };
    }
  }

  /** Ends the threads; frames under way are rejected. */
  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), this.#preparation.close()]);
  }

  async #infer(
    id: number,
    { mode, inputs, images, detection, voxelCount }: PreparedScan,
    wantLogits: boolean,
  ): Promise<LabelResult> {
    if (voxelCount === 0) return emptyResult([...inputs, ...(detection ?? [])]);
    try {
      const graph = mode === "fused" ? "fused" : "image_free";
      const request = {
        graph,
        inputs,
        ...(images && { images }),
        wantLogits,
        ...(detection && { detection }),
      } as const;
      return await this.#engine.label(request, this.#limit);
    } catch (error) {
      this.#preparation.discard(id);
      throw error;
    }
  }
}

/** Nothing but the settings, so that they can be posted. */
function plainSettings({ fusion, filter, boxScoreThreshold, colors }: PipelineSettings): PipelineSettings {
  return {
    fusion,
    ...(filter && { filter }),
    ...(boxScoreThreshold !== undefined && { boxScoreThreshold }),
    ...(colors && { colors }),
  };
}

function labelledScan(
  { stamp, topic }: ScanFrame,
  prepared: PreparedScan,
  { imageEncoderMs, backboneMs, detectionMs }: LabelResult,
  composed: ComposedScan,
): LabelledScan {
  const { mode, reason, imagesUsed, missing, seenShare, pointCount, noReturnCount, voxelCount } = prepared;
  const { labelledCloud, filteredCloud, overlays, boxes, overlaysMs, unlabeledCount, classCounts } = composed;
  return {
    kind: "labelled",
    stamp,
    topic,
    mode,
    reason,
    imagesUsed,
    missing,
    faults: [...prepared.faults, ...composed.faults].map(deserializeFault),
    seenShare,
    pointCount,
    noReturnCount,
    voxelCount,
    unlabeledCount,
    classCounts,
    ...(labelledCloud && { labelledCloud }),
    ...(filteredCloud && { filteredCloud }),
    overlays,
    ...(boxes && { boxes }),
    times: {
      decode: prepared.decodeMs,
      geometry: prepared.geometryMs,
      images: prepared.imagesMs,
      projection: prepared.projectionMs,
      imageEncoder: imageEncoderMs,
      backbone: backboneMs,
      detection: prepared.detectionMs + detectionMs + composed.detectionMs,
      compose: composed.composeMs,
    },
    overlaysMs,
  };
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
    detectionMs: 0,
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
