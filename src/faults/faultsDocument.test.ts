import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { faultsDocument } from "./faultsDocument.js";

test("docs/faults.md says what the table says (node test/writeFaultsDocument.mjs writes it)", () => {
  expect(readFileSync(new URL("../../docs/faults.md", import.meta.url), "utf8")).toBe(faultsDocument());
});
