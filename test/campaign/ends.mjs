// The campaign of ends: `ditr run` is stopped at a random moment, in every way that happens. Needs `npm run build`.
//
//   node test/campaign/ends.mjs --runs 500 --seed 1 --jobs 2
//   node test/campaign/ends.mjs --seed 1 --only 17        one run again
//
// A run passes when it ends in time and by no abort, its exit code is right, its input is as it was, and every file that
// remains is whole, or is called partial and `ditr inspect` reads and names it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { openBag } from "../../dist/bag/openBag.js";
import { Random } from "./Random.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    jobs: { type: "string", default: "2" },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const hook = new URL("./dyingWorker.mjs", import.meta.url).href;
const LABELLED = "/ditr_perception/points_labelled";
const SCANS = 12;
/** Longer than this no run takes; on a machine that does much else, nor as many times as long as an undisturbed one. */
let runLimitMs = 180_000;
const LONGEST_OF_WHOLE = 10;
/** A block of `ulimit -f` in bash. */
const BLOCK_BYTES = 1024;

/** How it is stopped; `ends` are the exit codes and signals that are right beside 0, which is right when all was done. */
const WAYS = {
  SIGINT: { signals: ["SIGINT"], ends: [130, "SIGINT"] },
  SIGTERM: { signals: ["SIGTERM"], ends: [143, "SIGTERM"] },
  SIGKILL: { signals: ["SIGKILL"], ends: ["SIGKILL"] },
  "SIGINT twice": { signals: ["SIGINT", "SIGINT"], ends: [130, "SIGINT"] },
  "SIGINT, then SIGTERM": { signals: ["SIGINT", "SIGTERM"], ends: [130, "SIGINT", "SIGTERM"] },
  "full disk": { isFull: true, ends: [1] },
  "preparation thread dies": { dies: "preparation", ends: [3, 70] },
  "inference thread dies": { dies: "inference", ends: [3, 70] },
  "output folder vanishes": { vanishes: true, ends: [1] },
};

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-ends-"));
const drive = path.join(scratch, "drive.mcap");
/** From 0 to 1. */
const share = (random) => random.word() / 2 ** 32;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hashOf = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** @returns how the process ended, and what it printed */
function start(command, args, env = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (text += data));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, runLimitMs);
  const ended = new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ end: isLate ? "late" : (signal ?? code), text });
    });
  });
  return { child, ended };
}

const ditr = (...args) => start(process.execPath, [main, ...args]).ended;

/** Most of what a run does before it has an output is the same for all of them: most runs are stopped behind that. */
const EARLY_SHARE = 0.2;

/** Resolves when the run writes its output, or has ended. */
async function untilWriting(output, ended) {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  while (!hasEnded && !existsSync(`${output}.partial`)) await sleep(20);
}

/**
 * @param random of this run alone, so that each can be repeated alone
 * @param startMs until an undisturbed run writes its output
 */
async function stopOneRun(index, wholeMs, startMs) {
  const random = Random.of(seed, index);
  const names = Object.keys(WAYS);
  const name = names[index % names.length];
  const { signals = [], isFull, dies, vanishes, ends } = WAYS[name];
  const folder = path.join(scratch, String(index));
  const [input, out] = [path.join(folder, "drive.mcap"), path.join(folder, "out")];
  const [output, json] = [path.join(out, "labelled.mcap"), path.join(out, "summary.json")];
  mkdirSync(out, { recursive: true });
  copyFileSync(drive, input);
  const isEarly = share(random) < EARLY_SHARE;
  const delayMs = Math.round(isEarly ? share(random) * startMs : share(random) * (wholeMs - startMs) * 1.05);
  const betweenMs = Math.round(600 * share(random));
  const blocks = Math.round((1.3 * share(random) * statSync(drive).size) / BLOCK_BYTES);
  const args = ["run", input, "-o", output, "--json", json, "--threads", "1", "--provider", "cpu"];
  args.push("--mode", random.of(["auto", "image-free"]), "--copy", random.of(["tf", "all"]));

  const command = [process.execPath, ...(dies === undefined ? [] : ["--import", hook]), main, ...args];
  const { child, ended } = isFull
    ? start("bash", ["-c", `trap "" XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`, ...command])
    : start(
        command[0],
        command.slice(1),
        dies && { DITR_DIES: dies, DITR_DIES_AFTER_MS: String(isEarly ? delayMs : startMs + delayMs) },
      );
  if (signals.length > 0 || vanishes) {
    if (!isEarly) await untilWriting(output, ended);
    await Promise.race([sleep(delayMs), ended]);
  }
  if (vanishes) renameSync(out, path.join(folder, "moved"));
  for (const [number, signal] of signals.entries()) {
    if (number > 0) await Promise.race([sleep(betweenMs), ended]);
    child.kill(signal);
  }
  const { end, text } = await ended;

  const problems = [];
  const check = (isRight, problem) => {
    if (!isRight) problems.push(problem);
  };
  check(end === 0 || ends.includes(end), `ended with ${end}`);
  check(!/terminate called|Napi::Error|FATAL|Check failed/.test(text), "an abort");
  check(hashOf(input) === hashOf(drive), "the input was changed");
  const places = vanishes ? [out, path.join(folder, "moved")] : [out];
  let kept = "nothing";
  for (const place of places) {
    const left = await checkPlace(place, end, vanishes === true, check);
    if (left !== "nothing") kept = left;
  }
  check(end !== 0 || vanishes || kept === "whole", `exit code 0, and the output is ${kept}`);
  check(
    ![1, 70].includes(end) || vanishes || kept === "nothing",
    `exit code ${end}, and the output is ${kept}`,
  );
  check(end !== 3 || ["whole", "finished"].includes(kept), `exit code 3, and the output is ${kept}`);
  check(
    ![130, 143].includes(end) || ["finished", "nothing"].includes(kept),
    `exit code ${end}, and the output is ${kept}`,
  );
  check(end === 0 || typeof end === "string" || text.trim() !== "", "no sentence");
  if (problems.length === 0) rmSync(folder, { recursive: true });
  return { name, end, kept, problems, text, delayMs };
}

