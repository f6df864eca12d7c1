import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

/**
 * The package as `npm pack` makes it, in a folder of its own. Its dependencies are those of package-lock.json, copied from
 * this checkout's node_modules, so that no network is needed and nothing of development is there.
 */
const root = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "ditr-perception";
/** As a careful user checks types. */
const TYPES = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--types", "node"];
/** Milliseconds: of copies of a hundred megabytes, type checks, and a demo. */
const LONG = 300_000;
/** Megabytes; three models are most of it. */
const LARGEST_PACKAGE = 20;

interface PackedFile {
  readonly path: string;
  readonly size: number;
}

let app: string;
let files: readonly PackedFile[];
let size: number;

function node(args: readonly string[]): SpawnSyncReturns<string> {
  const { PATH, HOME } = process.env;
  return spawnSync(process.execPath, args, { cwd: app, encoding: "utf8", env: { PATH, HOME } });
}

beforeAll(() => {
  app = realpathSync(mkdtempSync(path.join(tmpdir(), "ditr-package-")));
  const packed = spawnSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", app], {
    cwd: root,
    encoding: "utf8",
  });
  expect(packed.status).toBe(0);
  const [report] = JSON.parse(packed.stdout) as [{ filename: string; size: number; files: PackedFile[] }];
  ({ files, size } = report);
  const modules = path.join(app, "node_modules");
  const copy = path.join(root, "cmake", "copyProductionModules.mjs");
  const lock = path.join(root, "package-lock.json");
  expect(node([copy, lock, path.join(root, "node_modules"), modules])).toMatchObject({
    status: 0,
    stderr: "",
  });
  const own = path.join(modules, NAME);
  mkdirSync(own);
  const unpack = ["-xzf", path.join(app, report.filename), "--strip-components=1", "-C", own];
  expect(spawnSync("tar", unpack).status).toBe(0);
  // What npm makes of `bin`: a link, and a file that may be run.
  chmodSync(path.join(own, "dist", "cli", "main.js"), 0o755);
  mkdirSync(path.join(modules, ".bin"));
  symlinkSync(path.join("..", NAME, "dist", "cli", "main.js"), path.join(modules, ".bin", "ditr"));
  writeFileSync(path.join(app, "package.json"), JSON.stringify({ name: "app", type: "module" }));
}, LONG);
afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

describe("the npm package", () => {
  test("has the models, the types and the licence, and nothing of tests", () => {
    const names = files.map((file) => file.path);
    expect(names).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "dist/cli/main.js",
        "dist/library/index.js",
        "dist/library/index.d.ts",
        "dist/model/inferenceWorker.js",
        "dist/perception/preparationThread.js",
        ...["street-real", "street-tiny"].flatMap((model) =>
          ["bundle.json", "MODEL_CARD.md", "image_free.onnx", "fused.onnx"].map(
            (file) => `models/${model}/${file}`,
          ),
        ),
      ]),
    );
    const foreign = /\.test\.|\.map$|\.tsbuildinfo$|(^|\/)(src|test|training|node_modules)\/|\.tsx?$/;
    expect(names.filter((name) => foreign.test(name) && !name.endsWith(".d.ts"))).toEqual([]);
    expect(names.filter((name) => name.includes(".test."))).toEqual([]);
    expect(size / 1e6).toBeLessThan(LARGEST_PACKAGE);
  });

  test("holds every file that its files import", () => {
    const names = new Set(files.map((file) => file.path));
    const missing = [...names]
      .filter((name) => /^dist\/.*(\.js|\.d\.ts)$/.test(name))
      .flatMap((name) =>
        relativeImports(path.join(root, name)).flatMap((imported) => {
          const target = path.posix.join(path.posix.dirname(name), imported);
          const wanted = name.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
          return names.has(wanted) ? [] : [`${name}: ${imported}`];
        }),
      );
    expect(missing).toEqual([]);
  });

  test(
    "runs the demo by `npx ditr`",
    () => {
      const demo = spawnSync("npx", ["--no-install", "ditr", "demo", "--scans", "2"], {
        cwd: app,
        encoding: "utf8",
      });
      expect(demo).toMatchObject({ status: 0, stderr: "" });
      expect(readdirSync(path.join(app, "demo-output"))).toEqual(
        expect.arrayContaining(["drive.mcap", "labelled.mcap", "labelled-scan.png", "summary.json"]),
      );
    },
    LONG,
  );

  test(
    "labels a bag by the program of docs/library.md, which passes the type check",
    () => {
      const document = readFileSync(path.join(root, "docs", "library.md"), "utf8");
      const programs = [...document.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, program]) => program!);
      expect(programs).toHaveLength(2);
      programs.forEach((program, index) => {
        writeFileSync(path.join(app, `program${index}.ts`), program);
      });
      const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
      const roots = ["--typeRoots", path.join(root, "node_modules", "@types")];
      expect(node([tsc, ...TYPES, ...roots, "program0.ts", "program1.ts"])).toMatchObject({
        status: 0,
        stdout: "",
      });
      // The whole of the types is there, not `any` in the place of what is missing.
      writeFileSync(
        path.join(app, "wrong.ts"),
        `import { labelBag } from "${NAME}";\nawait labelBag("a.mcap", { outputs: "b.mcap" }).summary().then(({ scan }) => scan);\n`,
      );
      const wrong = node([tsc, ...TYPES, ...roots, "wrong.ts"]).stdout;
      expect(wrong).toMatch(/'outputs' does not exist in type 'LabelBagOptions'/);
      expect(wrong).toMatch(/'scan' does not exist on type 'LabellingSummary'/);

      expect(existsSync(path.join(app, "drive.mcap"))).toBe(false);
      const simulate = [
        "simulate",
        "-o",
        "drive.mcap",
        "--scans",
        "2",
        "--lidar",
        "vlp-16",
        "--columns",
        "120",
      ];
      expect(node(["node_modules/.bin/ditr", ...simulate]).status).toBe(0);
      expect(node([tsc, ...TYPES.slice(1), ...roots, "program0.ts"])).toMatchObject({
        status: 0,
        stdout: "",
      });
      const run = node(["program0.js"]);
      expect(run).toMatchObject({ status: 0, stderr: "" });
      expect(run.stdout).toMatch(/n fused images-available Uint32Array\(\d+\)/);
      expect(existsSync(path.join(app, "labelled.mcap"))).toBe(true);
    },
    LONG,
  );

  test("gives nothing but what it exports", () => {
    const source = `
      import(${JSON.stringify(`${NAME}/dist/cli/main.js`)}).catch(({ code }) => console.log(code));
      import(${JSON.stringify(NAME)}).then((library) => console.log(Object.keys(library).sort().join(" ")));`;
    writeFileSync(path.join(app, "inside.mjs"), source);
    const { stdout } = node(["inside.mjs"]);
    expect(stdout).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
    const document = readFileSync(path.join(root, "docs", "library.md"), "utf8");
    const names = stdout
      .split("\n")
      .find((line) => line.includes("labelBag"))!
      .split(" ");
    for (const name of names) expect(document).toMatch(new RegExp(`^\\|.*\`${name}\\b`, "m"));
  });
});

/** Imports of a compiled module by relative paths. */
function relativeImports(file: string): string[] {
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/(?:from|import|import\()\s*"(\.{1,2}\/[^"]+)"/g)].map(
    ([, imported]) => imported!,
  );
}
