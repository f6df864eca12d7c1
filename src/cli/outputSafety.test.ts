import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { EXIT } from "./exitCodes.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), "ditr-safety-"));
const drive = path.join(scratch, "drive.mcap");
/** Empty at the start of each test. */
let folder: string;
const at = (name: string): string => path.join(folder, name);

function ditr(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

let driveHash: string;
beforeAll(() => {
  const size = ["--scans", "40", "--lidar", "vlp-16", "--columns", "180", "--cameras", ""];
  expect(ditr("simulate", "-o", drive, ...size).status).toBe(EXIT.ok);
  driveHash = hashOf(drive);
});
let tests = 0;
beforeEach(() => {
  folder = path.join(scratch, String(++tests));
  mkdirSync(folder);
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

describe("no command overwrites what it reads, or without --force anything else", () => {
  test("run", () => {
    symlinkSync(drive, at("symbolic.mcap"));
    linkSync(drive, at("hard.mcap"));
    for (const [output, args] of [
      [drive, ["-o", drive]],
      [at("symbolic.mcap"), ["-o", at("symbolic.mcap")]],
      [at("hard.mcap"), ["-o", at("labelled.mcap"), "--json", at("hard.mcap")]],
    ] as const) {
      const { status, stderr } = ditr("run", drive, ...args, "--force");
      expect([status, stderr]).toEqual([
        EXIT.fault,
        `ditr: ${output} is an input of this command, which no command changes (not with --force either); name another output\n`,
      ]);
    }
    writeFileSync(at("labelled.mcap"), "valuable");
    const { status, stderr } = ditr("run", drive, "-o", at("labelled.mcap"));
    expect([status, stderr]).toEqual([
      EXIT.fault,
      `ditr: ${at("labelled.mcap")} exists, and is replaced only with --force; or name another file\n`,
    ]);
    expect(readFileSync(at("labelled.mcap"), "utf8")).toBe("valuable");
    expect(hashOf(drive)).toBe(driveHash);
  });

  test("run on a folder", () => {
    mkdirSync(at("bag"));
    copyFileSync(drive, at("bag/bag_0.mcap"));
    for (const name of ["bag/bag_0.mcap", "bag/labelled.mcap", "bag/bag_0.mcap.partial"]) {
      const { status, stderr } = ditr("run", at("bag"), "-o", at(name), "--force");
      expect([status, stderr]).toEqual([EXIT.fault, expect.stringContaining("input")]);
    }
    expect(readdirSync(at("bag"))).toEqual(["bag_0.mcap"]);
    expect(hashOf(at("bag/bag_0.mcap"))).toBe(driveHash);
  });

  test("import, simulate, demo and evaluate", () => {
    mkdirSync(at("data/lidar"), { recursive: true });
    writeFileSync(at("data/lidar/0001.pcd"), "a scan");
    copyFileSync(drive, at("old.mcap"));
    writeFileSync(at("drive.mcap"), "valuable");
    for (const args of [
      ["import", "pcd", at("data"), "-o", at("data/lidar/0001.pcd"), "--force"],
      ["import", "pcd", at("data"), "-o", at("old.mcap")],
      ["simulate", "-o", at("old.mcap"), "--scans", "1"],
      ["demo", "-o", folder, "--scans", "1"],
      ["evaluate", at("old.mcap"), "--json", at("old.mcap"), "--force"],
      ["evaluate", at("old.mcap"), "--json", at("drive.mcap")],
    ]) {
      const { status, stderr } = ditr(...args);
      expect([args, status, stderr]).toEqual([
        args,
        EXIT.fault,
        expect.stringMatching(/^ditr: .*(--force|input)/),
      ]);
    }
    expect(readFileSync(at("data/lidar/0001.pcd"), "utf8")).toBe("a scan");
    expect(readFileSync(at("drive.mcap"), "utf8")).toBe("valuable");
    expect(hashOf(at("old.mcap"))).toBe(driveHash);
    expect(readdirSync(folder).sort()).toEqual(["data", "drive.mcap", "old.mcap"]);
  });
});

test("a full disk is one sentence, exit code 1 and no output", () => {
  const command = `trap "" XFSZ; ulimit -f 60; exec "$0" "$@"`;
  const args = ["run", drive, "-o", at("full.mcap"), "--copy", "all", "--mode", "image-free"];
  const { status, signal, stderr } = spawnSync("bash", ["-c", command, process.execPath, main, ...args], {
    encoding: "utf8",
  });
  expect({ status, signal, stderr }).toEqual({
    status: EXIT.fault,
    signal: null,
    stderr: expect.stringMatching(/^ditr: .*full\.mcap cannot be written: EFBIG.*\n$/),
  });
  expect(readdirSync(folder)).toEqual([]);
});

describe("a run that is told to stop", () => {
  /** Sends the signals one by one, the first when the output has begun to grow. */
  async function stop(signals: readonly NodeJS.Signals[], args: readonly string[], growing: string) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.on("close", (status, signal) => {
        resolve({ status, signal });
      });
    });
    while (child.exitCode === null && !(existsSync(growing) && statSync(growing).size > 0)) await sleep(20);
    await sleep(300);
    for (const [number, signal] of signals.entries()) {
      while (number > 0 && child.exitCode === null && !stderr.includes("a second one ends at once"))
        await sleep(1);
      // One that comes sooner is taken for the same; much later the run may have ended by itself.
      if (number > 0) await sleep(110);
      child.kill(signal);
    }
    return { ...(await ended), stdout, stderr };
  }
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test.each([
    ["SIGINT", EXIT.interrupted],
    ["SIGTERM", EXIT.terminated],
  ] as const)("by %s keeps a finished bag of what was labelled, and says so", async (signal, code) => {
    const [labelled, json] = [at("labelled.mcap"), at("summary.json")];
    const args = ["run", drive, "-o", labelled, "--json", json, "--mode", "image-free", "--threads", "1"];
    // A first scan is labelled within the time that the second message takes.
    const { status, stdout, stderr } = await stop([signal], args, `${labelled}.partial`);
    expect([status, stderr]).toEqual([
      code,
      `ditr: ${signal}: finishing the scans under way; a second one ends at once\n`,
    ]);
    const [, scans] = new RegExp(
      `^stopped by ${signal} (?:after (\\d+) of 40 scans|before the first scan was labelled): `,
    ).exec(stdout)!;
    const summary = JSON.parse(readFileSync(json, "utf8")) as {
      stopped_by: string;
      scans: { labelled: number };
    };
    expect(summary).toMatchObject({ stopped_by: signal, scans: { labelled: Number(scans ?? 0) } });
    const files = scans === undefined ? ["summary.json"] : ["labelled.mcap", "summary.json"];
    expect(readdirSync(folder).sort()).toEqual(files);
    if (scans === undefined) return;
    const inspected = ditr("inspect", labelled);
    expect(inspected.stdout).toMatch(new RegExp(`/ditr_perception/points_labelled .* ${scans} `));
    expect(inspected.stdout).not.toContain("warning");
  });

  test("twice ends at once, and what it leaves is named and given a way out", async () => {
    const labelled = at("labelled.mcap");
    // The scans under way take longer than the second signal.
    const dense = at("dense.mcap");
    const size = ["--scans", "20", "--columns", "2048", "--cameras", ""];
    expect(ditr("simulate", "-o", dense, ...size).status).toBe(EXIT.ok);
    const args = ["run", dense, "-o", labelled, "--threads", "1"];
    const { status, signal } = await stop(["SIGINT", "SIGINT"], args, `${labelled}.partial`);
    expect([status, signal]).toEqual([null, "SIGINT"]);
    expect(readdirSync(folder)).toEqual(["dense.mcap", "labelled.mcap.partial"]);
    const inspected = ditr("inspect", `${labelled}.partial`);
    expect(inspected.status).toBe(EXIT.ok);
    expect(inspected.stdout).toContain(
      `warning: ${labelled}.partial is an unfinished output: the command that wrote ${labelled} was killed before its end.`,
    );
    expect(ditr(...args).stderr).toMatch(
      /labelled\.mcap\.partial is what a run that was killed left of this output: .*; --force replaces it\n$/,
    );
    expect(ditr(...args, "--max-scans", "1", "--force").status).toBe(EXIT.ok);
    expect(readdirSync(folder)).toEqual(["dense.mcap", "labelled.mcap"]);
  }, 240_000);

  test("simulate keeps what was simulated", async () => {
    const file = at("long.mcap");
    const args = ["simulate", "-o", file, "--scans", "200", "--cameras", "", "--columns", "256"];
    const { status, stdout } = await stop(["SIGINT"], args, `${file}.partial`);
    expect(status).toBe(EXIT.interrupted);
    const [, scans] = /^stopped by SIGINT: .*long\.mcap (?:has (\d+) scans|is not written)\n$/.exec(stdout)!;
    expect(readdirSync(folder)).toEqual(scans === undefined ? [] : ["long.mcap"]);
  }, 240_000);
});
