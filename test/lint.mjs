// `npm run lint`: ESLint (types and import directions), Prettier, and ruff, mypy and import directions over training/.
// The two languages are checked at the same time; what each check prints appears when it has ended.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { ensurePythonEnvironment } from "./support/pythonEnvironment.mjs";

const require = createRequire(import.meta.url);
const bin = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const javascript = [
  [process.execPath, bin("eslint", "bin/eslint.js"), ".", "--max-warnings", "0"],
  [process.execPath, bin("prettier", "bin/prettier.cjs"), "--check", "--log-level", "warn", "."],
];
const importDirections =
  "import os; os.chdir('training'); from importlinter.cli import lint_imports_command as command; " +
  "command(['--no-cache', '--no-logo'])";

function pythonChecks() {
  const python = ensurePythonEnvironment();
  if (python === undefined) {
    console.error("SKIPPED: ruff, mypy and import-linter, no Python.");
    return [];
  }
  const rules = ["--config", "training/pyproject.toml"];
  return [
    [python, "-m", "ruff", "check", "training"],
    [python, "-m", "ruff", "check", ...rules, "test/reference", "test/ros"],
    [python, "-m", "ruff", "format", "--check", "training"],
    [python, "-m", "ruff", "format", "--check", ...rules, "test/reference", "test/ros"],
    [python, "-m", "mypy", ...rules.with(0, "--config-file"), "training/ditr_train"],
    [python, "-c", importDirections],
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

async function inTurn(checks) {
  let all = true;
  for (const each of checks) all = (await check(each)) && all;
  return all;
}

const held = await Promise.all([inTurn(javascript), inTurn(pythonChecks())]);
process.exitCode = held.every(Boolean) ? 0 : 1;
