// Runs the independent reference implementations (NumPy, SciPy, OpenCV, PyTorch) that jest tests compare with.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "@jest/globals";
import { decodeNpy, encodeNpy } from "../../dist/report/npy.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const localPython = path.join(root, ".venv", "bin", "python");

/** The interpreter with the reference packages, or undefined: `npm test` makes .venv, DITR_PYTHON names another. */
export const python = process.env.DITR_PYTHON ?? (existsSync(localPython) ? localPython : undefined);

/** `describe` that is skipped, by name, where there is no Python environment. */
export const describeWithPython = python === undefined ? describe.skip : describe;

/**
 * Runs `test/reference/<script>` in a fresh folder that holds `<name>.npy` for each input and `options.json`;
 * the script writes `<name>.npy` results into the folder `out` beside them.
 */
export function runReference(script, inputs, options = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "ditr-reference-"));
  try {
    for (const [name, array] of Object.entries(inputs)) {
      writeFileSync(path.join(folder, `${name}.npy`), encodeNpy(array));
    }
    writeFileSync(path.join(folder, "options.json"), JSON.stringify(options));
    const file = path.join(root, "test", "reference", script);
    const done = spawnSync(python, [file, folder], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (done.status !== 0)
      throw new Error(`${script} failed (${done.status}):\n${done.stdout}${done.stderr}`);
    const out = path.join(folder, "out");
    return Object.fromEntries(
      (existsSync(out) ? readdirSync(out) : []).map((file) => [
        path.basename(file, ".npy"),
        decodeNpy(readFileSync(path.join(out, file))),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
