/**
 * The table of cases: `node test/cases/table.mjs FOLDER [--only TEXT] [--markdown FILE]` runs `ditr inspect` and `ditr run`
 * on each recording in the folder (or in $DITR_CASES) and says which behave as they should. Exits with 1 when one does not.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkCase } from "./checkCase.mjs";
import { EXPECTATIONS } from "./expectations.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, markdown: { type: "string" } },
});
const folder = positionals[0] ?? process.env.DITR_CASES;
if (folder === undefined || !existsSync(folder)) {
  console.error("usage: node test/cases/table.mjs FOLDER [--only TEXT] [--markdown FILE]");
  process.exit(2);
}

/** The sentence that matters of what a command printed: the first fault, else the first line of the result. */
function sentence(text) {
  const lines = text.split("\n").map((line) => line.trim());
  const found =
    lines.find((line) => /^(error|warning|ditr|note|not used|ditr run would not start)\b/.test(line)) ??
    lines.find((line) => /scans labelled|ditr run would use/.test(line)) ??
    "";
  return found.replace(/^.*(ditr-case-\w+)\//, "").slice(0, 160);
}

const rows = [];
for (const expectation of EXPECTATIONS) {
  const { file, right, options = [] } = expectation;
  if (values.only !== undefined && !file.includes(values.only)) continue;
  if (!existsSync(path.join(folder, file))) {
    rows.push({
      file,
      options,
      right,
      exit: "-",
      inspect: "",
      run: "",
      wrong: ["the recording is not there"],
    });
    continue;
  }
  const { exit, inspect, run, wrong } = await checkCase(folder, expectation);
  rows.push({ file, options, right, exit, inspect: sentence(inspect), run: sentence(run), wrong });
  console.log(`${wrong.length === 0 ? "right" : "WRONG"}  ${[file, ...options].join(" ")}  exit ${exit}`);
  for (const reason of wrong) console.log(`         ${reason}`);
}
const rightCount = rows.filter(({ wrong }) => wrong.length === 0).length;
console.log(`${rightCount} of ${rows.length} behave as they should`);

if (values.markdown !== undefined) {
  const cell = (text) => String(text).replaceAll("|", "\\|");
  const lines = rows.map(({ file, options, right, exit, inspect, run, wrong }) => {
    const [name, ...rest] = file.split("/");
    const verdict = wrong.length === 0 ? "right" : `not right: ${wrong.join("; ")}`;
    return `| ${[name, [...rest, ...options].join(" "), right, exit, inspect, run, verdict].map(cell).join(" | ")} |`;
  });
  const head =
    "| case | file | what is right | exit | inspect says | run says | |\n|---|---|---|---|---|---|---|";
  await writeFile(values.markdown, `${head}\n${lines.join("\n")}\n`);
}
process.exitCode = rightCount === rows.length ? 0 : 1;
