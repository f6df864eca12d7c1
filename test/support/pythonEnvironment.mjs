// The Python environment of the comparisons and of training/: made once in .venv beside package.json.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const venv = path.join(root, ".venv");
const project = path.join(root, "training", "pyproject.toml");
/** Holds the pyproject.toml that .venv was made from, so that a change of it installs again. */
const stamp = path.join(venv, "installed-pyproject.toml");

function python3() {
  for (const name of ["python3.12", "python3.11", "python3"]) {
    const script = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    if (spawnSync(name, ["-c", script], { stdio: "ignore" }).status === 0) return name;
  }
  return undefined;
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${done.status ?? done.signal}`);
}

/**
 * Makes .venv with training/ and its test tools, unless it is there already or DITR_PYTHON names an interpreter.
 * Returns the interpreter, or undefined with a loud line where there is no Python 3.11 with venv.
 */
export function ensurePythonEnvironment() {
  if (process.env.DITR_PYTHON) return process.env.DITR_PYTHON;
  const interpreter = path.join(venv, "bin", "python");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(project, "utf8")) return interpreter;
  const base = python3();
  if (base === undefined) {
    console.error(
      "SKIPPED: no Python >= 3.11 with venv here; the tests that compare with Python will be skipped.",
    );
    return undefined;
  }
  console.error(`Making .venv with ${base} for the comparisons (PyTorch is large: this takes minutes once).`);
  run(base, ["-m", "venv", venv]);
  run(interpreter, ["-m", "pip", "install", "--quiet", "-e", "training[test]"]);
  writeFileSync(stamp, readFileSync(project));
  return interpreter;
}
