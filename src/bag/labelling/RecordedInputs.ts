import type { FaultLog } from "../../faults/FaultLog.js";
import { syncOptions, type CameraSyncOptions, type SyncOptions } from "../../sync/SyncOptions.js";
import type { BagReader } from "../types.js";
import type { InputSelection } from "./InputSelection.js";
import { recordedClocks, stampedByLog, type ClockOptions, type RecordedClocks } from "./recordedClocks.js";
import { indexRecording, type LogSpan, type RecordingIndex } from "./RecordingIndex.js";

/** Longer recordings are looked at in parts when only an impression is wanted; nanoseconds. */
const PART = 20_000_000_000n;

/** The chosen inputs of a bag with all that is known of their times. */
export interface RecordedInputs {
  readonly selection: InputSelection;
  readonly index: RecordingIndex;
  readonly clocks: RecordedClocks;
  /** Topics that have log times in place of stamps. */
  readonly stampedByLog: ReadonlySet<string>;
  readonly sync: SyncOptions;
}

export interface RecordedInputsOptions extends ClockOptions {
  /** Where messages that cannot be read are recorded. */
  readonly faults: FaultLog;
  readonly maxScans?: number;
  /** Look at the beginning and the end of a long recording only. */
  readonly impression?: boolean;
}

/** Throws a Fault `invalid-configuration` for options that name what is not used. */
export async function recordedInputs(
  reader: BagReader,
  selection: InputSelection,
  options: RecordedInputsOptions,
): Promise<RecordedInputs> {
  const { faults, maxScans, tolerance, impression = false } = options;
  const byLog = stampedByLog(selection, options);
  const index = await indexRecording(reader, {
    selection,
    stampedByLog: byLog,
    faults,
    ...(maxScans !== undefined && { maxScans }),
    ...(impression && { parts: partsOf(reader) }),
  });
  const clocks = recordedClocks(index, selection, options);
  const streams: (readonly [name: string, Partial<CameraSyncOptions>])[] = [
    ...selection.clouds.slice(1).map(({ topic }) => [topic, { tolerance, fromMiddle: false }] as const),
    ...selection.cameras.map(({ name }) => [name, { ...clocks.cameras.get(name)!, tolerance }] as const),
  ];
  const sync = syncOptions({ cameras: Object.fromEntries(streams) });
  return { selection, index, clocks, stampedByLog: byLog, sync };
}

function partsOf({ startTime, endTime }: BagReader): readonly LogSpan[] {
  if (startTime === undefined || endTime === undefined || endTime - startTime <= 3n * PART) return [{}];
  return [{ endTime: startTime + PART }, { startTime: endTime - PART }];
}
