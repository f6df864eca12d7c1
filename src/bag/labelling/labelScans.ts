import { DETECTION3D_ARRAY_TYPE } from "../../messages/detection3DArray.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { MARKER_ARRAY_TYPE } from "../../messages/markerArray.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { labelInfoMessage } from "../../perception/labelInfoMessage.js";
import type { RestartingPipeline } from "../../perception/RestartingPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "../../perception/ScanFrame.js";
import { assembleFrames, type AssembleFramesOptions } from "./assembleFrames.js";
import { BagCopy, type CopiedChannels } from "./BagCopy.js";
import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "./outputTopics.js";

export interface LabelScansOptions extends AssembleFramesOptions {
  readonly pipeline: Pick<RestartingPipeline, "label">;
  readonly manifest: BundleManifest;
  /** Where the results go; without it, they are only yielded. */
  readonly output?: LabelledOutput;
}

/** A bag that is being written. */
export interface LabelledOutput {
  readonly writer: McapBagWriter;
  /** What is copied from the input as it is. */
  readonly copied: CopiedChannels;
}

/**
 * Labels a recorded bag, scan by scan in the order of their stamps, and writes each result at the log time of its
 * scan before it is yielded, where there is an output. The same bag and model give the same bytes. A message that cannot be read is recorded
 * and left out.
 */
export async function* labelScans(options: LabelScansOptions): AsyncGenerator<ScanWithCloud | FailedScan> {
  const { reader, pipeline, output, faults } = options;
  const copy = output && new BagCopy(reader, output.writer, output.copied);
  const logTimes: bigint[] = [];
  const frames = framesOf(options, logTimes);
  let first = true;
  for await (const outcome of pipeline.label(frames)) {
    const logTime = logTimes.shift()!;
    await copy?.upTo(logTime);
    if (output !== undefined) {
      if (first) await writeLabelInfo(options.manifest, output.writer, outcome.stamp, logTime);
      if (outcome.kind === "labelled") await writeResults(output.writer, outcome, logTime);
    }
    first = false;
    if (outcome.kind === "failed") faults.record(outcome.fault);
    yield outcome;
  }
  if (options.maxScans === undefined) await copy?.rest(options.isStopped);
}

async function writeResults(writer: McapBagWriter, scan: ScanWithCloud, logTime: bigint): Promise<void> {
  await writer.write(OUTPUT_TOPICS.labelled, POINT_CLOUD2_TYPE, { logTime }, scan.labelledCloud);
  if (scan.filteredCloud !== undefined) {
    await writer.write(OUTPUT_TOPICS.filtered, POINT_CLOUD2_TYPE, { logTime }, scan.filteredCloud);
  }
  const { detections, markers } = scan.boxes ?? {};
  if (detections !== undefined)
    await writer.write(OUTPUT_TOPICS.detections, DETECTION3D_ARRAY_TYPE, { logTime }, detections);
  if (markers !== undefined)
    await writer.write(OUTPUT_TOPICS.markers, MARKER_ARRAY_TYPE, { logTime }, markers);
}

async function* framesOf(options: LabelScansOptions, logTimes: bigint[]): AsyncGenerator<ScanFrame> {
  for await (const { frame, logTime } of assembleFrames(options)) {
    logTimes.push(logTime);
    yield frame;
  }
}

async function writeLabelInfo(
  manifest: BundleManifest,
  writer: McapBagWriter,
  stamp: bigint,
  logTime: bigint,
): Promise<void> {
  const cdr = labelInfoMessage(manifest, stamp);
  await writer.write(OUTPUT_TOPICS.labelInfo, LABEL_INFO_TYPE, { logTime }, cdr);
}
