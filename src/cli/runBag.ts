import { copiedChannels, type CopyChoice } from "../bag/labelling/copiedChannels.js";
import type { InputSelection } from "../bag/labelling/InputSelection.js";
import { labelBag } from "../bag/labelling/labelBag.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import type { RecordedClocks } from "../bag/labelling/recordedClocks.js";
import type { BagReader } from "../bag/types.js";
import { FaultLog, type FaultAnnouncement } from "../faults/FaultLog.js";
import { ModelBundle } from "../model/ModelBundle.js";
import type { ProviderChoice, ProviderReport } from "../model/providers.js";
import type { FusionPolicyOptions } from "../perception/FusionPolicy.js";
import type { CloudFilter } from "../perception/labelledClouds.js";
import { RestartingPipeline } from "../perception/RestartingPipeline.js";
import { RunRecorder } from "../report/RunRecorder.js";
import type { SyncStatistics } from "../sync/SyncLedger.js";
import { drivenInputs, frameOptions, recordedClouds } from "./drivenInputs.js";
import type { InputOptions } from "./inputOptions.js";
import type { Interruption, StopSignal } from "./Interruption.js";
import { Progress } from "./Progress.js";
import { accountScans, outcomesOf, type ScanAccount } from "./scanAccount.js";
import { writeDump } from "./writeDump.js";

export interface RunBagOptions extends InputOptions {
  readonly output: string;
  /** Folder of the model bundle. */
  readonly model: string;
  readonly provider: ProviderChoice;
  readonly threads: number;
  readonly fusion: FusionPolicyOptions;
  readonly filterClasses?: readonly string[];
  readonly filterProbability?: number;
  readonly copy: CopyChoice;
  readonly maxScans?: number;
  /** Replace the output when it exists. */
  readonly force?: boolean;
  /** Folder for .npy dumps. */
  readonly dump?: string;
  /** Listens from the creation of the output on; the caller closes it. */
  readonly interruption?: Interruption;
  /** Told of the faults while they happen, at a bounded rate (see FaultLogOptions). */
  readonly announce?: (announcement: FaultAnnouncement) => void;
}

export interface RunResult {
  readonly input: string;
  readonly output: string;
  readonly bundle: ModelBundle;
  readonly provider: ProviderReport;
  readonly selection: InputSelection;
  readonly clocks: RecordedClocks;
  readonly recorder: RunRecorder;
  readonly sync: SyncStatistics;
  readonly faults: FaultLog;
  readonly seconds: number;
  /** Scans that the run was about, and those of them that have no labels, for whatever reason. */
  readonly scans: ScanAccount;
  /** The signal that ended the run early: the output has the scans until then, or is not there when that are none. */
  readonly stoppedBy?: StopSignal;
}

/**
 * Labels a bag from start to end; the output file appears only when all of it is written, or all until the run was asked to
 * stop.
 */
export async function runBag(reader: BagReader, options: RunBagOptions): Promise<RunResult> {
  const bundle = await ModelBundle.load(options.model);
  const faults = new FaultLog({ ...(options.announce && { announce: options.announce }) });
  const driven = await drivenInputs(reader, options, faults);
  const { selection, inputs, ledger } = driven;
  const filter = cloudFilter(bundle, options);
  const pipeline = await RestartingPipeline.start({
    bundle,
    provider: options.provider,
    threads: options.threads,
    fusion: options.fusion,
    ...(filter && { filter }),
    ...(options.intensityScale !== undefined && { intensityScale: options.intensityScale }),
    ...(options.intensityField !== undefined && { intensityField: options.intensityField }),
    dump: options.dump !== undefined,
  });
  const recorder = new RunRecorder();
  const total = recordedClouds(reader, selection);
  const progress = new Progress("labelling", Math.min(total, options.maxScans ?? total), "scans");
  const start = performance.now();
  let writer: McapBagWriter | undefined;
  try {
    options.interruption?.listen();
    writer = await McapBagWriter.create(options.output, { force: options.force ?? false });
    const outcomes = labelBag({
      ...frameOptions(driven, options, faults),
      pipeline,
      manifest: bundle.manifest,
      writer,
      copied: copiedChannels(selection, options.copy),
    });
    for await (const outcome of outcomes) {
      recorder.add(outcome);
      if (outcome.kind === "labelled")
        outcome.faults.forEach((fault) => {
          faults.record(fault);
        });
      if (options.dump !== undefined && outcome.kind === "labelled") await writeDump(options.dump, outcome);
      progress.step(faults.total);
    }
    // A run that was stopped before its first scan has nothing to keep.
    if (options.interruption?.stoppedBy === undefined || recorder.scans.length > 0) await writer.close();
  } finally {
    progress.stop();
    await writer?.abort();
    await pipeline.close();
  }
  for (const warning of reader.warnings) if (!driven.said.has(warning)) faults.record(warning);
  const stoppedBy = options.interruption?.stoppedBy;
  const sync = ledger.statistics();
  return {
    input: reader.path,
    output: options.output,
    bundle,
    provider: pipeline.providerReport,
    selection,
    clocks: inputs.clocks,
    recorder,
    sync,
    faults,
    seconds: (performance.now() - start) / 1000,
    scans: accountScans({
      inBag: recordedClouds(reader, selection),
      isWhole: stoppedBy === undefined && options.maxScans === undefined,
      clouds: sync.clouds,
      outcomes: outcomesOf(recorder),
      faults,
    }),
    ...(stoppedBy && { stoppedBy }),
  };
}

function cloudFilter(
  bundle: ModelBundle,
  { filterClasses, filterProbability }: RunBagOptions,
): CloudFilter | undefined {
  if (filterClasses === undefined) return undefined;
  return {
    classIds: filterClasses.map((name) => bundle.classId(name)),
    ...(filterProbability !== undefined && { probabilityThreshold: filterProbability }),
  };
}
