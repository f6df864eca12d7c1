import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { decodeHeader } from "../../messages/header.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { FrameAssembler, type SensorMessage } from "../../perception/FrameAssembler.js";
import { labelInfoMessage } from "../../perception/labelInfoMessage.js";
import type { RestartingPipeline } from "../../perception/RestartingPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "../../perception/ScanFrame.js";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import { synchronizeRecording, type LoggedMessage } from "../../sync/synchronizeRecording.js";
import { BagCopy, type CopiedChannels } from "./BagCopy.js";
import type { InputSelection } from "./InputSelection.js";
import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "./outputTopics.js";
import { TransformFeed } from "./TransformFeed.js";
import type { BagMessage, BagReader } from "../types.js";

export interface LabelBagOptions {
  readonly reader: BagReader;
  readonly selection: InputSelection;
  readonly pipeline: Pick<RestartingPipeline, "label">;
  readonly manifest: BundleManifest;
  readonly sync: SyncOptions;
  /** See FrameAssemblerOptions. */
  readonly fixedFrame?: string;
  /** See FrameAssemblerOptions. */
  readonly deskew?: boolean;
  readonly writer: McapBagWriter;
  /** What is copied from the input as it is. */
  readonly copied: CopiedChannels;
  /** Where messages and images that were left out are recorded. */
  readonly faults: FaultLog;
  /** Where every message of the join is accounted for. */
  readonly ledger: SyncLedger;
  /** Stop after this many scans. */
  readonly maxScans?: number;
}

interface BagCloud extends SensorMessage {
  readonly logTime: bigint;
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
  const { fixedFrame, deskew } = options;
  const { mergedFrame } = selection;
  const assembler = new FrameAssembler(
    {
      rectified,
      otherSources: new Set(selection.clouds.slice(1).map(({ topic }) => topic)),
      ...(fixedFrame !== undefined && { fixedFrame }),
      ...(deskew !== undefined && { deskew }),
      ...(mergedFrame !== undefined && { mergedFrame }),
    },
    faults,
  );
  const transforms = new TransformFeed(reader, selection.tfTopics, assembler, faults);
  const copy = new BagCopy(reader, writer, options.copied);
  await transforms.loadStatic();
  await loadFirstCameraInfos(options, assembler);

  const logTimes: bigint[] = [];
  const frames = assembleFrames(options, assembler, transforms, logTimes);
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
  if (options.maxScans === undefined) await copy.rest();
}

async function* assembleFrames(
  { reader, selection, sync, ledger, faults, maxScans }: LabelBagOptions,
  assembler: FrameAssembler,
  transforms: TransformFeed,
  logTimes: bigint[],
): AsyncGenerator<ScanFrame> {
  const recorded = recordedMessages(reader, selection, assembler, faults);
  let count = 0;
  for await (const frame of synchronizeRecording<BagCloud, SensorMessage>(recorded, sync, ledger)) {
    await transforms.upTo(frame.cloud.logTime);
    logTimes.push(frame.cloud.logTime);
    yield assembler.assemble(frame);
    if (++count === maxScans) return;
  }
}

async function* recordedMessages(
  reader: BagReader,
  selection: InputSelection,
  assembler: FrameAssembler,
  faults: FaultLog,
): AsyncGenerator<LoggedMessage<BagCloud, SensorMessage>> {
  const [{ topic: firstCloud }, ...otherClouds] = selection.clouds;
  const followers = new Map([
    ...otherClouds.map(({ topic }) => [topic, topic] as const),
    ...selection.cameras.map(({ imageTopic, name }) => [imageTopic, name] as const),
  ]);
  const infos = cameraInfosOf(selection);
  const topics = new Set([firstCloud, ...followers.keys(), ...infos.map(({ topic }) => topic)]);
  for await (const message of reader.messages({ topics: [...topics] })) {
    const { topic, logTime } = message;
    try {
      const follower = followers.get(topic);
      if (topic === firstCloud) {
        const { stamp, payload } = stamped(message);
        yield { logTime, kind: "cloud", message: { stamp, payload: { ...payload, logTime } } };
      } else if (follower !== undefined) {
        yield { logTime, kind: "image", camera: follower, message: stamped(message) };
      }
      for (const { camera } of infos.filter((info) => info.topic === topic)) {
        assembler.addCameraInfo(camera, message.data);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const placed = error.at({ topic, logTime });
      faults.record(topic === firstCloud ? placed.asError() : placed);
    }
  }
}

/** The CameraInfo topic of each camera, and of each depth image that points are made of (by the latter's topic). */
function cameraInfosOf({ clouds, cameras }: InputSelection): { camera: string; topic: string }[] {
  return [
    ...cameras.map(({ name, cameraInfoTopic }) => ({ camera: name, topic: cameraInfoTopic })),
    ...clouds.flatMap((cloud) =>
      cloud.kind === "depth" ? [{ camera: cloud.topic, topic: cloud.cameraInfoTopic }] : [],
    ),
  ];
}

function stamped({ topic, type, data }: BagMessage): { stamp: bigint; payload: SensorMessage } {
  const { stamp, frameId } = decodeHeader(data);
  return { stamp, payload: { topic, type, frameId, cdr: data } };
}

/** The first image must not wait for a CameraInfo that was recorded a little later. */
async function loadFirstCameraInfos(
  { reader, selection, faults }: LabelBagOptions,
  assembler: FrameAssembler,
): Promise<void> {
  for (const { camera, topic } of cameraInfosOf(selection)) {
    for await (const { data } of reader.messages({ topics: [topic] })) {
      try {
        assembler.addCameraInfo(camera, data);
        break;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.record(error.at({ topic }));
      }
    }
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
