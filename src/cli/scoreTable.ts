import type { ClassesOfMean, ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
import type { ModeConfusion } from "../evaluation/ModeConfusion.js";
import { formatTable } from "../report/formatTable.js";

export interface ScoreColumn {
  readonly title: string;
  readonly matrix: ConfusionMatrix;
}

/** All scans, and those of each mode. */
export function columnsByMode(confusion: ModeConfusion): readonly ScoreColumn[] {
  return [
    { title: "all scans", matrix: confusion.total() },
    { title: "fused", matrix: confusion.of("fused") },
    { title: "image-free", matrix: confusion.of("image-free") },
  ];
}

/** The means of each rule: what they are over, and how many classes that is. */
const MEANS: Readonly<Record<"present" | "all", readonly (readonly [ClassesOfMean, string])[]>> = {
  present: [
    ["present", "mIoU (classes in truth or predictions)"],
    ["truth", "mIoU (classes in truth)"],
  ],
  all: [["all", "mIoU (all classes)"]],
};

/**
 * Per-class IoU and the means, each with the number of classes that it is over.
 * @param columns at least one, all of the same classes
 * @param mean see `ConfusionMatrix.meanIou`
 */
export function scoreTable(columns: readonly ScoreColumn[], mean: "present" | "all" = "present"): string {
  const scores = columns.map(({ matrix }) => matrix.classScores());
  const rows = scores[0]!.map(({ name, truthPoints }, index) => [
    name,
    String(truthPoints),
    ...scores.map((column) => percent(column[index]!.iou)),
  ]);
  const line = (label: string, value: (matrix: ConfusionMatrix) => string) => [
    label,
    "",
    ...columns.map(({ matrix }) => value(matrix)),
  ];
  return formatTable(
    ["class", "points", ...columns.map(({ title }) => `IoU % ${title}`)],
    [
      ...rows,
      ...MEANS[mean].map(([classes, label]) =>
        line(
          label,
          (matrix) => `${percent(matrix.meanIou(classes))} (${matrix.classesOfMean(classes)} classes)`,
        ),
      ),
      line("overall accuracy", (matrix) => percent(matrix.overallAccuracy())),
    ],
  );
}

/** Of a share; "-" where there is none. */
export function percent(value: number | undefined): string {
  return value === undefined ? "-" : (100 * value).toFixed(1);
}
