import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { floatBytes, writeFiles } from "../bag/importers/dataset/exampleRecording.js";
import { EXIT } from "./exitCodes.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "ditr-importing-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(`${folder}.mcap`);
});

test("an import that leaves scans out exits with 3, and with 1 when it leaves out all", async () => {
  const scan = (frame: number): string => path.join(folder, "velodyne", `00000${frame}.bin`);
  const points = floatBytes([5, 1, -1, 0.5, 3, -2, 0, 0.25]);
  await writeFiles(Object.fromEntries([0, 1, 2].map((frame) => [scan(frame), points])));
  const output = `${folder}.mcap`;
  const imported = () => {
    const args = [main, "import", "semantickitti", folder, "-o", output, "--force"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, stdout, stderr };
  };
  expect(imported()).toMatchObject({ status: EXIT.ok, stdout: `${output}: 3 scans of ${folder}\n` });
  appendFileSync(scan(1), "x");
  const some = imported();
  expect(some).toMatchObject({ status: EXIT.incomplete, stdout: `${output}: 2 of 3 scans of ${folder}\n` });
  expect(some.stderr).toContain(`${scan(1)}: it has 33 bytes, not a multiple of 16`);
  for (const frame of [0, 2]) truncateSync(scan(frame), 7);
  const none = imported();
  expect(none).toMatchObject({ status: EXIT.fault, stdout: "" });
  expect(none.stderr).toContain(`no scan of ${folder} can be read: ${scan(0)}: it has 7 bytes`);
});
