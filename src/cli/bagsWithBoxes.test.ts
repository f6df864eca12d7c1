import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BOXES_MODEL } from "../../test/support/boxesModel.mjs";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { openBag } from "../bag/openBag.js";
import type { BagReader } from "../bag/types.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { FaultLog } from "../faults/FaultLog.js";
import { boxesOf, GROUND_TRUTH_BOXES_TOPIC } from "../messages/boxDetections.js";
import { decodeDetection3DArray } from "../messages/detection3DArray.js";
import { decodeHeader } from "../messages/header.js";
import { decodeMarkerArray } from "../messages/markerArray.js";
import { ModelBundle } from "../model/ModelBundle.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { boxTable } from "./boxTable.js";
import { evaluateBoxes, hasScoredBoxes, type BoxSource } from "./evaluateBoxes.js";
import { labelledScans } from "./labelledScans.js";
import { runBag, type RunResult } from "./runBag.js";

const INPUTS = { tolerance: 50_000_000n } as const;
/** Random weights take next to nothing of a street for an object. */
const SCORE = 1e-6;

/** A bag on which every call of `withBag` works. */
async function withBag<T>(file: string, work: (bag: BagReader) => Promise<T>): Promise<T> {
  const bag = await openBag(file);
  try {
    return await work(bag);
  } finally {
    await bag.close();
  }
}

function messagesOf(file: string, topic: string): Promise<Uint8Array[]> {
  return withBag(file, async (bag) => {
    const found: Uint8Array[] = [];
    for await (const { data } of bag.messages({ topics: [topic] })) found.push(data.slice());
    return found;
  });
}

describe("boxes of a simulated drive", () => {
  const scratch = mkdtempSync(path.join(tmpdir(), "ditr-boxes-bag-"));
  const [drive, labelled] = [path.join(scratch, "drive.mcap"), path.join(scratch, "labelled.mcap")];
  let result: RunResult;
  let bundle: ModelBundle;

  beforeAll(async () => {
    bundle = await ModelBundle.load(BOXES_MODEL);
    const writer = await McapBagWriter.create(drive);
    const cameras = [{ name: "front", width: 320, height: 160 }];
    for await (const message of simulateDrive({
      seed: 77,
      scanCount: 2,
      columns: 256,
      cameras,
      boxes: true,
    })) {
      await writer.record(message);
    }
    await writer.close();
    result = await withBag(drive, (bag) =>
      runBag(bag, {
        ...INPUTS,
        output: labelled,
        model: BOXES_MODEL,
        provider: "cpu",
        threads: 1,
        fusion: { mode: "auto", minImages: 1, minSeenShare: 0.01, seenShareHysteresis: 0 },
        boxScoreThreshold: SCORE,
        copy: "all",
      }),
    );
  }, 240_000);
  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  const score = async (file: string, source: BoxSource) => {
    const faults = new FaultLog();
    const scores = await withBag(file, (bag) => evaluateBoxes(bag, { ...INPUTS, source }, faults));
    expect(faults.total).toBe(0);
    return scores;
  };

  test("ditr run writes them beside each labelled cloud, and counts them", async () => {
    const clouds = (await messagesOf(labelled, OUTPUT_TOPICS.labelled)).map((cdr) => decodeHeader(cdr));
    const detections = (await messagesOf(labelled, OUTPUT_TOPICS.detections)).map(decodeDetection3DArray);
    const markers = (await messagesOf(labelled, OUTPUT_TOPICS.markers)).map(decodeMarkerArray);
    expect(clouds).toHaveLength(2);
    expect(detections.map(({ header }) => header)).toEqual(clouds);
    expect(markers.map(({ markers: [first] }) => first!.header)).toEqual(clouds);
    const found = detections.flatMap(boxesOf);
    expect(found.length).toBeGreaterThan(10);
    expect(Math.min(...found.map((box) => box.score))).toBeGreaterThanOrEqual(SCORE);
    const summary = labellingSummary(result);
    const total = Object.values(summary.boxes!).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(found.length);
    expect(summary.per_scan.map(({ boxes }) => boxes)).toEqual(
      detections.map(({ detections: { length } }) => length),
    );
    expect(summary.stage_ms).toHaveProperty("detection");
  });

  test("those of a labelled bag are scored as those that the model finds", async () => {
    expect([await withBag(labelled, async (bag) => Promise.resolve(hasScoredBoxes(bag)))]).toEqual([true]);
    const ofBag = await score(labelled, { kind: "bag", bundle });
    const ofModel = await score(drive, {
      kind: "model",
      bundle,
      provider: "cpu",
      mode: "auto",
      scoreThreshold: SCORE,
    });
    expect(ofBag.scans).toBe(2);
    expect(ofBag.classScores()).toEqual(ofModel.classScores());
    expect(ofBag.classScores().map(({ name }) => name)).toEqual(["car", "person"]);
    expect(ofBag.classScores()[0]!.boxes).toBeGreaterThan(0);
  });

  test("true boxes in place of those that were found have an average precision of 1", async () => {
    const perfect = path.join(scratch, "perfect.mcap");
    const writer = await McapBagWriter.create(perfect);
    await withBag(labelled, async (bag) => {
      for await (const { channel, logTime, data } of bag.messages()) {
        if (channel.topic === OUTPUT_TOPICS.detections) continue;
        await writer.copy(channel, { logTime }, data);
        if (channel.topic === GROUND_TRUTH_BOXES_TOPIC) {
          await writer.copy({ ...channel, topic: OUTPUT_TOPICS.detections }, { logTime }, data);
        }
      }
    });
    await writer.close();
    const scores = await score(perfect, { kind: "bag" });
    for (const { boxes, ap25, ap50 } of scores.classScores()) {
      expect(boxes).toBeGreaterThan(0);
      expect(ap25).toBeCloseTo(1, 12);
      expect(ap50).toBeCloseTo(1, 12);
    }
    expect(boxTable(scores)).toMatch(/│ boxes +│ to be found │ AP25 % │ AP50 % │\n/);
    expect(boxTable(scores)).toMatch(/│ mean +│ +│ +100\.0 │ +100\.0 │\n/);
  });

  test("a bag without boxes, and a model that finds none, are refused", async () => {
    await expect(score(drive, { kind: "bag" })).rejects.toMatchObject({
      code: "data-set-unreadable",
      message: expect.stringMatching(
        /drive\.mcap has no boxes .* on \/ditr_perception\/detections; ditr run/,
      ),
    });
    const tiny = await ModelBundle.load(path.join(BOXES_MODEL, "../../../models/street-tiny"));
    await expect(score(labelled, { kind: "bag", bundle: tiny })).rejects.toThrow(
      "the model street-tiny finds no boxes",
    );
  });

  test("ditr draw shows them with the points and in the images", async () => {
    const faults = new FaultLog();
    await withBag(labelled, async (bag) => {
      for await (const scan of labelledScans(bag, { ...INPUTS, withImages: true, withBoxes: true }, faults)) {
        const [message] = await messagesOf(labelled, OUTPUT_TOPICS.detections);
        if (scan.number > 1) break;
        expect(scan.boxes).toHaveLength(boxesOf(decodeDetection3DArray(message!)).length);
        const [image] = await scan.images();
        expect([image!.image.width, image!.image.height]).toEqual([320, 160]);
      }
    });
    expect(faults.total).toBe(0);
  });
});
