import { rm } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { describeWithRealData } from "../../test/support/realData.mjs";
import { labelBytes, writeFiles } from "../bag/importers/dataset/exampleRecording.js";
import { NUSCENES_LIDARSEG } from "../bag/importers/nuscenes/lidarsegClasses.js";
import { SEMANTIC_KITTI } from "../bag/importers/semantickitti/semanticKittiClasses.js";
import { withFolder } from "../bag/exampleBag.js";
import { evaluateFolders } from "./evaluateFolders.js";
import { LABEL_FORMATS } from "./labelFormats.js";

const kitti = LABEL_FORMATS.semantickitti;
const nuscenes = LABEL_FORMATS["nuscenes-lidarseg"];
const frameName = (frame: number): string => `${String(frame).padStart(6, "0")}.label`;

function draw(ids: readonly number[], seed: number, count: number): number[] {
  return fc.sample(fc.constantFrom(...ids), { seed, numRuns: count });
}

test("frames of the published layout are found in folders of any depth", async () => {
  await withFolder(async (folder) => {
    const at = (...names: string[]): string => path.join(folder, ...names);
    await writeFiles({
      [at("data", "dataset", "sequences", "08", "labels", frameName(0))]: labelBytes([10, 40, 0, 99]),
      [at("data", "dataset", "sequences", "09", "labels", frameName(0))]: labelBytes([10]),
      [at("ours", "sequences", "08", "predictions", frameName(0))]: labelBytes([10, 0, 70, 70]),
    });
    const folders = { predictions: at("ours"), truth: at("data"), format: kitti };
    const { confusion, frames, skipped } = await evaluateFolders(folders);
    expect([frames, skipped]).toEqual([1, []]);
    // The road that got no class is a miss; points without truth are nobody's.
    expect(confusion.points).toBe(2);
    const [car, ...others] = confusion.classScores();
    expect(car).toMatchObject({ name: "car", iou: 1 });
    expect(others.find(({ name }) => name === "road")).toMatchObject({ iou: 0, truthPoints: 1 });
    expect(others.find(({ name }) => name === "vegetation")).toMatchObject({
      iou: undefined,
      predictedPoints: 0,
    });
    expect(confusion.meanIou("all")).toBeCloseTo(1 / 19, 12);
    const flat = {
      ...folders,
      predictions: at("ours", "sequences", "08", "predictions"),
      truth: at("data", "dataset", "sequences", "08", "labels"),
    };
    expect((await evaluateFolders(flat)).confusion.toCounts()).toEqual(confusion.toCounts());
  });
});

test("frames that cannot be compared are skipped and named with the bad value", async () => {
  await withFolder(async (folder) => {
    const truth = (frame: number): string => path.join(folder, "truth", frameName(frame));
    const predicted = (frame: number): string => path.join(folder, "predicted", frameName(frame));
    const files: Record<string, Uint8Array> = {};
    for (let frame = 0; frame < 7; frame++) {
      files[truth(frame)] = labelBytes([10, 40]);
      files[predicted(frame)] = labelBytes([10, 40]);
    }
    files[predicted(1)] = labelBytes([10]);
    files[predicted(2)] = labelBytes([10, 777]);
    files[truth(3)] = labelBytes([10, 65_535]);
    files[predicted(4)] = new Uint8Array(7);
    await writeFiles(files);
    await rm(truth(5));
    await rm(predicted(6));
    const folders = {
      predictions: path.join(folder, "predicted"),
      truth: path.join(folder, "truth"),
      format: kitti,
    };
    const { confusion, frames, skipped } = await evaluateFolders(folders);
    expect([frames, confusion.points]).toEqual([1, 2]);
    expect(skipped.map(({ message }) => message)).toEqual([
      `${predicted(5)} has no true labels in ${folders.truth}`,
      `1 of 6 frames have no predictions in ${folders.predictions}, the first is ${truth(6)}`,
      `${predicted(1)}: there are 1 predicted labels for 2 true labels`,
      `${predicted(2)}: label 777 is not in the label map`,
      `${predicted(3)}: label 65535 is not in the label map`,
      `${predicted(4)}: it has 7 bytes, not a multiple of 4`,
    ]);
    await rm(predicted(0));
    await expect(evaluateFolders(folders)).rejects.toMatchObject({
      code: "data-set-unreadable",
      message: expect.stringMatching(/^no scan of .*predicted can be read: /),
    });
    await expect(evaluateFolders({ ...folders, format: nuscenes })).rejects.toThrow(
      `${folders.predictions} holds no file that ends with _lidarseg.bin`,
    );
    await expect(evaluateFolders({ ...folders, truth: path.join(folder, "none") })).rejects.toThrow(
      /none cannot be read/,
    );
  });
});

