import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { checkCase } from "../../test/cases/checkCase.mjs";
import { EXPECTATIONS } from "../../test/cases/expectations.mjs";

/** Recordings that went wrong for users of other tools; they are not in this repository. */
const folder = process.env["DITR_CASES"] ?? fileURLToPath(new URL("../../../shared/cases", import.meta.url));

(existsSync(folder) ? describe : describe.skip)("recordings that went wrong elsewhere", () => {
  test.each(EXPECTATIONS.map((expectation) => ({ ...expectation, options: expectation.options ?? [] })))(
    "$file $options: $right",
    async (expectation) => {
      if (!existsSync(path.join(folder, expectation.file))) return;
      const { wrong } = await checkCase(folder, expectation);
      expect(wrong).toEqual([]);
    },
    600_000,
  );
});
