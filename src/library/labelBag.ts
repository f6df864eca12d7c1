import { copiedChannels } from "../bag/labelling/copiedChannels.js";
import { labelScans } from "../bag/labelling/labelScans.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { bagFiles, openBag } from "../bag/openBag.js";
import type { BagReader } from "../bag/types.js";
import { FaultLog } from "../faults/FaultLog.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { ModelBundle } from "../model/ModelBundle.js";
import { DEFAULT_MODEL } from "../model/shippedModels.js";
import { DEFAULT_FUSION } from "../perception/FusionPolicy.js";
import type { CloudFilter } from "../perception/labelledClouds.js";
import { RestartingPipeline } from "../perception/RestartingPipeline.js";
import type { FailedScan, ScanWithCloud } from "../perception/ScanFrame.js";
import { RunRecorder } from "../report/RunRecorder.js";
import { DEFAULT_TOLERANCE } from "../sync/SyncOptions.js";
import { BagLabelling } from "./BagLabelling.js";
import { drivenInputs, frameOptions, recordedClouds } from "./drivenInputs.js";
import { checkLabelBagOptions, type LabelBagOptions } from "./LabelBagOptions.js";
import type { LabellingResult } from "./LabellingResult.js";
import { accountScans, outcomesOf } from "./scanAccount.js";

/**
 * Labels a recorded bag from start to end, as `ditr run` does: the same bag and model give the same bytes. Bad messages cost
 * themselves and are counted. Nothing is printed.
 *
 * @param bag an MCAP or .db3 file, also zstd-compressed, a rosbag2 folder, or a reader, which stays open
 * @returns the scans, one by one, and then the summary; see `BagLabelling`
 */
export function labelBag(bag: string | BagReader, options: LabelBagOptions = {}): BagLabelling {
  return typeof bag === "string"
    ? new BagLabelling(bag, labelFile(bag, options))
    : new BagLabelling(bag.path, labelReader(bag, options));
}

type Scans = AsyncGenerator<ScanWithCloud | FailedScan, LabellingResult>;

async function* labelFile(bag: string, options: LabelBagOptions): Scans {
  checkLabelBagOptions(options);
  // Before the bag is looked at, which may take long.
  const files = options.output === undefined ? [] : await bagFiles(bag);
  await checkOutput(options, [bag, ...files], [bag]);
  const reader = await openBag(bag);
  try {
    return yield* labelReader(reader, options);
  } finally {
    await reader.close();
  }
}

/** The output file appears only when all of it is written, or all until the signal. */
async function* labelReader(bag: BagReader, options: LabelBagOptions): Scans {
  checkLabelBagOptions(options);
  const { signal, output, force = false, dump = false, copy = "tf", onFault } = options;
  const { model = DEFAULT_MODEL, provider = "auto", threads = 0 } = options;
  await checkOutput(options, [bag.path], []);
  // A signal that comes when all is done has stopped nothing.
  /** A property, since TypeScript does not see that a function changes a variable. */
  const run: { isCutShort: boolean } = { isCutShort: false };
  const isStopped = (): boolean => (run.isCutShort ||= signal?.aborted === true);
  const given = { ...options, tolerance: options.tolerance ?? DEFAULT_TOLERANCE, isStopped };
  const bundle = await ModelBundle.load(model);
  const faults = new FaultLog({ ...(onFault && { announce: onFault }) });
  const driven = await drivenInputs(bag, given, faults);
  const { selection, inputs, ledger } = driven;
  const filter = cloudFilter(bundle, options);
  const pipeline = await RestartingPipeline.start({
    bundle,
    provider,
    threads,
    fusion: { ...DEFAULT_FUSION, ...options.fusion },
    ...(filter && { filter }),
    ...(options.boxScoreThreshold !== undefined && { boxScoreThreshold: options.boxScoreThreshold }),
    ...(options.intensityScale !== undefined && { intensityScale: options.intensityScale }),
    ...(options.intensityField !== undefined && { intensityField: options.intensityField }),
    dump,
  });
  const recorder = new RunRecorder();
  const scanCount = recordedClouds(bag, selection);
  const start = performance.now();
  let writer: McapBagWriter | undefined;
  try {
    options.onStart?.({ scanCount, selection, provider: pipeline.providerReport, faults });
    if (output !== undefined) writer = await McapBagWriter.create(output, { force });
    const outcomes = labelScans({
      ...frameOptions(driven, given, faults),
      pipeline,
      manifest: bundle.manifest,
      ...(writer && { output: { writer, copied: copiedChannels(selection, copy) } }),
    });
    for await (const outcome of outcomes) {
      recorder.add(outcome);
      if (outcome.kind === "labelled")
        outcome.faults.forEach((fault) => {
          faults.record(fault);
        });
      yield outcome;
    }
    // What was stopped before its first scan has nothing to keep.
    if (!run.isCutShort || recorder.scans.length > 0) await writer?.close();
  } finally {
    await writer?.abort();
    await pipeline.close();
  }
  for (const warning of bag.warnings) if (!driven.said.has(warning)) faults.record(warning);
  const sync = ledger.statistics();
  return {
    input: bag.path,
    ...(output !== undefined && { output }),
    bundle,
    provider: pipeline.providerReport,
    selection,
    clocks: inputs.clocks,
    recorder,
    sync,
    faults,
    seconds: (performance.now() - start) / 1000,
    scans: accountScans({
      inBag: scanCount,
      isWhole: !run.isCutShort && options.maxScans === undefined,
      clouds: sync.clouds,
      outcomes: outcomesOf(recorder),
      faults,
    }),
    ...(run.isCutShort ? { stoppedBy: reasonOfAbort(signal) } : {}),
  };
}

/** @throws Fault `output-refused` or `bag-unwritable` */
async function checkOutput(
  { output, force = false, model = DEFAULT_MODEL }: LabelBagOptions,
  inputs: readonly string[],
  bagFolders: readonly string[],
): Promise<void> {
  await checkOutputs({ inputs: [...inputs, model], bagFolders, files: [output], force });
}

function reasonOfAbort(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason.message : String(reason);
}

function cloudFilter(
  bundle: ModelBundle,
  { filterClasses, filterProbability }: LabelBagOptions,
): CloudFilter | undefined {
  if (filterClasses === undefined) return undefined;
  return {
    classIds: filterClasses.map((name) => bundle.classId(name)),
    ...(filterProbability !== undefined && { probabilityThreshold: filterProbability }),
  };
}