test("nuScenes: a prediction must name a class", async () => {
  await withFolder(async (folder) => {
    const at = (...names: string[]): string => path.join(folder, ...names);
    await writeFiles({
      [at("truth", "a_lidarseg.bin")]: Uint8Array.of(17, 24),
      [at("predicted", "a_lidarseg.bin")]: Uint8Array.of(4, 0),
    });
    const folders = { predictions: at("predicted"), truth: at("truth"), format: nuscenes };
    await expect(evaluateFolders(folders)).rejects.toThrow("label 0 is not in the label map");
  });
});

describeWithPython("scores as the benchmarks count them", () => {
  test.each(["semantickitti", "nuscenes-lidarseg"] as const)("%s", async (name) => {
    await withFolder(async (folder) => {
      const format = LABEL_FORMATS[name];
      const map = name === "semantickitti" ? SEMANTIC_KITTI : NUSCENES_LIDARSEG;
      // Trucks (learning ids 4 and 10) neither occur nor are predicted: the means treat that differently.
      const known = [...map.entries()].filter(([, id]) => map.classNames[id] !== "truck");
      const rawIds = known.map(([raw]) => raw);
      const predictedIds =
        name === "semantickitti" ? rawIds : [...new Set(known.map(([, id]) => id))].filter((id) => id > 0);
      const files: Record<string, Uint8Array> = {};
      const truth: string[] = [];
      const predictions: string[] = [];
      for (let frame = 0; frame < 3; frame++) {
        const trueIds = draw(rawIds, frame, 5000);
        const guesses = draw(predictedIds, 100 + frame, 5000).map((guess, i) => {
          const learned = known.find(([raw]) => raw === trueIds[i])![1];
          if (i % 2 === 0 || learned === 0) return guess;
          return name === "semantickitti" ? trueIds[i]! + 65_536 * frame : learned;
        });
        truth.push(path.join(folder, "truth", `${frame}${format.extension}`));
        predictions.push(path.join(folder, "predicted", `${frame}${format.extension}`));
        const encode =
          name === "semantickitti" ? labelBytes : (ids: readonly number[]) => Uint8Array.from(ids);
        files[truth[frame]!] = encode(trueIds);
        files[predictions[frame]!] = encode(guesses);
      }
      await writeFiles(files);
      const { confusion, frames } = await evaluateFolders({
        predictions: path.join(folder, "predicted"),
        truth: path.join(folder, "truth"),
        format,
      });
      expect(frames).toBe(3);
      const options = { format: name, truth, predictions, learning_map: Object.fromEntries(map.entries()) };
      const reference = runReference("benchmark_scores.py", {}, options);
      const expected = Array.from(reference["iou"]!.data, Number);
      const ious = confusion.classScores().map(({ iou }) => iou ?? NaN);
      expect(ious).toEqual(expected.map((iou) => (Number.isNaN(iou) ? NaN : expect.closeTo(iou, 12))));
      expect(ious.filter(Number.isNaN)).toHaveLength(1);
      expect(confusion.meanIou(format.mean)).toBeCloseTo(Number(reference["miou"]!.data[0]), 12);
    });
  });
});

describeWithRealData("SemanticKITTI's own labels", "semantickitti", (folder) => {
  test("compared with themselves all classes that occur have an IoU of 1", async () => {
    const labels = path.join(folder, "subset", "labels");
    const { confusion, frames } = await evaluateFolders({
      predictions: labels,
      truth: labels,
      format: kitti,
    });
    expect(frames).toBe(15);
    expect(confusion.meanIou("present")).toBe(1);
    expect(confusion.meanIou("all")).toBeLessThan(1);
    expect(confusion.points).toBeGreaterThan(500_000);
  });
});