/** @returns what became of the bag: "whole", "finished" with fewer scans, "partial" or "nothing" */
async function checkPlace(place, end, hasMoved, check) {
  const [output, json] = [path.join(place, "labelled.mcap"), path.join(place, "summary.json")];
  if (existsSync(json)) {
    try {
      JSON.parse(readFileSync(json, "utf8"));
    } catch {
      check(false, "the summary is cut off");
    }
  }
  let kept = "nothing";
  if (existsSync(output)) {
    const reader = await openBag(output);
    const scans = reader.topics.find(({ topic }) => topic === LABELLED)?.messageCount ?? 0;
    check(reader.warnings.length === 0, `the finished bag is damaged: ${reader.warnings[0]?.message}`);
    await reader.close();
    check(end !== 0 || scans === SCANS, `${scans} scans in a finished bag, exit code ${end}`);
    kept = scans === SCANS ? "whole" : "finished";
    if (kept === "whole" && [130, 143].includes(end)) kept = "finished";
  }
  const partial = `${output}.partial`;
  if (existsSync(partial)) {
    // A folder that is moved takes the partial file along, out of reach of its run.
    check(typeof end === "string" || hasMoved, `a partial file in spite of ${end}`);
    const inspected = await ditr("inspect", partial);
    check([0, 1].includes(inspected.end), `inspect of the partial file ended with ${inspected.end}`);
    check(inspected.text.includes("is an unfinished output"), "inspect does not name the partial file");
    if (kept === "nothing") kept = "partial";
  }
  return kept;
}

const size = [
  "--scans",
  String(SCANS),
  "--lidar",
  "vlp-16",
  "--columns",
  "90",
  "--image-width",
  "160",
  "--image-height",
  "80",
];
const startedAt = performance.now();
let failures = 0;
try {
  const made = await ditr("simulate", "-o", drive, ...size);
  if (made.end !== 0) throw new Error(made.text);
  const before = performance.now();
  const whole = path.join(scratch, "whole.mcap");
  const running = ditr("run", drive, "-o", whole, "--threads", "1", "--provider", "cpu");
  await untilWriting(whole, running);
  const startMs = performance.now() - before;
  const undisturbed = await running;
  if (undisturbed.end !== 0) throw new Error(undisturbed.text);
  const wholeMs = performance.now() - before;
  runLimitMs = Math.max(runLimitMs, LONGEST_OF_WHOLE * wholeMs);

  const indices =
    values.only === undefined
      ? Array.from({ length: Number(values.runs) }, (_, i) => i)
      : [Number(values.only)];
  const rows = new Map(
    Object.keys(WAYS).map((name) => [name, { runs: 0, ends: new Map(), kept: new Map(), failures: 0 }]),
  );
  const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  const queue = [...indices];
  const work = async () => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const { name, end, kept, problems, text, delayMs } = await stopOneRun(index, wholeMs, startMs);
      const row = rows.get(name);
      row.runs++;
      count(row.ends, String(end));
      count(row.kept, kept);
      if (problems.length === 0) continue;
      row.failures++;
      failures++;
      console.error(
        `FAILURE: --seed ${seed} --only ${index} (${name} after ${delayMs} ms): ${problems.join("; ")}\n${text}`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));

  const listed = (map) =>
    [...map]
      .sort()
      .map(([key, times]) => `${key} ${times}`)
      .join(", ");
  console.log(
    `seed ${seed}, a whole run takes ${Math.round(wholeMs)} ms, ${Math.round(startMs)} of them before its output\n`,
  );
  console.log("| stopped by | runs | exit code or signal | output bag | failures |");
  console.log("| --- | ---: | --- | --- | ---: |");
  for (const [name, row] of rows) {
    if (row.runs > 0)
      console.log(`| ${name} | ${row.runs} | ${listed(row.ends)} | ${listed(row.kept)} | ${row.failures} |`);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`\n${indices.length} runs, ${failures} failures, ${seconds} s`);
} finally {
  if (failures === 0) rmSync(scratch, { recursive: true });
  else console.error(`what the failed runs left: ${scratch}`);
}
process.exitCode = failures > 0 ? 1 : 0;
