// `npm run lint`: ESLint (types and import directions), Prettier, and ruff, mypy and import directions over training/.
// Two checks run at the same time, the longest start first; what each prints appears when it has ended.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { ensurePythonEnvironment } from "./support/pythonEnvironment.mjs";

const require = createRequire(import.meta.url);
const bin = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const importDirections =
  "import os; os.chdir('training'); from importlinter.cli import lint_imports_command as command; " +
  "command(['--no-cache', '--no-logo'])";

/** What checks Python, the longest first; nothing, said on the console, where there is none. */
function pythonChecks() {
  const python = ensurePythonEnvironment();
  if (python === undefined) {
    console.error("SKIPPED: ruff, mypy and import-linter, no Python.");
    return [];
  }
  const rules = ["--config", "training/pyproject.toml"];
  return [
    [python, "-m", "mypy", ...rules.with(0, "--config-file"), "training/ditr_train"],
    [python, "-c", importDirections],
    [python, "-m", "ruff", "check", "training"],
    [python, "-m", "ruff", "check", ...rules, "test/reference", "test/ros"],
    [python, "-m", "ruff", "format", "--check", "training"],
    [python, "-m", "ruff", "format", "--check", ...rules, "test/reference", "test/ros"],
  ];
}

/** @returns {Promise<boolean>} whether the check holds */
function check([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const printed = [];
    child.stdout.on("data", (part) => printed.push(part));
    child.stderr.on("data", (part) => printed.push(part));
    child.on("error", reject);
    child.on("close", (status) => {
      process.stdout.write(Buffer.concat(printed));
      resolve(status === 0);
    });
  });
}

const [mypy, ...others] = pythonChecks();
const waiting = [
  [process.execPath, bin("eslint", "bin/eslint.js"), ".", "--max-warnings", "0"],
  ...(mypy ? [mypy] : []),
  [process.execPath, bin("prettier", "bin/prettier.cjs"), "--check", "--log-level", "warn", "."],
  ...others,
];

async function oneByOne() {
  let held = true;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
    held = (await check(next)) && held;
  return held;
}

const held = await Promise.all([oneByOne(), oneByOne()]);
process.exitCode = held.every(Boolean) ? 0 : 1;
