import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DEFAULT_MODEL } from "../model/shippedModels.js";
import { type LockedPackage, productionPackages } from "../../cmake/productionPackages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = path.join(root, "cmake", "copyProductionModules.mjs");
const LINUX = { os: "linux", cpu: "x64", libc: "glibc" };

describe("the packages that are needed at run time", () => {
  const found = (packages: Record<string, LockedPackage>): readonly string[] => {
    const { places, problems } = productionPackages(packages, LINUX);
    expect(problems).toEqual([]);
    return places.map((place) => place.replaceAll("node_modules/", ""));
  };

  test("are those that the root depends on, at any depth, and none of development", () => {
    expect(
      found({
        "": { dependencies: { a: "1" }, devDependencies: { d: "1" } },
        "node_modules/a": { dependencies: { b: "1" } },
        "node_modules/b": { dependencies: { a: "1" } },
        "node_modules/d": { dependencies: { b: "1", e: "1" } },
        "node_modules/e": {},
      }),
    ).toEqual(["a", "b"]);
  });

  test("include what development and an optional package both need", () => {
    expect(
      found({
        "": { optionalDependencies: { rcl: "1" }, devDependencies: { jest: "1" } },
        "node_modules/rcl": { dependencies: { "graceful-fs": "4" } },
        "node_modules/jest": { dependencies: { "graceful-fs": "4", babel: "1" } },
        "node_modules/graceful-fs": {},
        "node_modules/babel": {},
      }),
    ).toEqual(["graceful-fs", "rcl"]);
  });

  test("are looked up from the dependent upwards, scoped ones too", () => {
    expect(
      found({
        "": { dependencies: { "@s/a": "1", b: "2" } },
        "node_modules/@s/a": { dependencies: { b: "1", c: "1" } },
        "node_modules/@s/a/node_modules/b": { dependencies: { c: "1" } },
        "node_modules/@s/a/node_modules/c": {},
        "node_modules/b": {},
        "node_modules/c": {},
      }),
    ).toEqual(["@s/a", "@s/a/b", "@s/a/c", "b"]);
  });

  test("leave out optional ones for other platforms with all that only they need, and optional peers", () => {
    expect(
      found({
        "": { dependencies: { sharp: "1" } },
        "node_modules/sharp": {
          // npm repeats optional ones here in some versions.
          dependencies: { "sharp-arm": "1" },
          optionalDependencies: { "sharp-arm": "1", "sharp-musl": "1", "sharp-gnu": "1", "not-win": "1" },
          peerDependencies: { peer: "1", extra: "1" },
          peerDependenciesMeta: { extra: { optional: true } },
        },
        "node_modules/sharp-arm": { os: ["linux"], cpu: ["arm64"], dependencies: { "arm-only": "1" } },
        "node_modules/arm-only": {},
        "node_modules/sharp-musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
        "node_modules/sharp-gnu": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
        "node_modules/not-win": { os: ["!win32"] },
        "node_modules/peer": {},
        "node_modules/extra": {},
      }),
    ).toEqual(["not-win", "peer", "sharp", "sharp-gnu"]);
  });

  test("are named when the lock file does not have them", () => {
    const { problems } = productionPackages(
      {
        "": { dependencies: { a: "1" }, optionalDependencies: { o: "1" } },
        "node_modules/a": { dependencies: { b: "1" } },
      },
      LINUX,
    );
    expect(problems).toEqual(["b, which node_modules/a needs, is not in the lock file"]);
  });
});

