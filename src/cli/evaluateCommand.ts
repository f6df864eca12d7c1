import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { z } from "zod";
import { GROUND_TRUTH_FIELD } from "../bag/importers/dataset/groundTruth.js";
import { bagFiles, openBag } from "../bag/openBag.js";
import type { BagReader } from "../bag/types.js";
import { meanOf, type BoxScores } from "../evaluation/BoxScores.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import { evaluateFolders } from "../evaluation/evaluateFolders.js";
import { LABEL_FORMATS, type LabelFormatName } from "../evaluation/labelFormats.js";
import type { ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
import type { ModeConfusion } from "../evaluation/ModeConfusion.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog } from "../faults/FaultLog.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { writeOutput } from "../files/writeOutput.js";
import { ModelBundle } from "../model/ModelBundle.js";
import type { ProviderChoice } from "../model/providers.js";
import { FUSION_MODES, type FusionMode, type LabellingMode } from "../perception/FusionPolicy.js";
import { share, wholeNumber } from "./arguments.js";
import { boxTable } from "./boxTable.js";
import { evaluateBoxes, hasScoredBoxes, type BoxSource } from "./evaluateBoxes.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { providerOption } from "./modelOption.js";
import { printFault } from "./printFault.js";
import { Progress } from "./Progress.js";
import { columnsByMode, scoreTable } from "./scoreTable.js";

/** conf_thresh of 3DETR's evaluation, as in training. */
const EVALUATED_SCORE = 0.05;

interface EvaluateFlags extends InputFlags {
  readonly topic?: string;
  readonly truth?: string;
  readonly summary?: string;
  readonly json?: string;
  readonly predictions?: string;
  readonly format?: LabelFormatName;
  readonly model?: string;
  readonly provider: ProviderChoice;
  readonly mode: FusionMode;
  readonly boxScoreThreshold: number;
  readonly smallestPoints?: number;
  readonly force: boolean;
}

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description(
      "compare labels with ground truth: per-class IoU, mIoU, confusion matrix; of a bag, or of folders in the " +
        "format and by the rules of a benchmark. Of a bag with true boxes also AP25 and AP50 of its boxes, or of a model's",
    )
    .argument("[bag]", "a bag that `ditr run` wrote from clouds with ground truth")
    .option("--topic <topic>", "labelled clouds (default: the output topic of ditr run)")
    .option(
      "--truth <field or folder>",
      `of a bag: field with the true class ids (default: ${GROUND_TRUTH_FIELD}); of folders: folder of true labels`,
    )
    .option("--summary <file>", "JSON summary of the run: adds scores apart for fused and image-free scans")
    .option("--json <file>", "write scores and confusion matrix")
    .option("--predictions <folder>", "instead of a bag: folder of predicted labels")
    .addOption(new Option("--format <format>", "of the folders").choices(Object.keys(LABEL_FORMATS)))
    .option(
      "-m, --model <folder>",
      "score the boxes of this model: by its classes and range those of the bag, or, where the bag has none, those that it finds",
    )
    .addOption(providerOption())
    .addOption(
      new Option("--mode <mode>", "of --model, as in ditr run").choices(FUSION_MODES).default("auto"),
    )
    .option(
      "--box-score-threshold <p>",
      "of --model where it is run: boxes with a lower score are left out",
      share,
      EVALUATED_SCORE,
    )
    .option(
      "--smallest-points <count>",
      "true boxes with fewer measured points need not be found (default: what the model says, or 1)",
      wholeNumber,
    );
  return addInputOptions(command)
    .addOption(forceOption())
    .action(async (bag: string | undefined, flags: EvaluateFlags, command: Command) => {
      const { predictions, truth, format } = flags;
      if (bag !== undefined && predictions === undefined) {
        if (flags.model === undefined) await evaluateOneBag(bag, flags);
        else await evaluateModelBoxes(bag, flags.model, flags);
      } else if (bag === undefined && predictions !== undefined && truth && format) {
        await evaluateLabelFolders(predictions, truth, format, flags);
      } else {
        command.error("error: name a bag, or --predictions, --truth and --format");
      }
    });
}

async function evaluateOneBag(bag: string, flags: EvaluateFlags): Promise<void> {
  await checkOutputs({
    inputs: [...(await bagFiles(bag)), bag, ...(flags.summary === undefined ? [] : [flags.summary])],
    bagFolders: [bag],
    files: [flags.json],
    force: flags.force,
  });
  const modes = flags.summary === undefined ? undefined : await readModes(flags.summary);
  const reader = await openBag(bag);
  const progress = new Progress("evaluating", 0, "scans");
  try {
    const confusion = await evaluateBag(reader, {
      ...(flags.truth !== undefined && { truthField: flags.truth }),
      ...(flags.topic !== undefined && { labelledTopic: flags.topic }),
      ...(modes && { modeOf: (stamp: bigint) => modes.get(stamp) }),
      onScan: () => {
        progress.step();
      },
    });
    progress.stop();
    const columns = columnsByMode(confusion);
    console.log(scoreTable(modes === undefined ? columns.slice(0, 1) : columns));
    const boxes = hasScoredBoxes(reader) ? await scoredBoxes(reader, { kind: "bag" }, flags) : undefined;
    if (boxes !== undefined) console.log(`\n${boxTable(boxes)}`);
    const scores = { ...modeScores(confusion), ...(boxes && { boxes: boxScores(boxes) }) };
    if (flags.json !== undefined) await writeScores(flags.json, scores, flags.force);
  } finally {
    progress.stop();
    await reader.close();
  }
}

