/** Runs `ditr inspect` and `ditr run` (or `ditr import` before) on one recording and compares with what is right. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { OUTPUT_TOPICS } from "../../dist/bag/labelling/outputTopics.js";
import { openBag } from "../../dist/bag/openBag.js";
import { decodePointCloud2, pointCount } from "../../dist/messages/pointCloud2.js";
import { readColumn } from "../../dist/messages/pointColumns.js";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const MODEL = fileURLToPath(new URL("../../models/street-tiny", import.meta.url));
const TIMEOUT_MS = 300_000;

/** Labels of the clean drive by folder and file, which many cases are compared with. */
const references = new Map();

/**
 * @param {string} folder of the cases
 * @param {import("./expectations.mjs").Expectation} expectation
 * @returns {Promise<{exit: number, inspect: string, run: string, wrong: string[]}>} what was printed, and what is not right
 */
export async function checkCase(folder, expectation) {
  const scratch = await mkdtemp(path.join(tmpdir(), "ditr-case-"));
  try {
    return await check(folder, expectation, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function check(folder, expectation, scratch) {
  const wrong = [];
  let input = path.join(folder, expectation.file);
  const options = expectation.options ?? [];
  if (expectation.import !== undefined) {
    const bag = path.join(scratch, "imported.mcap");
    const imported = await ditr("import", expectation.import, input, "-o", bag);
    if (imported.exit !== 0) {
      if (![expectation.exit].flat().includes(imported.exit)) wrong.push(`import: exit ${imported.exit}`);
      compareText(expectation, "import", imported.text, expectation.says, wrong);
      return { exit: imported.exit, inspect: "", run: imported.text, wrong };
    }
    if (expectation.exit === 1) wrong.push("it was imported");
    input = bag;
  }
  // Two processes that only read the recording.
  const [inspected, ran] = await Promise.all([
    ditr("inspect", input, ...options),
    label(input, options, scratch),
  ]);
  const inspectExit = expectation.inspectExit ?? 0;
  if (inspected.exit !== inspectExit) wrong.push(`inspect: exit ${inspected.exit} instead of ${inspectExit}`);
  compareText(expectation, "inspect", inspected.text, expectation.says, wrong);
  if (![expectation.exit].flat().includes(ran.exit)) {
    wrong.push(`run: exit ${ran.exit} instead of ${[expectation.exit].flat().join(" or ")}`);
  }
  compareText(
    expectation,
    "run",
    ran.text,
    [...(expectation.says ?? []), ...(expectation.runSays ?? [])],
    wrong,
  );
  compareCounts(expectation, ran.summary?.scans, wrong);
  if (ran.clouds !== undefined) await compareClouds(folder, expectation, ran.clouds, wrong);
  return { exit: ran.exit, inspect: inspected.text, run: ran.text, wrong };
}

async function label(input, options, scratch) {
  const output = path.join(scratch, "labelled.mcap");
  const json = path.join(scratch, "summary.json");
  const result = await ditr("run", input, "-o", output, "--model", MODEL, "--json", json, ...options);
  const summary = await readFile(json, "utf8").then(JSON.parse, () => undefined);
  return { ...result, summary, clouds: summary === undefined ? undefined : await labelledClouds(output) };
}

function compareText(expectation, command, text, says = [], wrong) {
  const flat = text.replaceAll(/\s+/g, " ");
  const lines = text.split("\n");
  for (const pattern of says) {
    if (!lines.some((line) => pattern.test(line)) && !pattern.test(flat.slice(0, 20_000))) {
      wrong.push(`${command} does not say ${pattern.source}`);
    }
  }
  for (const pattern of expectation.never ?? []) {
    if (lines.some((line) => pattern.test(line))) wrong.push(`${command} says ${pattern.source}`);
  }
}

function compareCounts({ labelled, fused }, scans, wrong) {
  if (labelled !== undefined && scans?.labelled !== labelled) {
    wrong.push(`${scans?.labelled ?? "no"} scans labelled instead of ${labelled}`);
  }
  if (fused === undefined) return;
  const [fewest, most] = Array.isArray(fused) ? fused : [fused, fused];
  if (!(scans?.fused >= fewest && scans.fused <= most)) {
    wrong.push(
      `${scans?.fused ?? "no"} scans fused instead of ${fewest === most ? fewest : `${fewest} to ${most}`}`,
    );
  }
}

async function compareClouds(folder, expectation, clouds, wrong) {
  const { agreesWith, agreesWithOptions, agreement, originUnlabeled, spacingMs } = expectation;
  if (agreesWith !== undefined) {
    const share = agreementOf(clouds, await reference(path.join(folder, agreesWith), agreesWithOptions));
    if (!(share >= agreement)) wrong.push(`labels agree for ${share.toFixed(4)}, not ${agreement}`);
  }
  if (originUnlabeled === true) {
    let [atOrigin, labelledThere] = [0, 0];
    for (const { x, y, z, label, unlabeled } of clouds) {
      label.forEach((value, i) => {
        if (x[i] !== 0 || y[i] !== 0 || z[i] !== 0) return;
        atOrigin++;
        if (value !== unlabeled) labelledThere++;
      });
    }
    if (atOrigin === 0 || labelledThere > 0)
      wrong.push(`${labelledThere} of ${atOrigin} points at the origin are labelled`);
  }
  if (spacingMs !== undefined) {
    const stamps = clouds.map(({ stamp }) => stamp);
    const spacings = stamps.slice(1).map((stamp, i) => Number(stamp - stamps[i]) / 1e6);
    if (spacings.some((spacing) => Math.abs(spacing - spacingMs) > 1)) {
      wrong.push(`scans are ${spacings.join(", ")} ms apart, not ${spacingMs}`);
    }
  }
}

/** Share of equal labels over the scans that have as many points as one of the other, in order. */
function agreementOf(clouds, others) {
  let [equal, total] = [0, 0];
  for (const { label } of clouds) {
    const other = others.find((candidate) => candidate.label.length === label.length);
    if (other === undefined) continue;
    label.forEach((value, i) => {
      if (value === other.label[i]) equal++;
    });
    total += label.length;
  }
  return total === 0 ? NaN : equal / total;
}

async function reference(file, options = []) {
  const key = [file, ...options].join(" ");
  let clouds = references.get(key);
  if (clouds === undefined) {
    const scratch = await mkdtemp(path.join(tmpdir(), "ditr-case-"));
    try {
      clouds = (await label(file, options, scratch)).clouds;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    references.set(key, clouds);
  }
  return clouds ?? [];
}

async function labelledClouds(file) {
  const { unlabeled_id: unlabeled } = JSON.parse(await readFile(path.join(MODEL, "bundle.json"), "utf8"));
  const reader = await openBag(file);
  const clouds = [];
  for await (const { data } of reader.messages({ topics: [OUTPUT_TOPICS.labelled] })) {
    const cloud = decodePointCloud2(data);
    const column = (name, kind) => readColumn(cloud, name, new kind(pointCount(cloud)));
    clouds.push({
      stamp: cloud.header.stamp,
      label: column("label", Uint32Array),
      x: column("x", Float64Array),
      y: column("y", Float64Array),
      z: column("z", Float64Array),
      unlabeled,
    });
  }
  await reader.close();
  return clouds;
}

function ditr(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ exit: code ?? `killed by ${signal}`, text });
    });
  });
}
