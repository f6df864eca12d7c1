import { Fault } from "../../faults/Fault.js";
import { FaultLog } from "../../faults/FaultLog.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { FrameImages } from "../../perception/FrameImages.js";
import { ScanReader } from "../../perception/ScanReader.js";
import { scanSense } from "../../perception/ScanSense.js";
import { SyncLedger } from "../../sync/SyncLedger.js";
import type { BagReader } from "../types.js";
import { assembleFrames } from "./assembleFrames.js";
import type { RecordedInputs } from "./RecordedInputs.js";

/** Scans that are looked at: the first ones. */
const SCANS = 3;

export interface SenseOptions {
  readonly intensityScale?: number;
  readonly intensityField?: string;
  readonly fixedFrame?: string;
  readonly deskew?: boolean;
}

/**
 * What a run would say of the points of the first scans, each kind of sentence once: what cannot be read, and what makes no
 * sense to the model. They are read, moved and merged as the run does it; images are not looked at.
 *
 * @param reader of the selected types
 */
export async function senseOfScans(
  reader: BagReader,
  inputs: RecordedInputs,
  { backbone }: Pick<BundleManifest, "backbone">,
  { intensityScale, intensityField, fixedFrame, deskew }: SenseOptions = {},
): Promise<readonly Fault[]> {
  const found = new Map<string, Fault>();
  const note = (fault: Fault): void => {
    const key = `${fault.code} ${fault.message.replace(/[\d.]+/g, "#")}`;
    if (fault.severity !== "info" && !found.has(key)) found.set(key, fault);
  };
  const points = new ScanReader({
    withIntensity: backbone.input_features.some(({ name }) => name === "intensity"),
    ...(intensityScale !== undefined && { intensityScale }),
    ...(intensityField !== undefined && { intensityField }),
  });
  const frames = assembleFrames({
    ...inputs,
    reader,
    transformOffset: inputs.clocks.transformOffset,
    ...(fixedFrame !== undefined && { fixedFrame }),
    ...(deskew !== undefined && { deskew }),
    faults: new FaultLog({ onRecord: note }),
    ledger: new SyncLedger(),
    maxScans: SCANS,
  });
  const { grid_size: gridSize, point_range: pointRange } = backbone;
  for await (const { frame } of frames) {
    try {
      const { cloud, xyz, noReturnCount, faults } = await points.read(frame, new FrameImages([]));
      faults.forEach(note);
      const { frameId } = cloud.header;
      for (const fault of scanSense({ xyz, noReturnCount, frameId, pointRange, gridSize }))
        note(fault.at({ topic: frame.topic }));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      note(error.at({ topic: frame.topic, stamp: frame.stamp }));
    }
  }
  return [...found.values()];
}