/** Of the boxes that the bag has, or else of those that the model finds. */
async function evaluateModelBoxes(bag: string, model: string, flags: EvaluateFlags): Promise<void> {
  await checkOutputs({
    inputs: [...(await bagFiles(bag)), bag, model],
    bagFolders: [bag],
    files: [flags.json],
    force: flags.force,
  });
  const bundle = await ModelBundle.load(model);
  const reader = await openBag(bag);
  try {
    const { provider, mode, boxScoreThreshold: scoreThreshold } = flags;
    const source: BoxSource = hasScoredBoxes(reader)
      ? { kind: "bag", bundle }
      : { kind: "model", bundle, provider, mode, scoreThreshold };
    const boxes = await scoredBoxes(reader, source, flags);
    console.log(boxTable(boxes));
    if (flags.json !== undefined) await writeScores(flags.json, { boxes: boxScores(boxes) }, flags.force);
  } finally {
    await reader.close();
  }
}

/** Exits with the code for an incomplete result when scans were left out. */
async function scoredBoxes(reader: BagReader, source: BoxSource, flags: EvaluateFlags): Promise<BoxScores> {
  const { topic, smallestPoints } = flags;
  const faults = new FaultLog({ announce: printFault });
  const scores = await evaluateBoxes(
    reader,
    {
      ...inputOptions(flags),
      source: source.kind === "bag" && topic !== undefined ? { ...source, labelledTopic: topic } : source,
      ...(smallestPoints !== undefined && { smallestPoints }),
    },
    faults,
  );
  if (faults.hasErrors) process.exitCode = EXIT.incomplete;
  return scores;
}

/** Exits with the code for an incomplete result when frames were skipped. */
async function evaluateLabelFolders(
  predictions: string,
  truth: string,
  formatName: LabelFormatName,
  { json, force }: EvaluateFlags,
): Promise<void> {
  await checkOutputs({ inputs: [predictions, truth], files: [json], force });
  const format = LABEL_FORMATS[formatName];
  let progress: Progress | undefined;
  try {
    const { confusion, frames, skipped } = await evaluateFolders({
      predictions,
      truth,
      format,
      onStart: (total) => {
        progress = new Progress("evaluating", total, "frames");
      },
      onFrame: () => {
        progress?.step();
      },
    });
    progress?.stop();
    for (const { severity, message: text } of skipped) printFault({ severity, text });
    console.log(scoreTable([{ title: formatName, matrix: confusion }], format.mean));
    console.log(`${frames} frames compared`);
    if (json !== undefined) await writeScores(json, { frames, ...matrixScores(confusion) }, force);
    if (skipped.length > 0) process.exitCode = EXIT.incomplete;
  } finally {
    progress?.stop();
  }
}

const summarySchema = z.object({
  per_scan: z.array(
    z.object({ stamp: z.string().regex(/^-?\d+$/), mode: z.enum(["fused", "image-free", "failed"]) }),
  ),
});

async function readModes(file: string): Promise<Map<bigint, LabellingMode>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new Fault("data-set-unreadable", `${file} is not a readable JSON file`, { cause: error });
  }
  const parsed = summarySchema.safeParse(json);
  if (!parsed.success) {
    throw new Fault(
      "data-set-unreadable",
      `${file} is not a summary of ditr run: ${z.prettifyError(parsed.error)}`,
    );
  }
  return new Map(
    parsed.data.per_scan.flatMap(({ stamp, mode }) =>
      mode === "failed" ? [] : [[BigInt(stamp), mode] as const],
    ),
  );
}

async function writeScores(file: string, scores: unknown, force: boolean): Promise<void> {
  await writeOutput(file, `${JSON.stringify(scores, null, 2)}\n`, { force });
}

function modeScores(confusion: ModeConfusion) {
  return {
    all: matrixScores(confusion.total()),
    fused: matrixScores(confusion.of("fused")),
    image_free: matrixScores(confusion.of("image-free")),
  };
}

function boxScores(scores: BoxScores) {
  const classes = scores.classScores();
  return {
    scans: scores.scans,
    /** Means over the classes that have boxes. */
    ap25: meanOf(classes, "ap25"),
    ap50: meanOf(classes, "ap50"),
    smallest_points: scores.smallestPoints,
    classes,
  };
}

function matrixScores(matrix: ConfusionMatrix) {
  return {
    points: matrix.points,
    /** Over the classes in the truth or in the predictions, and over those in the truth. */
    miou_present: matrix.meanIou("present"),
    classes_present: matrix.classesOfMean("present"),
    miou_truth: matrix.meanIou("truth"),
    classes_truth: matrix.classesOfMean("truth"),
    miou_all: matrix.meanIou("all"),
    overall_accuracy: matrix.overallAccuracy(),
    classes: matrix.classScores(),
    /** Row = truth, column = prediction, last column = no label. */
    confusion: { class_names: matrix.classNames, counts: [...matrix.toCounts()] },
  };
}
