// `npm test`: jest over dist/ and, at the same time, pytest over training/; then jest's tests with ROS 2 one after the other; and
// one closing line that counts all and names what was skipped. Only what is absent (ROS 2, Python, CUDA, real data) is
// skipped; what is there and does not work is a failure.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { letOthersGoFirst } from "./support/priority.mjs";
import { ensurePythonEnvironment } from "./support/pythonEnvironment.mjs";
import { ensureRosWorkspace } from "./support/rosWorkspace.mjs";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-tests-"));
const totals = { passed: 0, failed: 0 };
const skipped = [];
/** What should be there for the tests and could not be made, and what ended without saying how, in words. */
const problems = [];
let broken = false;

/** What is absent, `prepare` returns as undefined; what it throws is a failure, and all that is possible runs still. */
async function prepared(prepare) {
  try {
    return await prepare();
  } catch (error) {
    problems.push(error.message);
    return undefined;
  }
}

/** Tests that start nodes and watch what they do in time; nothing else runs beside them. */
const LIVE_TESTS = "\\.live\\.test\\.js$";

/** The report that a test runner was asked for; undefined, which is a failure, where it ended before it wrote one. */
function reportOf(runner, file, [status, signal]) {
  broken ||= status !== 0;
  if (existsSync(file)) return readFileSync(file, "utf8");
  problems.push(`${runner} ended with ${status ?? signal} and no report`);
  return undefined;
}

async function runJest(selection, env) {
  const report = path.join(scratch, "jest.json");
  rmSync(report, { force: true });
  const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
  const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
  const args = [...flags, jest, "--json", `--outputFile=${report}`, ...selection];
  // Jest prints its JSON to stdout too; the file is the one that is read.
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
  const json = reportOf("jest", report, await once(child, "close"));
  if (json === undefined) return;
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(json);
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  for (const { assertionResults } of testResults) {
    for (const { status, fullName } of assertionResults) if (status === "pending") skipped.push(fullName);
  }
}

/** What pytest prints appears when it has ended, so that it does not mix with jest's lines. */
async function runPytest(python) {
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
  const child = spawn(python, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  // Some tests of jest count on their time; none of these does.
  letOthersGoFirst(child);
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => printed.push(part));
  const ended = await once(child, "close");
  process.stdout.write(Buffer.concat(printed));
  const xml = reportOf("pytest", report, ended);
  if (xml === undefined) return;
  const count = (name) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(xml)[1]);
  const failed = count("failures") + count("errors");
  totals.failed += failed;
  totals.passed += count("tests") - failed - count("skipped");
  for (const [, file, name] of xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><skipped/g)) {
    skipped.push(`${file}: ${name}`);
  }
}

try {
  const python = await prepared(ensurePythonEnvironment);
  const env = python && { DITR_PYTHON: python };
  // Makes rclnodejs ready before it returns; colcon goes on beside the tests.
  const building = prepared(ensureRosWorkspace);
  await Promise.all([
    runJest([`--testPathIgnorePatterns=${LIVE_TESTS}`], env),
    building.then(() => runPytest(python)),
  ]);
  const workspace = await building;
  const live = [`--testPathPatterns=${LIVE_TESTS}`, "--runInBand"];
  await runJest(live, { ...env, ...(workspace && { DITR_WORKSPACE: workspace }) });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (skipped.length > 0) {
  console.log(`\nSKIPPED ${skipped.length} tests:`);
  for (const name of skipped) console.log(`  ${name}`);
}
for (const problem of problems) console.log(`\nFAILED to prepare or end the tests: ${problem}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${skipped.length} skipped`);
process.exitCode = broken || problems.length > 0 || totals.failed > 0 ? 1 : 0;
