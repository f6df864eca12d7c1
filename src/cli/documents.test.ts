import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { SIMULATOR_MODEL } from "../model/shippedModels.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CLI = fileURLToPath(new URL("main.js", import.meta.url));
/** Kilobytes that a picture in a document may have. */
const LARGEST_PICTURE = 400;

const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "training/README.md"],
  ...readdirSync(path.join(root, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ...readdirSync(path.join(root, "models")).map((name) => `models/${name}/MODEL_CARD.md`),
];

/** The document without what is in code, where links are none. */
function proseOf(document: string): string {
  return readFileSync(path.join(root, document), "utf8")
    .replace(/^( *)(`{3,}|~{3,})[^]*?^\1\2/gm, "")
    .replace(/<!--[^]*?-->/g, "")
    .replace(/(`+)[^`]+?\1/g, "code");
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(document: string): Set<string> {
  const text = readFileSync(path.join(root, document), "utf8").replace(/^( *)(`{3,}|~{3,})[^]*?^\1\2/gm, "");
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let unique = name;
    for (let again = 1; anchors.has(unique); again++) unique = `${name}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}

function linksOf(document: string): string[] {
  return [...proseOf(document).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, link]) => link!);
}

describe.each(DOCUMENTS)("the links of %s", (document) => {
  test("lead to files and headings that are there", () => {
    const broken = linksOf(document).filter((link) => {
      if (/^(https?|mailto):/.test(link)) return false;
      const [file = "", anchor] = decodeURI(link).split("#");
      const target = file === "" ? document : path.posix.join(path.posix.dirname(document), file);
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && (!target.endsWith(".md") || !anchorsOf(target).has(anchor));
    });
    expect(broken).toEqual([]);
  });
});

test("links and anchors are found, and those in code are none", () => {
  expect(linksOf("README.md")).toEqual(
    expect.arrayContaining(["docs/robot-setup.md", "https://arxiv.org/abs/2503.18944"]),
  );
  expect(anchorsOf("docs/inputs.md")).toContain("stamps-and-clocks");
  expect(anchorsOf("docs/inputs.md")).not.toContain("nowhere");
});

test("every document can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const document of reached) {
    for (const link of linksOf(document)) {
      const target = path.posix.join(path.posix.dirname(document), link.split("#")[0]!);
      if (DOCUMENTS.includes(target)) reached.add(target);
    }
  }
  expect(DOCUMENTS.filter((document) => !reached.has(document))).toEqual([]);
});

test("pictures of documents are small", () => {
  const pictures = readdirSync(path.join(root, "docs", "pictures"));
  expect(pictures).toEqual(expect.arrayContaining(["scan.webp", "drive.webp"]));
  for (const name of pictures) {
    const { size } = statSync(path.join(root, "docs", "pictures", name));
    expect([name, size / 1000 < LARGEST_PICTURE]).toEqual([name, true]);
  }
});

test("the README's three commands make a labelled picture of a recording", () => {
  const [, block = ""] = /<!-- recording -->\s*```sh\n([^]*?)```/.exec(
    readFileSync(path.join(root, "README.md"), "utf8"),
  )!;
  const [install, ...commands] = block.trim().split("\n");
  expect(install).toBe("npm ci && npm run build");
  expect(commands).toHaveLength(2);
  const scratch = mkdtempSync(path.join(tmpdir(), "readme-"));
  const ditr = (args: readonly string[]): void => {
    const done = spawnSync(process.execPath, [CLI, ...args], { cwd: scratch, encoding: "utf8" });
    expect(done).toMatchObject({ status: 0, stderr: "" });
  };
  try {
    ditr(["simulate", "-o", "my_robot.mcap", "--scans", "1", "--lidar", "vlp-16", "--columns", "120"]);
    for (const command of commands) {
      const [npx, name, ...args] = command.split(" ");
      expect([npx, name]).toEqual(["npx", "ditr"]);
      ditr(args[0] === "run" ? [...args, "--model", SIMULATOR_MODEL] : args);
    }
    expect(readFileSync(path.join(scratch, "scan.png")).subarray(1, 4).toString()).toBe("PNG");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
