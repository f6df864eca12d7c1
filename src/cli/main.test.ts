import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "@jest/globals";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { PointFieldType } from "../messages/types.js";
import { EXIT } from "./exitCodes.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), "ditr-cli-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

function ditr(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
}

describe("ditr", () => {
  test("--help names every command and the exit codes", () => {
    const { status, stdout } = ditr("--help");
    expect(status).toBe(EXIT.ok);
    for (const command of ["run", "import", "inspect", "evaluate", "simulate", "demo", "bench", "doctor"]) {
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    }
    expect(stdout).toContain("Exit codes: 0 done; 1 bad input or set-up");
  });

  test.each([
    [["fly"], "unknown command 'fly'"],
    [["run", "a.mcap"], "required option '-o, --output <file>' not specified"],
    [["run", "a.mcap", "-o", "b.mcap", "--mode", "magic"], "Allowed choices are auto, fused, image-free"],
    [["simulate", "-o", "a.mcap", "--scans", "-3"], "It must be a whole number that is not negative"],
  ])("a wrong command line %j exits with 2 and says what is wrong", (args, message) => {
    const { status, stderr } = ditr(...args);
    expect(status).toBe(EXIT.usage);
    expect(stderr).toContain(message);
  });

  test("a bag that is none exits with 1 and one sentence", () => {
    const file = path.join(scratch, "notes.mcap");
    writeFileSync(file, "this is no bag, and it is long enough to be looked at");
    const { status, stderr } = ditr("inspect", file);
    expect(status).toBe(EXIT.fault);
    expect(stderr).toMatch(/^ditr: .*notes\.mcap .*\n$/);
  });

  test("a model folder that is none exits with 1 before any output is written", () => {
    const bag = path.join(scratch, "drive.mcap");
    expect(ditr("simulate", "-o", bag, "--scans", "1", "--lidar", "vlp-16", "--columns", "90").status).toBe(
      EXIT.ok,
    );
    const output = path.join(scratch, "labelled.mcap");
    const { status, stderr } = ditr("run", bag, "-o", output, "--model", scratch);
    expect(status).toBe(EXIT.fault);
    expect(stderr).toMatch(/^ditr: .*bundle\.json cannot be read; a model is a folder with bundle\.json/);
    expect(ditr("inspect", output).stderr).toContain("no such file");
  });

  test("inspect says what would be used", () => {
    const bag = path.join(scratch, "inspected.mcap");
    ditr("simulate", "-o", bag, "--scans", "1", "--lidar", "vlp-16", "--columns", "90", "--semantic");
    const { status, stdout } = ditr("inspect", bag);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toContain("cloud /lidar/points");
    expect(stdout).toContain(
      "camera front: /camera/front/image_raw/compressed with /camera/front/camera_info",
    );
  });

  test("inspect lists the choice where a bag has several clouds", async () => {
    const bag = path.join(scratch, "two-clouds.mcap");
    const writer = await McapBagWriter.create(bag);
    const cloud = encodePointCloud2({
      header: { stamp: 1n, frameId: "lidar" },
      height: 1,
      width: 2,
      fields: ["x", "y", "z"].map((name, i) => ({
        name,
        offset: 4 * i,
        datatype: PointFieldType.FLOAT32,
        count: 1,
      })),
      isBigEndian: false,
      pointStep: 12,
      rowStep: 24,
      data: new Uint8Array(24),
      isDense: true,
    });
    for (const topic of ["/left/points", "/right/points"]) {
      await writer.write(topic, POINT_CLOUD2_TYPE, { logTime: 1n }, cloud);
    }
    await writer.close();
    const ambiguous = ditr("inspect", bag);
    expect(ambiguous.status).toBe(EXIT.ok);
    expect(ambiguous.stdout).toContain("choose one of them: /left/points, /right/points");
    expect(ambiguous.stdout).toContain("  --cloud /right/points: 1 clouds, the first of 2 points in lidar");
    expect(ditr("inspect", bag, "--cloud", "/right/points").stdout).toContain("  cloud /right/points\n");
  });

  test("a reader that closes the pipe is no error", () => {
    const script = '"$0" "$1" import --help | true; echo "${PIPESTATUS[0]}"';
    const piped = spawnSync("bash", ["-c", script, process.execPath, main], { encoding: "utf8" });
    expect(piped).toMatchObject({ stdout: "0\n", stderr: "" });
  });

  test("bench geometry prints every phase", () => {
    const { status, stdout } = ditr("bench", "geometry", "--points", "6400", "--runs", "2");
    expect(status).toBe(EXIT.ok);
    for (const phase of ["quantize", "sort", "unique", "neighbors", "serialization", "total"]) {
      expect(stdout).toContain(phase);
    }
  });
});
