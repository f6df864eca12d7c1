import type { ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
import type { ModeConfusion } from "../evaluation/ModeConfusion.js";
import { formatTable } from "../report/formatTable.js";

function percent(value: number | undefined): string {
  return value === undefined ? "-" : (100 * value).toFixed(1);
}

/** Per-class IoU and the means; apart by mode where the modes are known. */
export function scoreTable(confusion: ModeConfusion, byMode: boolean): string {
  const columns: [string, ConfusionMatrix][] = [["all scans", confusion.total()]];
  if (byMode) columns.push(["fused", confusion.of("fused")], ["image-free", confusion.of("image-free")]);
  const scores = columns.map(([, matrix]) => matrix.classScores());
  const rows = scores[0]!.map(({ name, truthPoints }, index) => [
    name,
    String(truthPoints),
    ...scores.map((column) => percent(column[index]!.iou)),
  ]);
  const line = (label: string, value: (matrix: ConfusionMatrix) => number | undefined) => [
    label,
    "",
    ...columns.map(([, matrix]) => percent(value(matrix))),
  ];
  return formatTable(
    ["class", "points", ...columns.map(([title]) => `IoU % ${title}`)],
    [
      ...rows,
      line("mIoU (classes present)", (matrix) => matrix.meanIou("present")),
      line("overall accuracy", (matrix) => matrix.overallAccuracy()),
    ],
  );
}
