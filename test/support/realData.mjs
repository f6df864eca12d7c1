import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "@jest/globals";

const realData =
  process.env.DITR_REAL_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

export function describeWithRealData(name, relative, body) {
  const folder = path.join(realData, relative);
  (existsSync(folder) ? describe : describe.skip)(name, () => {
    body(folder);
  });
}
