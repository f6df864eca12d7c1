import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { openBag } from "../bag/openBag.js";
import { SIMULATOR_MODEL } from "../model/shippedModels.js";
import { SCAN_PICTURE } from "../report/renderLabelledScan.js";
import { EXIT } from "./exitCodes.js";

const CLI = fileURLToPath(new URL("main.js", import.meta.url));

function ditr(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
}

describe("ditr draw", () => {
  let scratch: string;
  let labelled: string;

  beforeAll(() => {
    scratch = mkdtempSync(path.join(tmpdir(), "draw-"));
    const drive = path.join(scratch, "drive.mcap");
    labelled = path.join(scratch, "labelled.mcap");
    // The cameras fail after the second scan.
    const simulated = [
      "--seed",
      "5",
      "--scans",
      "3",
      "--lidar",
      "vlp-16",
      "--columns",
      "240",
      "--cameras",
      "front,left",
      "--camera-failure",
      "0.15",
    ];
    expect(ditr("simulate", "-o", drive, ...simulated).status).toBe(EXIT.ok);
    const run = ditr("run", drive, "-o", labelled, "--model", SIMULATOR_MODEL, "--copy", "all");
    expect(run.stderr).toBe("");
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  test("draws a scan above the images that belong to it, with its points painted on them", async () => {
    const [whole, bare] = [path.join(scratch, "scan.png"), path.join(scratch, "bare.png")];
    const drawn = ditr("draw", labelled, "--scan", "2", "-o", whole);
    expect(drawn).toMatchObject({ status: EXIT.ok, stdout: `${whole}: scan 2 of 3\n`, stderr: "" });
    expect(ditr("draw", labelled, "--scan", "2", "--no-images", "-o", bare).status).toBe(EXIT.ok);
    const { data, info } = await sharp(whole).raw().toBuffer({ resolveWithObject: true });
    const above = await sharp(bare).raw().toBuffer({ resolveWithObject: true });
    expect(above.info).toMatchObject(SCAN_PICTURE);
    expect(info.width).toBe(SCAN_PICTURE.width);
    expect(info.height).toBeGreaterThan(SCAN_PICTURE.height + 200);
    expect(data.subarray(0, above.data.length).equals(above.data)).toBe(true);
    // The road is magenta in the colours of the model, and nothing of an image is.
    const strip = data.subarray(above.data.length);
    const road = (left: number, right: number) => {
      let found = 0;
      for (let at = 0; at < strip.length; at += 3) {
        const x = (at / 3) % info.width;
        if (x >= left && x < right && strip[at]! > 230 && strip[at + 1]! < 60 && strip[at + 2]! > 230)
          found++;
      }
      return found;
    };
    expect(road(0, info.width / 2)).toBeGreaterThan(50);
    expect(road(info.width / 2, info.width)).toBeGreaterThan(50);
  });

  test.each([
    // The third scan lacks its images, and the animation keeps its shape.
    [".webp", [], { pages: 3, delay: [100, 100, 1000] }, "3 scans of 3"],
    [
      ".gif",
      ["--scans", "2"],
      { pages: 2, delay: [100, 1000] },
      "2 scans of 3, 1 further scans are left out (--scans)",
    ],
  ])("draws a drive as %s, at the pace of its stamps", async (extension, options, frames, said) => {
    const file = path.join(scratch, `drive${extension}`);
    const drawn = ditr("draw", labelled, "--width", "320", ...options, "-o", file);
    expect(drawn).toMatchObject({ status: EXIT.ok, stderr: "", stdout: `${file}: ${said}\n` });
    expect(await sharp(file, { animated: true }).metadata()).toMatchObject({
      ...frames,
      width: 320,
      loop: 0,
    });
  });

  test("a damaged cloud is named and left out of an animation", async () => {
    const damaged = path.join(scratch, "damaged.mcap");
    const reader = await openBag(labelled);
    const writer = await McapBagWriter.create(damaged);
    let clouds = 0;
    for await (const { topic, type, data, logTime } of reader.messages()) {
      const isCut = topic === OUTPUT_TOPICS.labelled && ++clouds === 2;
      await writer.write(topic, type, { logTime }, isCut ? data.subarray(0, data.length / 2) : data);
    }
    await writer.close();
    await reader.close();
    const file = path.join(scratch, "damaged.webp");
    const drawn = ditr("draw", damaged, "-o", file, "--no-images");
    expect(drawn.stderr).toMatch(/points_labelled at .* bytes are needed/);
    const stdout = `${file}: 2 scans of 3, 1 that cannot be read\n`;
    expect(drawn).toMatchObject({ status: EXIT.incomplete, stdout });
    expect(await sharp(file, { pages: -1 }).metadata()).toMatchObject({ pages: 2 });
    const alone = ditr("draw", damaged, "--scan", "2", "-o", path.join(scratch, "damaged.png"));
    expect(alone.stderr).toContain("--scan 2: this scan of");
    expect(alone.status).toBe(EXIT.fault);
  });

  test("what cannot be drawn is said in one sentence, and nothing is written", () => {
    const file = path.join(scratch, "none.png");
    const drive = path.join(scratch, "drive.mcap");
    for (const [args, status, sentence] of [
      [[labelled, "--scan", "9", "-o", file], EXIT.fault, "--scan 9: .* has only 3 scans that can be drawn"],
      [[drive, "-o", file], EXIT.fault, "no labelled clouds on /ditr_perception/points_labelled"],
      [[drive, "--cloud", "/lidar/points", "-o", file], EXIT.fault, 'have no field "label"'],
      [[labelled, "-o", path.join(scratch, "a.jpg")], EXIT.usage, "a.jpg is none of .png, .webp, .gif"],
      [[labelled, "-o", labelled], EXIT.usage, "is none of .png"],
    ] as const) {
      const drawn = ditr("draw", ...args);
      expect(drawn.stderr).toMatch(new RegExp(sentence));
      expect(drawn.status).toBe(status);
      expect(existsSync(file)).toBe(false);
    }
    expect(ditr("draw", labelled, "-o", path.join(scratch, "twice.png")).status).toBe(EXIT.ok);
    const before = readFileSync(path.join(scratch, "twice.png"));
    expect(ditr("draw", labelled, "-o", path.join(scratch, "twice.png")).status).not.toBe(EXIT.ok);
    expect(readFileSync(path.join(scratch, "twice.png")).equals(before)).toBe(true);
  });
});
