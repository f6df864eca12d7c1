import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { diagnosticsDocument } from "./diagnosticsDocument.js";

test("docs/diagnostics.md says what the tables say (node test/writeDiagnosticsDocument.mjs writes it)", () => {
  const written = readFileSync(new URL("../../../docs/diagnostics.md", import.meta.url), "utf8");
  expect(written).toBe(diagnosticsDocument());
});
