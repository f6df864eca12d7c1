import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { z } from "zod";
import { GROUND_TRUTH_FIELD } from "../bag/dataset/groundTruth.js";
import { openBag } from "../bag/openBag.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import type { ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
import type { ModeConfusion } from "../evaluation/ModeConfusion.js";
import { Fault } from "../faults/Fault.js";
import type { LabellingMode } from "../perception/FusionPolicy.js";
import { Progress } from "./Progress.js";
import { scoreTable } from "./scoreTable.js";

interface EvaluateFlags {
  readonly topic?: string;
  readonly truth: string;
  readonly summary?: string;
  readonly json?: string;
}

export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("compare the labels of a bag with its ground truth: per-class IoU, mIoU, confusion matrix")
    .argument("<bag>", "a bag that `ditr run` wrote from clouds with ground truth")
    .option("--topic <topic>", "labelled clouds (default: the output topic of ditr run)")
    .option("--truth <field>", "field with the true class ids", GROUND_TRUTH_FIELD)
    .option("--summary <file>", "JSON summary of the run: adds scores apart for fused and image-free scans")
    .option("--json <file>", "write scores and confusion matrix")
    .action(async (bag: string, flags: EvaluateFlags) => {
      const modes = flags.summary === undefined ? undefined : await readModes(flags.summary);
      const reader = await openBag(bag);
      const progress = new Progress("evaluating", 0, "scans");
      try {
        const confusion = await evaluateBag(reader, {
          truthField: flags.truth,
          ...(flags.topic !== undefined && { labelledTopic: flags.topic }),
          ...(modes && { modeOf: (stamp: bigint) => modes.get(stamp) }),
          onScan: () => {
            progress.step();
          },
        });
        progress.stop();
        console.log(scoreTable(confusion, modes !== undefined));
        if (flags.json !== undefined)
          await writeFile(flags.json, JSON.stringify(scoresAsJson(confusion), null, 2));
      } finally {
        progress.stop();
        await reader.close();
      }
    });
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

function scoresAsJson(confusion: ModeConfusion): unknown {
  const one = (matrix: ConfusionMatrix) => ({
    points: matrix.points,
    miou_present: matrix.meanIou("present"),
    miou_all: matrix.meanIou("all"),
    overall_accuracy: matrix.overallAccuracy(),
    classes: matrix.classScores(),
    /** Row = truth, column = prediction, last column = no label. */
    confusion: { class_names: matrix.classNames, counts: [...matrix.toCounts()] },
  });
  return {
    all: one(confusion.total()),
    fused: one(confusion.of("fused")),
    image_free: one(confusion.of("image-free")),
  };
}
