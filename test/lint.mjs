// `npm run lint`: ESLint (types and import directions), Prettier, and ruff + mypy over training/.
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
const python = ensurePythonEnvironment();
if (python === undefined) {
  console.error("SKIPPED: ruff and mypy, no Python.");
} else {
  checks.push(
    [python, "-m", "ruff", "check", "--config", "training/pyproject.toml", "training", "test/reference"],
    [
      python,
      "-m",
      "ruff",
      "format",
      "--config",
      "training/pyproject.toml",
      "--check",
      "training",
      "test/reference",
    ],
    [python, "-m", "mypy", "--config-file", "training/pyproject.toml", "training/ditr_train"],
  );
}
const failed = checks.filter(
  ([command, ...args]) => spawnSync(command, args, { stdio: "inherit" }).status !== 0,
);
process.exitCode = failed.length > 0 ? 1 : 0;
