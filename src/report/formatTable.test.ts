import { expect, test } from "@jest/globals";
import { formatTable } from "./formatTable.js";

test("columns of numbers are right-aligned, others left-aligned, and nothing is coloured", () => {
  const text = formatTable(
    ["class", "IoU %"],
    [
      ["road", "98.1"],
      ["traffic-sign", "7.0"],
    ],
  );
  expect(text).toContain("│ road         │  98.1 │");
  expect(text).toContain("│ traffic-sign │   7.0 │");
  expect(text).not.toContain("\u001b");
});
