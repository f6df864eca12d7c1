import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { describeWithBrowser, launchBrowser, openReport, settled } from "../../test/support/browser.mjs";
import { openBag } from "../bag/openBag.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import { SIMULATOR_MODEL } from "../model/shippedModels.js";
import { unpackScan } from "../scene/packedScan.js";
import { PAGE_PLACES } from "../scene/pagePlaces.js";
import type { SceneIndex } from "../scene/SceneIndex.js";
import { EXIT } from "./exitCodes.js";

const CLI = fileURLToPath(new URL("main.js", import.meta.url));

function ditr(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
}

let scratch: string;
let labelled: string;
let summary: string;
let report: string;

beforeAll(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "report-"));
  const file = (name: string) => path.join(scratch, name);
  [labelled, summary, report] = [file("labelled.mcap"), file("summary.json"), file("report.html")];
  // The cameras fail after the second scan.
  const size = ["--scans", "3", "--lidar", "vlp-16", "--columns", "240"];
  const cameras = ["--cameras", "front,left", "--camera-failure", "0.15"];
  const drive = file("drive.mcap");
  expect(ditr("simulate", "-o", drive, "--seed", "5", ...size, ...cameras).status).toBe(EXIT.ok);
  const outputs = ["-o", labelled, "--json", summary];
  expect(ditr("run", drive, ...outputs, "--model", SIMULATOR_MODEL, "--copy", "all").stderr).toBe("");
  const made = ditr("report", labelled, "--summary", summary, "-o", report);
  expect(made.stderr).toBe("");
  expect(made.stdout).toMatch(/^.*report\.html: 3 scans of 3, \d+ images, \d+\.\d MB\n$/);
  expect(made.status).toBe(EXIT.ok);
});
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** The text of an element of a page that holds data. */
function dataOf(file: string, id: string): string {
  const found = new RegExp(`<script type="text/plain" id="${id}">([^<]*)</script>`).exec(
    readFileSync(file, "utf8"),
  );
  return found![1]!;
}

function indexOf(file: string): SceneIndex {
  return JSON.parse(dataOf(file, PAGE_PLACES.index)) as SceneIndex;
}

describe("ditr report", () => {
  test("keeps places, labels and fields of the bag's points within what its layout says", async () => {
    const index = indexOf(report);
    const reader = await openBag(labelled);
    let place = 0;
    for await (const { data } of reader.messages({ topics: [OUTPUT_TOPICS.labelled] })) {
      const cloud = decodePointCloud2(data);
      const xyz = readXyz(cloud);
      const labels = readColumn(cloud, "label", new Uint32Array(xyz.length / 3));
      const confidence = readColumn(cloud, "confidence", new Float32Array(labels.length));
      const truth = readColumn(cloud, "ground_truth", new Uint32Array(labels.length));
      const measured = [...labels.keys()].filter(
        (point) => xyz[3 * point]! !== 0 || xyz[3 * point + 1]! !== 0,
      );
      const scan = index.scans[place]!;
      expect(scan).toMatchObject({ stamp: cloud.header.stamp.toString(), total: labels.length });
      expect(scan.points).toBe(measured.length);
      expect(scan.points + scan.noReturns).toBe(labels.length);
      const packed = Buffer.from(dataOf(report, PAGE_PLACES.scan(place)), "base64");
      const { positions, ...columns } = unpackScan(inflateRawSync(packed), scan.points, scan.layout);
      const field = index.fields.findIndex(({ name }) => name === "confidence");
      const [low, high] = scan.layout.fields[field]!;
      measured.forEach((point, at) => {
        for (let axis = 0; axis < 3; axis++) {
          const value = scan.layout.origin[axis]! + scan.layout.step * positions[3 * at + axis]!;
          if (Math.abs(value - xyz[3 * point + axis]!) > 0.51 * scan.layout.step + 1e-5)
            throw new Error(`point ${point} is at ${value} instead of ${xyz[3 * point + axis]!}`);
        }
        const value = low + (columns.fields[field]![at]! / 255) * (high - low);
        if (Math.abs(value - confidence[point]!) > (high - low) / 500) throw new Error(`${value}`);
        if (index.classes[columns.labels[at]!]!.id !== labels[point]) throw new Error(`label of ${point}`);
        const known = index.classes[columns.truth![at]!]?.id ?? truth[point];
        if (known !== truth[point]) throw new Error(`truth of ${point}`);
      });
      expect(scan.counts.reduce((sum, count) => sum + count, 0)).toBe(labels.length);
      place++;
    }
    expect(place).toBe(3);
    await reader.close();
  });

  test("says how each scan was labelled, with which images, and how well", () => {
    const { scans, truth, run, faults } = indexOf(report);
    expect(scans.map(({ labelled: how }) => how?.mode)).toEqual(["fused", "fused", "image-free"]);
    // The cameras are as slow as the LiDAR and fail while the second scan is taken.
    expect(scans.map(({ images }) => images.length)).toEqual([2, 1, 0]);
    expect(scans.map(({ missing }) => missing.length)).toEqual([0, 1, 2]);
    expect(run!.facts).toContainEqual(["Provider", "cpu"]);
    expect(faults).toEqual([]);
    expect(truth!.matrices.map(({ title }) => title)).toEqual([
      "all scans",
      "fused scans",
      "image-free scans",
    ]);
    const evaluated = path.join(scratch, "scores.json");
    expect(ditr("evaluate", labelled, "--json", evaluated).status).toBe(EXIT.ok);
    expect(readFileSync(evaluated, "utf8")).toContain(String(truth!.matrices[0]!.meanIou));
  });

  test("thins to the points that are asked for, and says so", () => {
    const file = path.join(scratch, "thin.html");
    const made = ditr("report", labelled, "--points", "500", "--scans", "2", "--no-images", "-o", file);
    expect(made).toMatchObject({ status: EXIT.ok, stderr: "" });
    expect(made.stdout).toMatch("2 scans of 3, no images");
    expect(made.stdout).toMatch("1 further scans are left out (--scans)");
    const { scans, notes } = indexOf(file);
    expect(scans.map(({ points }) => points)).toEqual([500, 500]);
    expect(notes).toContain("Of scans with more than 500 points, 500 are shown, evenly (--points).");
  });

  test("what cannot be shown is said in one sentence, and nothing is written", () => {
    const file = path.join(scratch, "none.html");
    const drive = path.join(scratch, "drive.mcap");
    writeFileSync(path.join(scratch, "odd.json"), '{"format_version": 1}');
    for (const [args, status, sentence] of [
      [[labelled, "--scan", "9", "-o", file], EXIT.fault, "--scan 9: .* has only 3 scans"],
      [[drive, "-o", file], EXIT.fault, "no labelled clouds on /ditr_perception/points_labelled"],
      [[labelled, "--points", "0", "-o", file], EXIT.usage, "--points 0: 1 is the least"],
      [[labelled, "--summary", drive, "-o", file], EXIT.fault, "is no JSON that can be read"],
      [
        [labelled, "--summary", path.join(scratch, "odd.json"), "-o", file],
        EXIT.fault,
        "is no summary of a run",
      ],
    ] as const) {
      const made = ditr("report", ...args);
      expect(made.stderr).toMatch(new RegExp(sentence));
      expect(made.status).toBe(status);
      expect(existsSync(file)).toBe(false);
    }
  });
});

