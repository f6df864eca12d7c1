import type { ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
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

const MEAN_TITLES = { present: "mIoU (classes present)", all: "mIoU (all classes)" } as const;

/**
 * Per-class IoU and the means.
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
  const line = (label: string, value: (matrix: ConfusionMatrix) => number | undefined) => [
    label,
    "",
    ...columns.map(({ matrix }) => percent(value(matrix))),
  ];
  return formatTable(
    ["class", "points", ...columns.map(({ title }) => `IoU % ${title}`)],
    [
      ...rows,
      line(MEAN_TITLES[mean], (matrix) => matrix.meanIou(mean)),
      line("overall accuracy", (matrix) => matrix.overallAccuracy()),
    ],
  );
}

function percent(value: number | undefined): string {
  return value === undefined ? "-" : (100 * value).toFixed(1);
}
