/** Recordings of data sets, imported and labelled with the shipped model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { describeWithRealData } from "../../test/support/realData.mjs";
import type { DataSetRecording } from "../bag/importers/dataset/DataSetRecording.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { openBag } from "../bag/openBag.js";
import { PcdRecording } from "../bag/importers/pcd/PcdRecording.js";
import { SemanticKittiSequence } from "../bag/importers/semantickitti/SemanticKittiSequence.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import { DEFAULT_FUSION } from "../perception/FusionPolicy.js";
import { runBag, type RunResult } from "./runBag.js";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-import-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

async function importAndRun(recording: DataSetRecording, name: string): Promise<RunResult> {
  const imported = path.join(scratch, `${name}.mcap`);
  const writer = await McapBagWriter.create(imported);
  for await (const message of recording.messages()) await writer.record(message);
  await writer.close();
  const reader = await openBag(imported);
  try {
    return await runBag(reader, {
      output: path.join(scratch, `${name}-labelled.mcap`),
      model: fileURLToPath(new URL("../../models/street-tiny", import.meta.url)),
      provider: "cpu",
      threads: 0,
      fusion: DEFAULT_FUSION,
      tolerance: 50_000_000n,
      copy: "tf",
      maxScans: 1,
    });
  } finally {
    await reader.close();
  }
}

describeWithRealData("SUSTechPOINTS", "sustechpoints", (folder) => {
  test("a scan is fused with all three cameras", async () => {
    const result = await importAndRun(await PcdRecording.open(folder), "pcd");
    expect(result.selection.cameras.map(({ name }) => name)).toEqual(["front", "left", "right"]);
    expect(result.recorder.modeSpans()).toEqual([
      { first: 1, last: 1, mode: "fused", reason: "images-available" },
    ]);
    expect(result.faults.summary()).toEqual([]);
  }, 120_000);
});

describeWithRealData("SemanticKITTI", "semantickitti", (folder) => {
  test("labels are compared with the imported ground truth by the names of the classes", async () => {
    const options = { scans: "subset/velodyne", labels: "subset/labels" };
    const result = await importAndRun(await SemanticKittiSequence.open(folder, options), "semantickitti");
    const reader = await openBag(result.output);
    try {
      const confusion = (await evaluateBag(reader)).total();
      expect(confusion.points).toBeGreaterThan(40_000);
      // A model that was trained on simulated streets alone knows buildings of real ones.
      expect(confusion.classScores().find(({ name }) => name === "building")!.iou).toBeGreaterThan(0.4);
    } finally {
      await reader.close();
    }
  }, 120_000);
});
