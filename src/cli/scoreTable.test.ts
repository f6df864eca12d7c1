import { expect, test } from "@jest/globals";
import { ConfusionMatrix } from "../evaluation/ConfusionMatrix.js";
import { LabelTable } from "../evaluation/LabelTable.js";
import { scoreTable } from "./scoreTable.js";

test("each mean says which classes it is over, and how many", () => {
  const matrix = new ConfusionMatrix(["road", "car", "tree", "bus"]);
  const table = new LabelTable([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  // Trees are predicted and are none; there is no bus.
  matrix.add(Uint8Array.of(0, 0, 1, 2), Uint8Array.of(0, 0, 1, 1), { predicted: table, truth: table });
  const rows = (mean?: "present" | "all") =>
    scoreTable([{ title: "all scans", matrix }], mean)
      .split("\n")
      .filter((line) => line.includes("mIoU"))
      .map((line) => line.split("│").map((cell) => cell.trim()));
  expect(rows().map(([, label, , score]) => [label, score])).toEqual([
    ["mIoU (classes in truth or predictions)", "50.0 (3 classes)"],
    ["mIoU (classes in truth)", "75.0 (2 classes)"],
  ]);
  expect(rows("all").map(([, label, , score]) => [label, score])).toEqual([
    ["mIoU (all classes)", "37.5 (4 classes)"],
  ]);
});
