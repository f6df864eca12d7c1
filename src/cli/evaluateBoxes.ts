import { assembleFrames } from "../bag/labelling/assembleFrames.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { BoxMessages, holdsBoxes } from "../bag/samples/BoxMessages.js";
import { sampleBoxes } from "../bag/samples/sampleBoxes.js";
import type { BagReader } from "../bag/types.js";
import { BoxScores, type BoxScoringOptions, type TrueBox } from "../evaluation/BoxScores.js";
import { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { boxesOf, GROUND_TRUTH_BOXES_TOPIC, type BoxDetection } from "../messages/boxDetections.js";
import { DETECTION3D_ARRAY_TYPE } from "../messages/detection3DArray.js";
import type { ModelBundle } from "../model/ModelBundle.js";
import type { ProviderChoice } from "../model/providers.js";
import { FrameImages } from "../perception/FrameImages.js";
import { DEFAULT_FUSION, type FusionMode } from "../perception/FusionPolicy.js";
import { RestartingPipeline } from "../perception/RestartingPipeline.js";
import type { ScanFrame } from "../perception/ScanFrame.js";
import { ScanReader } from "../perception/ScanReader.js";
import { drivenInputs, frameOptions, recordedClouds } from "../library/drivenInputs.js";
import type { InputOptions } from "../library/InputOptions.js";
import { Progress } from "./Progress.js";

/** What finds the boxes that are scored: a model that is run, or the bag has them. */
export type BoxSource =
  | {
      readonly kind: "model";
      readonly bundle: ModelBundle;
      readonly provider: ProviderChoice;
      readonly mode: FusionMode;
      /** Boxes with a lower score are not scored. */
      readonly scoreThreshold: number;
    }
  | { readonly kind: "bag"; readonly labelledTopic?: string; readonly bundle?: ModelBundle };

export interface EvaluateBoxesOptions extends InputOptions {
  readonly source: BoxSource;
  /** In place of the model's. */
  readonly smallestPoints?: number;
}

/** Has the bag boxes of `ditr run` or the live node, and true ones? */
export function hasScoredBoxes(bag: BagReader): boolean {
  return holdsBoxes(bag, OUTPUT_TOPICS.detections) && holdsBoxes(bag, GROUND_TRUTH_BOXES_TOPIC);
}

/**
 * Scores boxes of the scans of a bag that have true ones. What cannot be read is recorded in `faults`, and its scan is left
 * out.
 * @throws Fault "data-set-unreadable" where no scan can be scored
 */
export async function evaluateBoxes(
  bag: BagReader,
  options: EvaluateBoxesOptions,
  faults: FaultLog,
): Promise<BoxScores> {
  const { source } = options;
  if (!holdsBoxes(bag, GROUND_TRUTH_BOXES_TOPIC)) throw without(bag, GROUND_TRUTH_BOXES_TOPIC);
  if (source.kind === "bag" && !holdsBoxes(bag, OUTPUT_TOPICS.detections))
    throw without(bag, OUTPUT_TOPICS.detections);
  const scores = new BoxScores(scoringOptions(options));
  const truth = await BoxMessages.index(bag, GROUND_TRUTH_BOXES_TOPIC, faults);
  const driven = await drivenInputs(bag, inputsOf(options), faults);
  const total = recordedClouds(bag, driven.selection);
  const progress = new Progress("scoring boxes", total, "scans");
  const reader = new ScanReader({ withIntensity: false });
  const trueBoxes = async (frame: ScanFrame): Promise<TrueBox[] | undefined> => {
    const message = await truth.of(frame.stamp);
    return message && sampleBoxes(message, await reader.read(frame, new FrameImages(frame.images)), frame);
  };
  const waiting: (readonly TrueBox[])[] = [];
  /** The scans that have true boxes; those go to `waiting`. */
  async function* frames(): AsyncGenerator<ScanFrame> {
    for await (const { frame } of assembleFrames(frameOptions(driven, options, faults))) {
      progress.step(faults.total);
      try {
        const boxes = await trueBoxes(frame);
        if (boxes === undefined) continue;
        waiting.push(boxes);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.record(error.at({ topic: frame.topic, stamp: frame.stamp }));
        continue;
      }
      yield frame;
    }
  }
  try {
    const found =
      source.kind === "model" ? boxesOfModel(source, frames(), faults) : boxesOfBag(bag, frames(), faults);
    for await (const boxes of found) {
      const there = waiting.shift()!;
      if (boxes !== undefined) scores.add(boxes, there);
    }
  } finally {
    progress.stop();
    await truth.close();
  }
  if (scores.scans === 0) {
    const [first] = faults.summary().flatMap(({ messages }) => messages);
    const reason = first === undefined ? "" : `: ${first}`;
    throw new Fault("data-set-unreadable", `${bag.path} has no scan whose boxes can be scored${reason}`);
  }
  return scores;
}

/** Of each frame; undefined where they could not be found. */
async function* boxesOfModel(
  { bundle, provider, mode, scoreThreshold }: BoxSource & { readonly kind: "model" },
  frames: AsyncGenerator<ScanFrame>,
  faults: FaultLog,
): AsyncGenerator<readonly BoxDetection[] | undefined> {
  const pipeline = await RestartingPipeline.start({
    bundle,
    provider,
    threads: 0,
    fusion: { ...DEFAULT_FUSION, mode },
    boxScoreThreshold: scoreThreshold,
  });
  try {
    for await (const outcome of pipeline.label(frames)) {
      if (outcome.kind === "failed") faults.record(outcome.fault);
      yield outcome.kind === "failed" ? undefined : outcome.boxes!.found;
    }
  } finally {
    await pipeline.close();
  }
}

/** Likewise; a scan for which the bag has no message has no boxes that could be scored. */
async function* boxesOfBag(
  bag: BagReader,
  frames: AsyncGenerator<ScanFrame>,
  faults: FaultLog,
): AsyncGenerator<readonly BoxDetection[] | undefined> {
  const messages = await BoxMessages.index(bag, OUTPUT_TOPICS.detections, faults);
  try {
    for await (const { stamp } of frames) {
      try {
        const message = await messages.of(stamp);
        yield message && boxesOf(message);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.record(error.at({ topic: OUTPUT_TOPICS.detections, stamp }));
        yield undefined;
      }
    }
  } finally {
    await messages.close();
  }
}

function scoringOptions({ source: { bundle }, smallestPoints }: EvaluateBoxesOptions): BoxScoringOptions {
  const detection = bundle?.manifest.detection;
  if (bundle !== undefined && detection === undefined) {
    throw new Fault(
      "invalid-configuration",
      `the model ${bundle.manifest.name} finds no boxes; one with a graph "detection" does`,
    );
  }
  return {
    ...(bundle && { pointRange: bundle.manifest.backbone.point_range }),
    ...(detection && {
      classes: detection.classes.map(({ name, of = [name] }) => ({ name, of })),
    }),
    smallestPoints: smallestPoints ?? detection?.smallest_points ?? 1,
  };
}

/** Boxes of a labelled bag are of its labelled clouds, and are not to be moved by images. */
function inputsOf({ source, ...options }: EvaluateBoxesOptions): InputOptions {
  if (source.kind === "model") return options;
  return { ...options, cloudTopics: [source.labelledTopic ?? OUTPUT_TOPICS.labelled], imageTopics: [] };
}

function without(bag: BagReader, topic: string): Fault {
  const remedy =
    topic === OUTPUT_TOPICS.detections
      ? "; ditr run writes them with a model that finds boxes, --model runs one on this bag"
      : "";
  return new Fault(
    "data-set-unreadable",
    `${bag.path} has no boxes (${DETECTION3D_ARRAY_TYPE}) on ${topic}${remedy}`,
  );
}