describe("the installed tree, in a folder with no node_modules above it", () => {
  let stage: string;
  const node = (args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const { PATH, HOME } = process.env;
    return spawnSync(process.execPath, args, { cwd: stage, encoding: "utf8", env: { PATH, HOME } });
  };

  beforeAll(() => {
    stage = realpathSync(mkdtempSync(path.join(tmpdir(), "ditr-stage-")));
    for (let above = path.dirname(stage); ; above = path.dirname(above)) {
      expect(existsSync(path.join(above, "node_modules"))).toBe(false);
      if (above === path.dirname(above)) break;
    }
    const copied = node([
      script,
      path.join(root, "package-lock.json"),
      path.join(root, "node_modules"),
      path.join(stage, "node_modules"),
    ]);
    expect(copied).toMatchObject({ status: 0, stderr: "" });
    cpSync(path.join(root, "dist"), path.join(stage, "dist"), {
      recursive: true,
      filter: (source) => !/\.test\.|\.map$/.test(source),
    });
    cpSync(path.join(root, "package.json"), path.join(stage, "package.json"));
    const model = path.relative(root, DEFAULT_MODEL);
    cpSync(path.join(root, model), path.join(stage, model), { recursive: true });
  }, 300_000);
  afterAll(() => {
    rmSync(stage, { recursive: true, force: true });
  });

  test("holds what its packages ask for, and nothing else", () => {
    const all = packageFolders(stage);
    const needed = new Set<string>();
    const missing: string[] = [];
    const open = [stage];
    for (let folder; (folder = open.pop()) !== undefined;) {
      const { dependencies = {}, optionalDependencies = {} } = manifestOf(folder);
      for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
        const place = findAbove(folder, name, stage);
        if (place === undefined) {
          if (optionalDependencies[name] === undefined) missing.push(`${name} of ${folder}`);
        } else if (!needed.has(place)) {
          needed.add(place);
          open.push(place);
        }
      }
    }
    expect(missing).toEqual([]);
    expect([...needed].sort()).toEqual([...all].sort());
    expect(needed).toContain(path.join(stage, "node_modules", "rclnodejs"));
  });

  test("every package that the program imports can be imported, rclnodejs's and node-gyp's too", () => {
    // Importing rclnodejs itself without ROS would start to build it.
    const { dependencies = {} } = manifestOf(stage);
    const imports = [
      ...Object.keys(dependencies)
        .filter((name) => !name.startsWith("@fontsource/"))
        .map((name) => ["package.json", name]),
      ...Object.keys(manifestOf(path.join(stage, "node_modules", "rclnodejs")).dependencies ?? {})
        .filter((name) => !["node-addon-api", "node-gyp"].includes(name))
        .map((name) => ["node_modules/rclnodejs/package.json", name]),
    ];
    writeFileSync(
      path.join(stage, "importAll.mjs"),
      `import { createRequire } from "node:module";
       import { pathToFileURL } from "node:url";
       for (const [from, name] of ${JSON.stringify(imports)}) {
         const require = createRequire(new URL(from, import.meta.url));
         const done = from === "package.json" ? import(name) : Promise.resolve().then(() => require(name));
         await done.catch((error) => console.log(name, error.message));
       }`,
    );
    expect(node(["importAll.mjs"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(imports.length).toBeGreaterThan(20);
    const gyp = node(["node_modules/node-gyp/bin/node-gyp.js", "--version"]);
    expect(gyp).toMatchObject({ status: 0, stdout: expect.stringMatching(/^v\d+/) });
    // Asks for graceful-fs and all else before it looks at its arguments.
    expect(node(["-e", "require('./node_modules/node-gyp/lib/configure.js')"])).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  test("the node starts and asks for ROS, the command labels a drive", () => {
    expect(node(["dist/ros/main.js"])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^ditr_perception: ROS 2 is not sourced .*\n$/),
    });
    const drive = ["-o", "drive.mcap", "--scans", "1", "--columns", "64"];
    expect(node(["dist/cli/main.js", "simulate", ...drive])).toMatchObject({ status: 0 });
    expect(node(["dist/cli/main.js", "run", "drive.mcap", "-o", "labelled.mcap"])).toMatchObject({
      status: 0,
    });
  });
});

test("a folder of packages that does not fit the lock file is refused, with every misfit named", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ditr-lock-"));
  const add = (name: string, version: string): void => {
    mkdirSync(path.join(folder, "from", name), { recursive: true });
    writeFileSync(path.join(folder, "from", name, "package.json"), JSON.stringify({ name, version }));
  };
  add("a", "1.0.1");
  const lock = path.join(folder, "package-lock.json");
  writeFileSync(
    lock,
    JSON.stringify({
      packages: {
        "": { dependencies: { a: "1" }, optionalDependencies: { b: "1" } },
        "node_modules/a": { version: "1.0.0" },
        "node_modules/b": { version: "1.0.0", optional: true },
      },
    }),
  );
  const args = [script, lock, path.join(folder, "from"), path.join(folder, "to")];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect([status, stderr.split("\n").slice(1)]).toEqual([
    1,
    ["  a is 1.0.1 instead of 1.0.0", "  b is missing", "Run `npm ci` there again.", ""],
  ]);
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
}

function findAbove(folder: string, name: string, top: string): string | undefined {
  for (let above = folder; ; above = path.dirname(above)) {
    const place = path.join(above, "node_modules", name);
    if (existsSync(path.join(place, "package.json"))) return place;
    if (above === top) return undefined;
  }
}

/** All packages in the node_modules folders below `folder`. */
function packageFolders(folder: string): string[] {
  const modules = path.join(folder, "node_modules");
  if (!existsSync(modules)) return [];
  const places = readdirSync(modules).flatMap((name) =>
    name.startsWith("@")
      ? readdirSync(path.join(modules, name)).map((rest) => path.join(name, rest))
      : [name],
  );
  return places.flatMap((name) => [path.join(modules, name), ...packageFolders(path.join(modules, name))]);
}
