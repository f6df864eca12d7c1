import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { labelInfoMessage } from "../../perception/labelInfoMessage.js";
import type { RestartingPipeline } from "../../perception/RestartingPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "../../perception/ScanFrame.js";
import { assembleFrames, type AssembleFramesOptions } from "./assembleFrames.js";
import { BagCopy, type CopiedChannels } from "./BagCopy.js";
import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "./outputTopics.js";

export interface LabelBagOptions extends AssembleFramesOptions {
  readonly pipeline: Pick<RestartingPipeline, "label">;
  readonly manifest: BundleManifest;
  readonly writer: McapBagWriter;
  /** What is copied from the input as it is. */
  readonly copied: CopiedChannels;
}

/**
 * Labels a recorded bag, scan by scan in the order of their stamps, and writes each result at the log time of its
 * scan before it is yielded. The same bag and model give the same bytes. A message that cannot be read is recorded
 * and left out.
 */
export async function* labelBag(options: LabelBagOptions): AsyncGenerator<ScanWithCloud | FailedScan> {
  const { reader, pipeline, writer, faults } = options;
  const copy = new BagCopy(reader, writer, options.copied);

  const logTimes: bigint[] = [];
  const frames = framesOf(options, logTimes);
  let first = true;
  for await (const outcome of pipeline.label(frames)) {
    const logTime = logTimes.shift()!;
    await copy.upTo(logTime);
    if (first) await writeLabelInfo(options, outcome.stamp, logTime);
    first = false;
    if (outcome.kind === "labelled") {
      await writer.write(OUTPUT_TOPICS.labelled, POINT_CLOUD2_TYPE, { logTime }, outcome.labelledCloud);
      if (outcome.filteredCloud !== undefined) {
        await writer.write(OUTPUT_TOPICS.filtered, POINT_CLOUD2_TYPE, { logTime }, outcome.filteredCloud);
      }
    } else {
      faults.record(outcome.fault);
    }
    yield outcome;
  }
  if (options.maxScans === undefined) await copy.rest(options.isStopped);
}

async function* framesOf(options: LabelBagOptions, logTimes: bigint[]): AsyncGenerator<ScanFrame> {
  for await (const { frame, logTime } of assembleFrames(options)) {
    logTimes.push(logTime);
    yield frame;
  }
}

async function writeLabelInfo(
  { manifest, writer }: LabelBagOptions,
  stamp: bigint,
  logTime: bigint,
): Promise<void> {
  const cdr = labelInfoMessage(manifest, stamp);
  await writer.write(OUTPUT_TOPICS.labelInfo, LABEL_INFO_TYPE, { logTime }, cdr);
}
