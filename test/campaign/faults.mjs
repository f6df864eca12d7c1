// The fault campaign: damaged messages and bags through the real readers, decoders and pipeline. Needs `npm run build`.
//
//   node test/campaign/faults.mjs --cases 100000 --seed 1          all subjects
//   node test/campaign/faults.mjs --only PointCloud2 --case 17 --seed 1    one case again
//
// A case passes when it ends in time with a result or a Fault, and every undamaged message still comes through.
import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { SUBJECTS } from "./subjects.mjs";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string" },
    case: { type: "string" },
  },
});
const seed = Number(values.seed);
/** A case that runs longer hangs; the slowest takes a few hundredths of this. */
const CASE_LIMIT_MS = 30_000;
/** Before its first case a process loads what it tests, which takes long on a machine that does much else. */
const START_LIMIT_MS = 300_000;
const SHOWN_FAILURES = 5;
const MAX_RESTARTS = 20;

/** Cases `from` to `to` of a subject in a process of its own, again behind a case that ended it. */
async function runSubject(name, from, to) {
  const result = {
    name,
    cases: to - from,
    outcomes: {},
    failures: [],
    peakRssBytes: 0,
    slowestMs: 0,
    slowest: from,
  };
  for (let restarts = 0; from < to && restarts < MAX_RESTARTS; restarts++)
    from = await runProcess(result, from, to);
  if (from < to)
    result.failures.push({ index: from, text: `given up after ${MAX_RESTARTS} ends of the process` });
  return result;
}

function runProcess(result, from, to) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL("./worker.mjs", import.meta.url)));
    let current = from;
    let startedAt = performance.now();
    let next = to;
    let hasStarted = false;
    const watchdog = setInterval(() => {
      const limitMs = hasStarted ? CASE_LIMIT_MS : START_LIMIT_MS;
      if (performance.now() - startedAt < limitMs) return;
      result.failures.push({ index: current, text: `still running after ${limitMs} ms` });
      next = current + 1;
      child.kill("SIGKILL");
    }, 1000);
    child.on("message", ({ start, failure, done }) => {
      if (start !== undefined) {
        hasStarted = true;
        const now = performance.now();
        [current, startedAt] = [start, now];
      }
      if (failure !== undefined) result.failures.push(failure);
      if (done !== undefined) {
        for (const [outcome, count] of Object.entries(done.outcomes))
          result.outcomes[outcome] = (result.outcomes[outcome] ?? 0) + count;
        result.peakRssBytes = Math.max(result.peakRssBytes, done.peakRssBytes);
        if (done.slowestMs > result.slowestMs)
          [result.slowestMs, result.slowest] = [done.slowestMs, done.slowest];
      }
    });
    child.on("exit", (code, signal) => {
      clearInterval(watchdog);
      if (!hasStarted) next = Infinity;
      if (code !== 0 && next >= to) {
        result.failures.push({ index: current, text: `the process ended with ${signal ?? `code ${code}`}` });
        next = Math.max(next === to ? 0 : next, current + 1);
      }
      resolve(next);
    });
    child.send({ name: result.name, seed, from, to });
  });
}

function plan() {
  if (values.only !== undefined && values.case !== undefined)
    return [[values.only, Number(values.case), Number(values.case) + 1]];
  const names = values.only === undefined ? Object.keys(SUBJECTS) : [values.only];
  const shares = names.reduce((sum, name) => sum + SUBJECTS[name].share, 0);
  return names.map((name) => [name, 0, Math.ceil((Number(values.cases) * SUBJECTS[name].share) / shares)]);
}

const start = performance.now();
let [cases, failures, peak] = [0, 0, 0];
console.log(`seed ${seed}\n`);
console.log("| subject | cases | accepted | refused or repaired, by code | failures | slowest | peak RSS |");
console.log("| --- | ---: | ---: | --- | ---: | ---: | ---: |");
for (const [name, from, to] of plan()) {
  const result = await runSubject(name, from, to);
  const { accepted = 0 } = result.outcomes;
  const codes = Object.entries(result.outcomes).filter(([code]) => code !== "accepted" && code !== "defect");
  const byCode = codes.map(([code, count]) => `${code} ${count}`);
  const megabytes = Math.round(result.peakRssBytes / 1e6);
  console.log(
    `| ${name} | ${result.cases} | ${accepted} | ${byCode.join(", ")} | ${result.failures.length} | ${Math.round(result.slowestMs)} ms (case ${result.slowest}) | ${megabytes} MB |`,
  );
  for (const { index, text } of result.failures.slice(0, SHOWN_FAILURES))
    console.error(`FAILURE: --seed ${seed} --only "${name}" --case ${index}: ${text}`);
  cases += result.cases;
  failures += result.failures.length;
  peak = Math.max(peak, megabytes);
}
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`\n${cases} cases, ${failures} failures, ${seconds} s, peak RSS ${peak} MB`);
process.exitCode = failures > 0 ? 1 : 0;
