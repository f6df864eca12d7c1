import type { FaultLog } from "../../faults/FaultLog.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { FrameAssembler } from "../../perception/FrameAssembler.js";
import { labelInfoMessage } from "../../perception/labelInfoMessage.js";
import type { RestartingPipeline } from "../../perception/RestartingPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "../../perception/ScanFrame.js";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import { BagCopy, type CopiedChannels } from "./BagCopy.js";
import { CameraInfoFeed } from "./CameraInfoFeed.js";
import type { InputSelection } from "./InputSelection.js";
import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "./outputTopics.js";
import { RecordedEpochs } from "./RecordedEpochs.js";
import { RecordedFrames } from "./RecordedFrames.js";
import type { RecordingIndex } from "./RecordingIndex.js";
import { TransformFeed } from "./TransformFeed.js";
import type { BagReader } from "../types.js";

export interface LabelBagOptions {
  readonly reader: BagReader;
  readonly selection: InputSelection;
  readonly pipeline: Pick<RestartingPipeline, "label">;
  readonly manifest: BundleManifest;
  readonly sync: SyncOptions;
  /** Of the reader's bag and the selection. */
  readonly index: RecordingIndex;
  /** Topics of transforms whose log times count and not their stamps; for other topics the index has them already. */
  readonly stampedByLog?: ReadonlySet<string>;
  /** See FrameAssemblerOptions. */
  readonly fixedFrame?: string;
  /** See FrameAssemblerOptions. */
  readonly deskew?: boolean;
  /** See FrameAssemblerOptions. */
  readonly transformOffset?: bigint;
  readonly writer: McapBagWriter;
  /** What is copied from the input as it is. */
  readonly copied: CopiedChannels;
  /** Where messages and images that were left out are recorded. */
  readonly faults: FaultLog;
  /** Where every message of the join is accounted for. */
  readonly ledger: SyncLedger;
  /** Stop after this many scans. */
  readonly maxScans?: number;
  /** Asked before each further scan and copied message: are those under way the last? */
  readonly isStopped?: () => boolean;
}

/**
 * Labels a recorded bag, scan by scan in the order of their stamps, and writes each result at the log time of its
 * scan before it is yielded. The same bag and model give the same bytes. A message that cannot be read is recorded
 * and left out.
 */
export async function* labelBag(options: LabelBagOptions): AsyncGenerator<ScanWithCloud | FailedScan> {
  const { reader, selection, pipeline, writer, faults } = options;
  const rectified = new Set([
    ...selection.cameras.filter(({ rectified }) => rectified).map(({ name }) => name),
    ...selection.clouds.flatMap((cloud) => (cloud.kind === "depth" && cloud.rectified ? [cloud.topic] : [])),
  ]);
  const { fixedFrame, deskew, transformOffset } = options;
  const { mergedFrame } = selection;
  const assembler = new FrameAssembler(
    {
      rectified,
      otherSources: new Set(selection.clouds.slice(1).map(({ topic }) => topic)),
      ...(fixedFrame !== undefined && { fixedFrame }),
      ...(deskew !== undefined && { deskew }),
      ...(transformOffset !== undefined && { transformOffset }),
      ...(mergedFrame !== undefined && { mergedFrame }),
    },
    faults,
  );
  const copy = new BagCopy(reader, writer, options.copied);

  const logTimes: bigint[] = [];
  const frames = assembleFrames(options, assembler, logTimes);
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

async function* assembleFrames(
  options: LabelBagOptions,
  assembler: FrameAssembler,
  logTimes: bigint[],
): AsyncGenerator<ScanFrame> {
  const { reader, selection, index, stampedByLog, sync, ledger, faults, maxScans } = options;
  const epochs = new RecordedEpochs(index.clouds, sync.jumpThreshold);
  const transforms = new TransformFeed({
    reader,
    topics: selection.tfTopics,
    index,
    epochs,
    assembler,
    faults,
    ...(stampedByLog && { stampedByLog }),
  });
  const cameraInfos = new CameraInfoFeed(selection, index, assembler);
  const messages = new RecordedFrames({ reader, selection, index, epochs, sync });
  try {
    await transforms.loadStatic();
    let count = 0;
    for (const rows of messages.join(ledger)) {
      if (options.isStopped?.() === true) return;
      const frame = await messages.read(rows);
      await transforms.upTo(frame.epoch, frame.stamp + (options.transformOffset ?? 0n));
      cameraInfos.prepare(frame);
      logTimes.push(frame.cloud.logTime);
      yield assembler.assemble(frame);
      if (++count === maxScans) return;
    }
  } finally {
    await messages.close();
    await transforms.close();
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
