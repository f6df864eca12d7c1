import type { FaultLog } from "../../faults/FaultLog.js";
import { FrameAssembler } from "../../perception/FrameAssembler.js";
import type { ScanFrame } from "../../perception/ScanFrame.js";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import type { BagReader } from "../types.js";
import { CameraInfoFeed } from "./CameraInfoFeed.js";
import type { InputSelection } from "./InputSelection.js";
import { RecordedEpochs } from "./RecordedEpochs.js";
import { RecordedFrames } from "./RecordedFrames.js";
import type { RecordingIndex } from "./RecordingIndex.js";
import { TransformFeed } from "./TransformFeed.js";

export interface AssembleFramesOptions {
  readonly reader: BagReader;
  readonly selection: InputSelection;
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
  /** Is it wanted where the scans were in the fixed frame? */
  readonly poses?: boolean;
  /** Where messages and images that were left out are recorded. */
  readonly faults: FaultLog;
  /** Where every message of the join is accounted for. */
  readonly ledger: SyncLedger;
  /** Stop after this many scans. */
  readonly maxScans?: number;
  /** Asked before each further scan: are those under way the last? */
  readonly isStopped?: () => boolean;
}

/** A scan with all that belongs to it. */
export interface AssembledFrame {
  readonly frame: ScanFrame;
  readonly logTime: bigint;
  /** See FrameAssembler; absent where it is not known or not wanted. */
  readonly pose?: Float64Array;
}

/** The scans of a recorded bag in the order of their stamps. */
export async function* assembleFrames(options: AssembleFramesOptions): AsyncGenerator<AssembledFrame> {
  const { reader, selection, index, stampedByLog, sync, ledger, faults, maxScans } = options;
  const { fixedFrame, deskew, transformOffset } = options;
  const { mergedFrame } = selection;
  const rectified = new Set([
    ...selection.cameras.filter(({ rectified }) => rectified).map(({ name }) => name),
    ...selection.clouds.flatMap((cloud) => (cloud.kind === "depth" && cloud.rectified ? [cloud.topic] : [])),
  ]);
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
      await transforms.upTo(frame.epoch, frame.stamp + (transformOffset ?? 0n));
      cameraInfos.prepare(frame);
      const pose = options.poses === true ? assembler.pose(frame) : undefined;
      yield { frame: assembler.assemble(frame), logTime: frame.cloud.logTime, ...(pose && { pose }) };
      if (++count === maxScans) return;
    }
  } finally {
    await messages.close();
    await transforms.close();
  }
}
