// `npm run lint`: ESLint (types and import directions), Prettier, and ruff, mypy and import directions over training/.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { ensurePythonEnvironment } from "./support/pythonEnvironment.mjs";

const require = createRequire(import.meta.url);
const bin = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const checks = [
  [process.execPath, bin("eslint", "bin/eslint.js"), ".", "--max-warnings", "0"],
  [process.execPath, bin("prettier", "bin/prettier.cjs"), "--check", "--log-level", "warn", "."],
];
const importDirections =
  "import os; os.chdir('training'); from importlinter.cli import lint_imports_command as command; " +
  "command(['--no-cache', '--no-logo'])";
const python = ensurePythonEnvironment();
if (python === undefined) {
  console.error("SKIPPED: ruff, mypy and import-linter, no Python.");
} else {
  const rules = ["--config", "training/pyproject.toml"];
  checks.push(
    [python, "-m", "ruff", "check", "training"],
    [python, "-m", "ruff", "check", ...rules, "test/reference", "test/ros"],
    [python, "-m", "ruff", "format", "--check", "training"],
    [python, "-m", "ruff", "format", "--check", ...rules, "test/reference", "test/ros"],
    [python, "-m", "mypy", ...rules.with(0, "--config-file"), "training/ditr_train"],
    [python, "-c", importDirections],
  );
}
const failed = checks.filter(
  ([command, ...args]) => spawnSync(command, args, { stdio: "inherit" }).status !== 0,
);
process.exitCode = failed.length > 0 ? 1 : 0;
