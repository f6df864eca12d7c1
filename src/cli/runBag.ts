import type { BagReader } from "../bag/types.js";
import { labelBag } from "../library/labelBag.js";
import type { LabelBagOptions, LabellingStart } from "../library/LabelBagOptions.js";
import type { LabellingResult } from "../library/LabellingResult.js";
import type { Interruption, StopSignal } from "./Interruption.js";
import { Progress } from "./Progress.js";
import { writeDump } from "./writeDump.js";

export interface RunBagOptions extends Omit<LabelBagOptions, "dump" | "signal" | "onStart"> {
  readonly output: string;
  /** Folder for .npy dumps. */
  readonly dump?: string;
  /** Listens from the creation of the output on; the caller closes it. */
  readonly interruption?: Interruption;
}

export interface RunResult extends LabellingResult {
  readonly output: string;
  /** The signal that ended the run early: the output has the scans until then, or is not there when that are none. */
  readonly stoppedBy?: StopSignal;
}

/** Labels a bag as a command: with a bar of progress, dumps, and an end by Ctrl-C that keeps what is done. */
export async function runBag(reader: BagReader, options: RunBagOptions): Promise<RunResult> {
  const { dump, interruption, ...labelling } = options;
  let progress: Progress | undefined;
  let faults: LabellingStart["faults"] | undefined;
  const run = labelBag(reader, {
    ...labelling,
    dump: dump !== undefined,
    ...(interruption && { signal: interruption.signal }),
    onStart: (start) => {
      interruption?.listen();
      const total = Math.min(start.scanCount, options.maxScans ?? start.scanCount);
      progress = new Progress("labelling", total, "scans");
      ({ faults } = start);
    },
  });
  try {
    for await (const outcome of run) {
      if (dump !== undefined && outcome.kind === "labelled") await writeDump(dump, outcome);
      progress?.step(faults?.total);
    }
  } finally {
    progress?.stop();
  }
  const { stoppedBy, ...result } = await run.result();
  // An interruption aborts with its signal for the reason.
  return {
    ...result,
    output: options.output,
    ...(stoppedBy !== undefined && { stoppedBy: stoppedBy as StopSignal }),
  };
}
