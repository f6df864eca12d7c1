import type { AssembleFramesOptions } from "../bag/labelling/assembleFrames.js";
import { chooseInputs } from "../bag/labelling/chooseInputs.js";
import type { InputSelection } from "../bag/labelling/InputSelection.js";
import { inspectBag } from "../bag/labelling/inspectBag.js";
import { ofSelectedTypes } from "../bag/labelling/ofSelectedTypes.js";
import { recordedInputs, type RecordedInputs } from "../bag/labelling/RecordedInputs.js";
import type { BagReader } from "../bag/types.js";
import type { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { dropFault } from "../sync/dropFault.js";
import { SyncLedger } from "../sync/SyncLedger.js";
import type { InputOptions } from "./InputOptions.js";

/** What is said of the scans that are wanted. */
export interface FrameChoices extends Pick<InputOptions, "deskew" | "fixedFrame"> {
  readonly maxScans?: number;
  /** Asked before each further scan: are those under way the last? */
  readonly isStopped?: () => boolean;
}

/** What is taken of a bag, with all that is known of it before the first scan. */
export interface DrivenInputs {
  readonly selection: InputSelection;
  /** The bag without messages of other types on the selected topics. */
  readonly reader: BagReader;
  readonly inputs: RecordedInputs;
  /** Of the join; what it drops is recorded as faults. */
  readonly ledger: SyncLedger;
  /** The bag's warnings that are recorded; reading it adds others. */
  readonly said: ReadonlySet<Fault>;
}

/**
 * Chooses the inputs of a bag, and records what is wrong with them: what is known before the work begins is said before,
 * also when it does not begin.
 *
 * @throws Fault as `chooseInputs` and `recordedInputs`
 */
export async function drivenInputs(
  bag: BagReader,
  options: InputOptions & { readonly maxScans?: number },
  faults: FaultLog,
): Promise<DrivenInputs> {
  const summary = await inspectBag(bag, options);
  const said = new Set(bag.warnings);
  for (const problem of said) faults.record(problem);
  const selection = chooseInputs(summary, options);
  const reader = ofSelectedTypes(bag, selection);
  const inputs = await recordedInputs(reader, selection, { ...options, faults });
  for (const problem of [...selection.problems, ...inputs.clocks.problems]) faults.record(problem);
  const ledger = new SyncLedger();
  const imageTopics = new Map(selection.cameras.map(({ name, imageTopic }) => [name, imageTopic]));
  ledger.drops.subscribe((drop) => {
    // Further sources of points go by their topics.
    const topic =
      drop.camera === undefined ? selection.clouds[0].topic : (imageTopics.get(drop.camera) ?? drop.camera);
    faults.record(dropFault(drop, topic));
  });
  return { selection, reader, inputs, ledger, said };
}

/** What the scans of the inputs are assembled by. */
export function frameOptions(
  { reader, inputs, ledger }: DrivenInputs,
  options: FrameChoices,
  faults: FaultLog,
): AssembleFramesOptions {
  const { deskew, fixedFrame, maxScans, isStopped } = options;
  return {
    reader,
    ...inputs,
    faults,
    ledger,
    transformOffset: inputs.clocks.transformOffset,
    ...(deskew !== undefined && { deskew }),
    ...(fixedFrame !== undefined && { fixedFrame }),
    ...(maxScans !== undefined && { maxScans }),
    ...(isStopped && { isStopped }),
  };
}

/** Messages of the topic that sets the scans. */
export function recordedClouds(reader: BagReader, { clouds: [{ topic }] }: InputSelection): number {
  return reader.topics.find((candidate) => candidate.topic === topic)?.messageCount ?? 0;
}
