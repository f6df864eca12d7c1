import { expect, test } from "@jest/globals";
import fc from "fast-check";
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

test("a table of a width breaks the text of its last column at spaces, and words that are longer", () => {
  const rows = [
    ["ok", "a short line"],
    ["FAIL", `libcudnn.so.9 is not there /opt/${"a".repeat(50)} ends`],
  ];
  expect(formatTable(["", "found"], rows, { width: 40 })).toBe(
    [
      "┌──────┬───────────────────────────────┐",
      "│      │ found                         │",
      "├──────┼───────────────────────────────┤",
      "│ ok   │ a short line                  │",
      "│ FAIL │ libcudnn.so.9 is not there    │",
      "│      │ /opt/aaaaaaaaaaaaaaaaaaaaaaaa │",
      "│      │ aaaaaaaaaaaaaaaaaaaaaaaaaa    │",
      "│      │ ends                          │",
      "└──────┴───────────────────────────────┘",
    ].join("\n"),
  );
});

test("no text makes a table wider than its width, and none is lost", () => {
  const word = fc.stringMatching(/^[a-z/.]{1,80}$/);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), fc.integer({ min: 20, max: 120 }), (words, width) => {
      const lines = formatTable(["", "found"], [["ok", words.join(" ")]], { width }).split("\n");
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      const text = lines.slice(3, -1).map((line) => line.split("│")[2]!.trim());
      expect(text.join("").replaceAll(" ", "")).toBe(words.join(""));
    }),
  );
});
