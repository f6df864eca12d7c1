import { GROUND_TRUTH_INFO_TOPIC } from "../bag/importers/dataset/groundTruth.js";
import { readLabelInfo } from "../bag/labelInfos.js";
import { assembleFrames } from "../bag/labelling/assembleFrames.js";
import { chooseInputs } from "../bag/labelling/chooseInputs.js";
import { namespaceOf } from "../bag/labelling/imageRoles.js";
import type { InputSelection } from "../bag/labelling/InputSelection.js";
import { inspectBag } from "../bag/labelling/inspectBag.js";
import { openBag } from "../bag/openBag.js";
import { BoxMessages, holdsBoxes } from "../bag/samples/BoxMessages.js";
import { holdsIds, IdImages } from "../bag/samples/IdImages.js";
import { SampleReader } from "../bag/samples/SampleReader.js";
import { SampleWriter } from "../bag/samples/SampleWriter.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog, type FaultAnnouncement } from "../faults/FaultLog.js";
import { GROUND_TRUTH_BOXES_TOPIC } from "../messages/boxDetections.js";
import { DETECTION3D_ARRAY_TYPE } from "../messages/detection3DArray.js";
import { drivenInputs, frameOptions, recordedClouds, type DrivenInputs } from "../library/drivenInputs.js";
import type { Interruption, StopSignal } from "./Interruption.js";
import { Progress } from "./Progress.js";
import { optionsForBag, unknownTopics, type SampleOptions } from "./sampleOptions.js";
import { accountScans, type ScanAccount } from "../library/scanAccount.js";

export interface SampleBagsOptions extends SampleOptions {
  /** Folder of the samples. */
  readonly output: string;
  /** Replace samples that are there. */
  readonly force: boolean;
  /** What the samples say of how they were made: the options as they were given. */
  readonly given: unknown;
  /** Listens from the creation of the output on; the caller closes it. */
  readonly interruption?: Interruption;
  /** Told of the faults while they happen, at a bounded rate (see FaultLogOptions). */
  readonly announce?: (announcement: FaultAnnouncement) => void;
}

/** What became of the scans of one bag. */
export interface SampledBagResult {
  readonly path: string;
  /** `labelled` are those that became samples, or hold no measured point and have nothing to learn from. */
  readonly scans: ScanAccount;
  /** Of those the latter. */
  readonly empty: number;
  readonly withLabels: number;
  readonly withImages: number;
  readonly withBoxes: number;
  readonly faults: FaultLog;
}

export interface SampleBagsResult {
  readonly output: string;
  readonly bags: readonly SampledBagResult[];
  readonly seconds: number;
  /** The signal that ended the work early: the output has the scans until then, or is not there when that are none. */
  readonly stoppedBy?: StopSignal;
}

/**
 * Makes training samples of bags; the folder gets its header, and so is one, when all of it is written, or all until the run
 * was asked to stop.
 *
 * @throws Fault when a bag or an option cannot be used, or no scan gives a sample: nothing is left of the output then
 */
export async function sampleBags(
  bags: readonly string[],
  options: SampleBagsOptions,
): Promise<SampleBagsResult> {
  const start = performance.now();
  const { output, force, interruption } = options;
  const results: SampledBagResult[] = [];
  await checkBags(bags, options);
  interruption?.listen();
  const writer = await SampleWriter.create(output, { force });
  try {
    for (const bag of bags) {
      if (interruption?.isAsked() === true) break;
      const reader = await openBag(bag);
      try {
        results.push(await sampleBag(reader, writer, options));
      } finally {
        await reader.close();
      }
    }
    const stopped = interruption?.stoppedBy !== undefined;
    if (writer.scans > 0) await writer.close();
    else if (!stopped) throw nothing(results);
  } finally {
    await writer.abort();
  }
  const stoppedBy = interruption?.stoppedBy;
  const seconds = (performance.now() - start) / 1000;
  return { output, bags: results, seconds, ...(stoppedBy && { stoppedBy }) };
}

/** What can be said of several bags before hours of work: each can be used, and some bag has what the options name. */
async function checkBags(bags: readonly string[], options: SampleBagsOptions): Promise<void> {
  const topics = new Set<string>();
  for (const bag of bags) {
    const reader = await openBag(bag);
    try {
      for (const { topic } of reader.topics) topics.add(topic);
      const own = optionsForBag(reader, options);
      // The only one is looked at when it is read.
      if (bags.length > 1) chooseInputs(await inspectBag(reader, own), own);
    } finally {
      await reader.close();
    }
  }
  const unknown = unknownTopics(topics, options);
  if (unknown.length === 0) return;
  const sentence = `no bag has ${unknown.join(", ")}, which the options name`;
  options.announce?.({ severity: "warning", code: "invalid-configuration", text: sentence });
}

function nothing(results: readonly SampledBagResult[]): Fault {
  const reasons = results.flatMap(({ path, faults }) => {
    const [worst] = faults.summary();
    return worst === undefined ? [] : [`${path}: ${worst.messages[0] ?? worst.code}`];
  });
  return new Fault(
    "data-set-unreadable",
    ["no scan has a measured point, so that there are no samples", ...reasons].join("; "),
  );
}

