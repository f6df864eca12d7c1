/**
 * The table of cases live: `node test/cases/live.mjs FOLDER [--only TEXT] [--markdown FILE] [--verbose]` plays each recording
 * in the folder (or in $DITR_CASES) into the live node and says where it behaves as it should. Exits with 1 when it does not.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { pointCount } from "../../dist/messages/pointCloud2.js";
import { readColumn } from "../../dist/messages/pointColumns.js";
import { LIVE_EXPECTATIONS } from "./liveExpectations.mjs";
import { playLive } from "./playLive.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, markdown: { type: "string" }, verbose: { type: "boolean" } },
});
const folder = positionals[0] ?? process.env.DITR_CASES;
if (folder === undefined || !existsSync(folder)) {
  console.error("usage: node test/cases/live.mjs FOLDER [--only TEXT] [--markdown FILE] [--verbose]");
  process.exit(2);
}

const { unlabeled_id: unlabeled } = JSON.parse(
  readFileSync(new URL("../../models/street-tiny/bundle.json", import.meta.url), "utf8"),
);

/** How many points are at (0, 0, 0), and how many of them have a label. */
function atOrigin(clouds) {
  let [there, labels] = [0, 0];
  for (const cloud of clouds) {
    const column = (name) => readColumn(cloud, name, new Float64Array(pointCount(cloud)));
    const [x, y, z, label] = ["x", "y", "z", "label"].map(column);
    label.forEach((value, i) => {
      if (x[i] !== 0 || y[i] !== 0 || z[i] !== 0) return;
      there++;
      if (value !== unlabeled) labels++;
    });
  }
  return [there, labels];
}

function wrongOf(
  { labelled, fused, originUnlabeled, says = [], never = [] },
  { statuses, clouds, state, callbackErrors, log, diagnostics },
) {
  const wrong = [];
  const count = (mode) => statuses.filter((status) => status.mode === mode).length;
  const scans = count("fused") + count("image-free");
  if (state !== "active" || callbackErrors > 0)
    wrong.push(`the node is ${state}, ${callbackErrors} callbacks threw`);
  if (scans !== labelled) wrong.push(`${scans} scans labelled instead of ${labelled}`);
  const [fewest, most] =
    fused === undefined ? [0, Infinity] : [fused].flat().length === 2 ? fused : [fused, fused];
  if (count("fused") < fewest || count("fused") > most)
    wrong.push(`${count("fused")} scans fused instead of ${fused}`);
  if (originUnlabeled) {
    const [there, labels] = atOrigin(clouds);
    if (there === 0 || labels > 0) wrong.push(`${labels} of ${there} points at the origin are labelled`);
  }
  for (const pattern of says) {
    if (!log.some((line) => pattern.test(line))) wrong.push(`the log does not say ${pattern.source}`);
    if (!diagnostics.some((line) => pattern.test(line))) {
      wrong.push(`/diagnostics does not say ${pattern.source}`);
    }
  }
  for (const pattern of never) {
    if ([...log, ...diagnostics].some((line) => pattern.test(line))) wrong.push(`it says ${pattern.source}`);
  }
  return wrong;
}

const rows = [];
for (const expectation of LIVE_EXPECTATIONS) {
  const { file, right, says = [] } = expectation;
  if (values.only !== undefined && !`${file} ${right}`.includes(values.only)) continue;
  const recording = path.join(folder, file);
  if (!existsSync(recording)) {
    rows.push({
      file,
      right,
      labelled: "-",
      log: "",
      diagnostics: "",
      wrong: ["the recording is not there"],
    });
    continue;
  }
  const played = await playLive(recording, expectation);
  const wrong = wrongOf(expectation, played);
  const count = (mode) => played.statuses.filter((status) => status.mode === mode).length;
  const labelled = `${count("fused")} fused, ${count("image-free")} image-free`;
  const sentence = (lines) =>
    (
      lines.find((line) => says.some((pattern) => pattern.test(line))) ??
      lines.find((line) => /^(warn|error|WARN)/.test(line)) ??
      ""
    ).slice(0, 200);
  rows.push({
    file,
    right,
    labelled,
    log: sentence(played.log),
    diagnostics: sentence(played.diagnostics),
    wrong,
  });
  console.log(`${wrong.length === 0 ? "right" : "WRONG"}  ${file}: ${right}; ${labelled}`);
  for (const reason of wrong) console.log(`         ${reason}`);
  if (values.verbose || wrong.length > 0) {
    for (const line of [JSON.stringify(played.parameters), ...played.log])
      console.log(`         log: ${line}`);
    const kinds = new Map(played.diagnostics.map((line) => [line.replaceAll(/[\d.]+/g, "#"), line]));
    for (const line of kinds.values()) console.log(`         diagnostics: ${line}`);
  }
}
const rightCount = rows.filter(({ wrong }) => wrong.length === 0).length;
console.log(`${rightCount} of ${rows.length} behave as they should`);

if (values.markdown !== undefined) {
  const cell = (text) => String(text).replaceAll("|", "\\|");
  const lines = rows.map(({ file, right, labelled, log, diagnostics, wrong }) => {
    const [name, ...rest] = file.split("/");
    const verdict = wrong.length === 0 ? "right" : `not right: ${wrong.join("; ")}`;
    return `| ${[name, rest.join("/"), right, labelled, log, diagnostics, verdict].map(cell).join(" | ")} |`;
  });
  const head =
    "| case | file | what is right | labelled | log says | /diagnostics say | |\n|---|---|---|---|---|---|---|";
  await writeFile(values.markdown, `${head}\n${lines.join("\n")}\n`);
}
process.exit(rightCount === rows.length ? 0 : 1);
