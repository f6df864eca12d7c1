import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { renderLabelledScan, SCAN_PICTURE, SCAN_VIEWS } from "./renderLabelledScan.js";
import { projectToView, viewFromAbove, viewFromBehind } from "./scanViews.js";

const CLASSES = [
  { id: 9, name: "road", color: [255, 0, 255] },
  { id: 1, name: "car", color: [100, 150, 245] },
] as const;
const RANGE = 20;

async function pixels(png: Uint8Array): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([SCAN_PICTURE.width, SCAN_PICTURE.height, 3]);
  return (x, y) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
}

/** Pixels of exactly this colour. */
function count(picture: Buffer, [r, g, b]: readonly [number, number, number]): number {
  let found = 0;
  for (let i = 0; i < picture.length; i += 3) {
    if (picture[i] === r && picture[i + 1] === g && picture[i + 2] === b) found++;
  }
  return found;
}

/** A 1 m square patch of points of 5 cm around (x, y, z). */
function patch(x: number, y: number, z: number): number[] {
  const points: number[] = [];
  for (let i = -10; i <= 10; i++) for (let j = -10; j <= 10; j++) points.push(x + i / 20, y + j / 20, z);
  return points;
}

function place(view: keyof typeof SCAN_VIEWS, x: number, y: number, z: number): [number, number] {
  const { left, top, width, height } = SCAN_VIEWS[view];
  const projection = view === "above" ? viewFromAbove : viewFromBehind;
  const [u, v] = projectToView(projection(width, height, RANGE), x, y, z)!;
  return [left + Math.floor(u), top + Math.floor(v)];
}

describe("renderLabelledScan", () => {
  test("paints points in the colours of their classes where both views have them", async () => {
    const xyz = new Float32Array([...patch(8, 3, -1.7), ...patch(8, -3, -1.7)]);
    const labels = new Uint8Array(xyz.length / 3).fill(9, 0, 441).fill(1, 441);
    const at = await pixels(
      await renderLabelledScan({ xyz, labels, classes: CLASSES, title: "test", range: RANGE }),
    );
    for (const view of ["above", "behind"] as const) {
      expect(at(...place(view, 8, 3, -1.7))).toEqual([255, 0, 255]);
      expect(at(...place(view, 8, -3, -1.7))).toEqual([100, 150, 245]);
    }
    // The left of the vehicle is the left of the picture, and ahead is up.
    expect(place("above", 8, 3, 0)[0]).toBeLessThan(place("above", 8, -3, 0)[0]);
    expect(place("above", 8, 0, 0)[1]).toBeLessThan(place("above", 2, 0, 0)[1]);
    expect(place("behind", 8, 3, 0)[0]).toBeLessThan(place("behind", 8, -3, 0)[0]);
  });

  test("the nearer point hides the farther one, whatever their order", async () => {
    const xyz = new Float32Array([...patch(5, 0, 1), ...patch(5, 0, -1)]);
    const labels = new Uint8Array(xyz.length / 3).fill(1, 0, 441).fill(9, 441);
    const at = await pixels(
      await renderLabelledScan({ xyz, labels, classes: CLASSES, title: "test", range: RANGE }),
    );
    expect(at(...place("above", 5, 0, 0))).toEqual([100, 150, 245]);
  });

  test("leaves out points that are not finite: only their number is in the picture", async () => {
    const road = patch(8, 3, -1.7);
    // Not finite in one coordinate each, with the others in the middle of both views.
    const lost = [NaN, 0, 0, 3, Infinity, 0, 5, 0, -Infinity, NaN, NaN, NaN];
    const draw = async (points: readonly number[]) => {
      const labels = new Uint8Array(points.length / 3).fill(9, 0, 441).fill(1, 441);
      const xyz = new Float32Array(points);
      const png = await renderLabelledScan({ xyz, labels, classes: CLASSES, title: "test", range: RANGE });
      return sharp(png).raw().toBuffer();
    };
    const [without, withLost] = [await draw(road), await draw([...road, ...lost])];
    const rowsBelowHead = (picture: Buffer) => picture.subarray(80 * SCAN_PICTURE.width * 3);
    // The road is seen, and neither a point nor the legend's entry of the lost points' class.
    expect(count(withLost, [255, 0, 255])).toBeGreaterThan(100);
    expect(count(withLost, [100, 150, 245])).toBe(0);
    expect(rowsBelowHead(withLost).equals(rowsBelowHead(without))).toBe(true);
    expect(withLost.equals(without)).toBe(false);
    // The same points, finite, are seen.
    const finite = await draw([...road, ...lost.map((value) => (Number.isFinite(value) ? value : 1))]);
    expect(count(finite, [100, 150, 245])).toBeGreaterThan(0);
  });

  test("draws an empty scan, and one of which nothing is finite, as the same views", async () => {
    const empty = { xyz: new Float32Array(0), labels: new Uint8Array(0) };
    const at = await pixels(await renderLabelledScan({ ...empty, classes: CLASSES, title: "empty" }));
    const xyz = new Float32Array([NaN, 0, 0, 3, Infinity, 0]);
    const none = await pixels(
      await renderLabelledScan({ xyz, labels: new Uint8Array(2), classes: CLASSES, title: "empty" }),
    );
    for (const view of ["above", "behind"] as const) {
      const { left, top, width, height } = SCAN_VIEWS[view];
      for (let y = top; y < top + height; y += 7) {
        for (let x = left; x < left + width; x += 7) expect(none(x, y)).toEqual(at(x, y));
      }
    }
  });

  test("refuses labels that are not those of the points", async () => {
    const options = { xyz: new Float32Array(6), labels: new Uint8Array(3), classes: CLASSES, title: "" };
    await expect(renderLabelledScan(options)).rejects.toThrow(RangeError);
  });

  test("writes its title on a machine without any fonts", () => {
    const script = `
      const { renderLabelledScan } = await import(${JSON.stringify(new URL("./renderLabelledScan.js", import.meta.url).href)});
      const sharp = (await import("sharp")).default;
      const draw = async (title) => {
        const png = await renderLabelledScan({ xyz: new Float32Array(0), labels: new Uint8Array(0), classes: [], title });
        return sharp(png).extract({ left: 0, top: 0, width: 800, height: 80 }).raw().toBuffer();
      };
      const [text, none] = [await draw("labelled"), await draw("")];
      process.stdout.write(String(text.filter((value, index) => value !== none[index]).length));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: { ...process.env, FONTCONFIG_FILE: "/nonexistent", FONTCONFIG_PATH: "/nonexistent" },
    });
    expect(stderr).not.toContain("Error");
    expect(Number(stdout)).toBeGreaterThan(1000);
  });
});
