// `npm test`: jest over dist/, then its tests with ROS 2 one after the other, pytest over training/, and one closing line
// that counts all and names what was skipped. Only what is absent (ROS 2, Python, CUDA, real data) is skipped; what is there and
// does not work is a failure.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensurePythonEnvironment } from "./support/pythonEnvironment.mjs";
import { ensureRosWorkspace } from "./support/rosWorkspace.mjs";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-tests-"));
const totals = { passed: 0, failed: 0 };
const skipped = [];
/** What should be there for the tests and could not be made, in words. */
const unprepared = [];
let broken = false;

/** What is absent, `prepare` returns as undefined; what it throws is a failure, and all that is possible runs still. */
function prepared(prepare) {
  try {
    return prepare();
  } catch (error) {
    unprepared.push(error.message);
    return undefined;
  }
}

/** Tests that start nodes and watch what they do in time; nothing else runs beside them. */
const LIVE_TESTS = "\\.live\\.test\\.js$";

function runJest(selection, env) {
  const report = path.join(scratch, "jest.json");
  const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
  const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
  const args = [...flags, jest, "--json", `--outputFile=${report}`, ...selection];
  // Jest prints its JSON to stdout too; the file is the one that is read.
  const done = spawnSync(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
  broken ||= done.status !== 0;
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  for (const { assertionResults } of testResults) {
    for (const { status, fullName } of assertionResults) if (status === "pending") skipped.push(fullName);
  }
}

function runPytest(python) {
  if (python === undefined) {
    skipped.push("training/tests: all of pytest, without Python");
    return;
  }
  const report = path.join(scratch, "pytest.xml");
  // As many processes as cores, with one thread each: the networks of the tests are too small for more.
  const parallel = ["-n", "auto", "--dist", "worksteal"];
  const args = [
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    ...parallel,
    `--junitxml=${report}`,
    "training/tests",
  ];
  const done = spawnSync(python, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  broken ||= done.status !== 0;
  const xml = readFileSync(report, "utf8");
  const count = (name) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(xml)[1]);
  const failed = count("failures") + count("errors");
  totals.failed += failed;
  totals.passed += count("tests") - failed - count("skipped");
  for (const [, file, name] of xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><skipped/g)) {
    skipped.push(`${file}: ${name}`);
  }
}

try {
  const python = prepared(ensurePythonEnvironment);
  const workspace = prepared(ensureRosWorkspace);
  const env = { ...(python && { DITR_PYTHON: python }), ...(workspace && { DITR_WORKSPACE: workspace }) };
  runJest([`--testPathIgnorePatterns=${LIVE_TESTS}`], env);
  runJest([`--testPathPatterns=${LIVE_TESTS}`, "--runInBand"], env);
  runPytest(python);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (skipped.length > 0) {
  console.log(`\nSKIPPED ${skipped.length} tests:`);
  for (const name of skipped) console.log(`  ${name}`);
}
for (const problem of unprepared) console.log(`\nFAILED to prepare the tests: ${problem}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${skipped.length} skipped`);
process.exitCode = broken || unprepared.length > 0 || totals.failed > 0 ? 1 : 0;