async function sampleBag(
  bag: BagReader,
  writer: SampleWriter,
  options: SampleBagsOptions,
): Promise<SampledBagResult> {
  const faults = new FaultLog({ ...(options.announce && { announce: options.announce }) });
  const own = optionsForBag(bag, options);
  const driven = await drivenInputs(bag, own, faults);
  const { reader, selection, ledger, said } = driven;
  const { labelField } = options;
  const classes = (await readLabelInfo(bag, GROUND_TRUTH_INFO_TOPIC))?.classMap;
  writer.beginBag({
    path: bag.path,
    cloudTopics: selection.clouds.map(({ topic }) => topic),
    labelField,
    ...(classes && { classes }),
    options: options.given,
  });
  const semantic = await idImages(driven, "semantic", own.semanticTopics, faults);
  const regions = await idImages(driven, "regions", own.regionTopics, faults);
  const boxes = await boxMessages(reader, own.boxesTopic, faults);
  const samples = new SampleReader({ ...own, labelField, semantic, regions, ...(boxes && { boxes }) });
  const total = recordedClouds(bag, selection);
  const { maxScans, interruption } = options;
  const progress = new Progress("reading", Math.min(total, maxScans ?? total), "scans");
  let [written, empty, failed, withLabels, withImages, withBoxes] = [0, 0, 0, 0, 0, 0];
  try {
    const chosen = { ...own, ...(interruption && { isStopped: interruption.isAsked }) };
    const frames = assembleFrames({ ...frameOptions(driven, chosen, faults), poses: true });
    for await (const { frame, pose } of frames) {
      const { topic, stamp } = frame;
      try {
        const sample = await samples.read(frame);
        for (const fault of sample.faults) faults.record(fault);
        if (sample.labels === undefined && options.requireLabels) throw withoutLabels(labelField);
        if (sample.points.length === 0) {
          empty++;
        } else {
          await writer.add(sample, pose);
          written++;
          if (sample.labels !== undefined) withLabels++;
          if (sample.views.length > 0) withImages++;
          if (sample.boxes !== undefined) withBoxes++;
        }
      } catch (error) {
        if (!(error instanceof Fault) || error.code === "bag-unwritable") throw error;
        failed++;
        faults.record(error.at({ topic, stamp }).asError());
      }
      progress.step(faults.total);
    }
  } finally {
    progress.stop();
    await semantic.close();
    await regions.close();
    await boxes?.close();
  }
  for (const warning of bag.warnings) if (!said.has(warning)) faults.record(warning);
  const scans = accountScans({
    inBag: total,
    isWhole: interruption?.stoppedBy === undefined && maxScans === undefined,
    clouds: ledger.statistics().clouds,
    outcomes: { answered: written + empty, withoutLabels: 0, failed },
    faults,
  });
  return { path: bag.path, scans, empty, withLabels, withImages, withBoxes, faults };
}

function withoutLabels(labelField: string): Fault {
  return new Fault(
    "data-set-unreadable",
    `the cloud has no field "${labelField}", which --label-field names`,
  );
}

/** The id images of the cameras that are used, on the topics that were named or lie beside the images. */
function idImages(
  { reader, selection }: Pick<DrivenInputs, "reader" | "selection">,
  beside: string,
  named: Readonly<Record<string, string>> | undefined,
  faults: FaultLog,
): Promise<IdImages> {
  return IdImages.index(reader, idTopics(reader, selection, beside, named), faults);
}

/** The true boxes of the bag, on the topic that was named or where simulated bags have them. */
async function boxMessages(
  reader: BagReader,
  wanted: string | undefined,
  faults: FaultLog,
): Promise<BoxMessages | undefined> {
  const topic = wanted ?? GROUND_TRUTH_BOXES_TOPIC;
  if (holdsBoxes(reader, topic)) return BoxMessages.index(reader, topic, faults);
  const other = reader.topics.find((each) => each.topic === wanted);
  if (other === undefined) return undefined;
  throw new Fault(
    "invalid-configuration",
    `${reader.path} has ${other.type} on ${other.topic}, which --boxes names, and not ${DETECTION3D_ARRAY_TYPE}`,
  );
}

function idTopics(
  reader: BagReader,
  { cameras }: InputSelection,
  beside: string,
  named: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, string> {
  return new Map(
    cameras.flatMap(({ imageTopic }): [string, string][] => {
      const wanted = named[imageTopic];
      const topic = wanted ?? `${namespaceOf(imageTopic)}/${beside}`;
      if (holdsIds(reader, topic)) return [[imageTopic, topic]];
      if (wanted === undefined) return [];
      throw new Fault(
        "invalid-configuration",
        `${reader.path} has no sensor_msgs/msg/Image on ${wanted}, which --${beside} names for ${imageTopic}`,
      );
    }),
  );
}
