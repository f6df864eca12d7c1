import { meanOf, type BoxScores } from "../evaluation/BoxScores.js";
import { formatTable } from "../report/formatTable.js";
import { percent } from "./scoreTable.js";

/** AP25 and AP50 of each class of boxes, and their means. */
export function boxTable(scores: BoxScores): string {
  const classes = scores.classScores();
  return formatTable(
    ["boxes", "to be found", "AP25 %", "AP50 %"],
    [
      ...classes.map(({ name, boxes, ap25, ap50 }) => [name, String(boxes), percent(ap25), percent(ap50)]),
      ["mean", "", percent(meanOf(classes, "ap25")), percent(meanOf(classes, "ap50"))],
    ],
  );
}