describeWithBrowser("the page of a report, in a browser", () => {
  let browser: Browser;
  let page: Page;
  let [requests, complaints]: [string[], string[]] = [[], []];

  beforeAll(async () => {
    browser = await launchBrowser();
    ({ page, requests, complaints } = await openReport(browser, report));
  });
  afterAll(async () => {
    await browser.close();
  });

  const drawn = async () => {
    await settled(page);
    return page.evaluate<number>("ditrReport.view.drawnPoints");
  };
  const picture = async () => {
    await settled(page);
    return (await page.locator("canvas.cloud").screenshot()).toString("base64");
  };
  const scanAt = async (place: number) => {
    await page.evaluate(`void (ditrReport.state.place.value = ${place})`);
    await settled(page);
  };

  test("draws every point that was measured, and asks for nothing but itself", async () => {
    const { scans } = indexOf(report);
    expect(await drawn()).toBe(scans[0]!.points);
    expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("blob:"))).toEqual([]);
    expect(requests.filter((url) => url.startsWith("file:"))).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  test("scrubs, steps and plays", async () => {
    const { scans } = indexOf(report);
    const first = await picture();
    await page.locator("input.scrub").fill("2");
    expect(await drawn()).toBe(scans[2]!.points);
    expect(await page.locator(".scan-number").textContent()).toContain("scan 3");
    expect(await page.locator(".mode").textContent()).toBe("image-free");
    expect(await page.locator(".camera.missing").count()).toBe(2);
    expect(await picture()).not.toBe(first);
    await page.locator("canvas.cloud").press("ArrowLeft");
    expect(await drawn()).toBe(scans[1]!.points);
    expect(await page.locator(".mode").textContent()).toBe("fused");
    await page.locator("button.play").click();
    for (let place = 1; place === 1;) place = await page.evaluate<number>("ditrReport.state.place.value");
    await page.locator("button.play").click();
    await scanAt(0);
    expect(await picture()).toBe(first);
  });

  test("a class that is taken away goes from the cloud, by its count, and from the images", async () => {
    const { scans, classes } = indexOf(report);
    const all = await drawn();
    const painted = () => page.evaluate<Record<string, number>>("ditrReport.cameras.painted()");
    const before = await painted();
    expect(before["front"]).toBeGreaterThan(50);
    const road = classes.findIndex(({ name }) => name === "road");
    await page.locator(`.entry[data-slot="${road}"]`).click();
    expect(await drawn()).toBe(all - scans[0]!.counts[road]!);
    expect((await painted())["front"]).toBeLessThan(before["front"]!);
    await page.locator(`.entry[data-slot="${road}"]`).click();
    expect(await drawn()).toBe(all);
    expect(await painted()).toEqual(before);
  });

  test("a point under the pointer is marked in cloud and image, both ways, and a click tells its fields", async () => {
    await scanAt(0);
    const marked = () => page.evaluate<Record<string, boolean>>("ditrReport.cameras.marked()");
    // Of the first image a point that the camera sees and that the cloud shows on top.
    const target = await page.evaluate<{ x: number; y: number; point: number } | null>(`(async () => {
      const { view, store } = ditrReport;
      const { packed } = await store.scan(0);
      const { points, seen } = packed.sightings[0];
      const { left, top } = view.canvas.getBoundingClientRect();
      for (let i = 0; i < points.length; i++) {
        const at = seen[i] && view.project(view.positionOf({ place: 0, point: points[i] }));
        if (at && at.y > 60 && view.pick(at.x, at.y)?.point === points[i])
          return { x: left + at.x, y: top + at.y, point: points[i] };
      }
      return null;
    })()`);
    expect(target).not.toBeNull();
    expect(Object.values(await marked())).toEqual([false, false]);
    await page.mouse.move(target!.x, target!.y);
    await page.locator(".point-card dl").waitFor();
    expect((await marked())["front"]).toBe(true);
    await page.mouse.click(target!.x, target!.y);
    expect(await page.evaluate<number>("ditrReport.state.selected.value.point")).toBe(target!.point);
    const said = await page.locator(".point-card").textContent();
    for (const name of ["class", "truth", "confidence", "intensity", "distance", "front"]) {
      expect(said).toContain(name);
    }
    // The other way: from the image to the cloud.
    await page.keyboard.press("Escape");
    const image = page.locator('.camera[data-camera="front"] canvas');
    const box = (await image.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.75);
    expect(await page.evaluate<boolean>("ditrReport.state.hovered.value?.place === 0")).toBe(true);
    await page.mouse.move(1, 1);
    expect(complaints).toEqual([]);
  });

  test("gathers scans by their poses, shows true boxes, and measures between two points", async () => {
    const { scans, boxTopics } = indexOf(report);
    expect(boxTopics).toEqual(["/ground_truth/boxes"]);
    expect(scans[1]!.boxes.length).toBeGreaterThan(0);
    await scanAt(2);
    await page.locator('select[aria-label="Scans together"]').selectOption("3");
    // Corners of boxes are no points.
    expect(await drawn()).toBe(scans.reduce((sum, { points }) => sum + points, 0));
    await page.locator('select[aria-label="Scans together"]').selectOption("1");
    await scanAt(1);
    expect(await page.locator(".labels span").count()).toBe(Math.min(40, scans[1]!.boxes.length));
    await page.locator("canvas.cloud").press("x");
    expect(await page.locator(".labels span").count()).toBe(0);
    await page.locator("canvas.cloud").press("x");
    await page.locator("canvas.cloud").press("m");
    const wanted = await page.evaluate<number>(`(async () => {
      const { state, view } = ditrReport;
      state.selected.value = { place: 1, point: 10 };
      state.selected.value = { place: 1, point: 900 };
      const [a, b] = [10, 900].map((point) => view.positionOf({ place: 1, point }));
      return Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
    })()`);
    expect(await page.locator(".labels span", { hasText: "level" }).textContent()).toContain(
      `${wanted.toFixed(2)} m`,
    );
    await page.locator("canvas.cloud").press("m");
    await page.locator("canvas.cloud").press("Escape");
    await scanAt(0);
    expect(complaints).toEqual([]);
  });

  test("each colouring is another picture, and so is each theme", async () => {
    const select = page.locator(".toolbar select").first();
    const values = await page.evaluate<string[]>(
      "[...document.querySelector('.toolbar select').options].map(({ value }) => value)",
    );
    expect(values).toEqual(expect.arrayContaining(["class", "verdict", "height"]));
    const pictures = new Set<string>();
    for (const value of values) {
      await select.selectOption(value);
      pictures.add(await picture());
    }
    expect(pictures.size).toBe(values.length);
    await select.selectOption("class");
    for (const key of ["b", "l"]) {
      await page.locator("canvas.cloud").press(key);
      pictures.add(await picture());
    }
    expect(pictures.size).toBe(values.length + 2);
    for (const key of ["b", "l"]) await page.locator("canvas.cloud").press(key);
    expect(complaints).toEqual([]);
  });
});
