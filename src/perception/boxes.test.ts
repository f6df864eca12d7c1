import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BOXES_MODEL, boxesCloud, expectedBoxes } from "../../test/support/boxesModel.mjs";
import { ScanGeometryBuilder } from "../geometry/ScanGeometryBuilder.js";
import { boxesOf, type BoxDetection } from "../messages/boxDetections.js";
import { decodeDetection3DArray } from "../messages/detection3DArray.js";
import { decodeMarkerArray } from "../messages/markerArray.js";
import { MarkerAction, MarkerType } from "../messages/types.js";
import { detectionTensors } from "../model/detectionTensors.js";
import { geometryConfig } from "../model/graphContract.js";
import { ModelBundle } from "../model/ModelBundle.js";
import type { FusionPolicyOptions } from "./FusionPolicy.js";
import { PerceptionPipeline } from "./PerceptionPipeline.js";
import type { LabelledScan, ScanFrame } from "./ScanFrame.js";
import { selectBoxes } from "./selectBoxes.js";
import { OUTPUTS_OF_BAGS, type WantedOutputs } from "./WantedOutputs.js";

type NpyArray = ReturnType<typeof expectedBoxes>[string];

const IMAGE_FREE: FusionPolicyOptions = {
  mode: "image-free",
  minImages: 1,
  minSeenShare: 0.01,
  seenShareHysteresis: 0,
};
const NOTHING: WantedOutputs = {
  labelled: false,
  filtered: false,
  overlays: new Set(),
  detections: false,
  markers: false,
};

function frame(stamp: bigint, cdr = boxesCloud(stamp)): ScanFrame {
  const source = { kind: "points", index: 0, topic: "/points", frameId: "lidar", cdr } as const;
  return { stamp, topic: "/points", sources: [source], images: [], missing: [] };
}

async function label(
  pipeline: PerceptionPipeline,
  wanted: WantedOutputs,
  one = frame(5n),
): Promise<LabelledScan> {
  const outcome = await pipeline.labelFrame(one, wanted);
  if (outcome.kind === "failed") throw outcome.fault;
  return outcome;
}

/**
 * Between PyTorch and ONNX Runtime: what the made-up weights say apart of queries is much enlarged, rounding too
 * (boxes_bundle.py, `spread`).
 */
const NETWORK_TOLERANCE = 0.01;

/** As Python's arrays have them. */
function expectFound(
  found: readonly BoxDetection[],
  names: readonly string[],
  expected: Record<string, NpyArray>,
  tolerance: number,
): void {
  const numbers = found.map(({ box: { center, size, yaw }, score }) => [...center, ...size, yaw, score]);
  expect(found.map(({ className }) => names.indexOf(className))).toEqual([
    ...(expected["found_classes"]!.data as Int32Array),
  ]);
  const [boxes, scores] = [expected["found_boxes"]!.data, expected["found_scores"]!.data];
  const differences = numbers.flatMap((row, index) =>
    row.map((value, column) =>
      Math.abs(value - Number(column < 7 ? boxes[7 * index + column] : scores[index])),
    ),
  );
  expect(Math.max(...differences)).toBeLessThan(tolerance);
}

function namesOf({ manifest }: ModelBundle): string[] {
  return manifest.detection!.classes.map(({ name }) => name);
}

function detectionInputs(bundle: ModelBundle, scan: NpyArray) {
  const count = scan.shape[0]!;
  const xyz = Float32Array.from({ length: 3 * count }, (_, at) =>
    Number(scan.data[4 * Math.floor(at / 3) + (at % 3)]),
  );
  const geometry = new ScanGeometryBuilder(geometryConfig(bundle.manifest)).build(xyz, count);
  return detectionTensors(bundle.manifest, { xyz, geometry });
}

describe("boxes of a model of random weights", () => {
  const expected = expectedBoxes();
  let bundle: ModelBundle;
  let pipeline: PerceptionPipeline;
  beforeAll(async () => {
    bundle = await ModelBundle.load(BOXES_MODEL);
    pipeline = await PerceptionPipeline.start({ bundle, provider: "cpu", threads: 1, fusion: IMAGE_FREE });
  });
  afterAll(async () => {
    await pipeline.close();
  });

  test("positions of tokens and queries are Python's to the last bit", () => {
    const tensors = detectionInputs(bundle, expected["scan"]!);
    expect(tensors.map(({ name }) => name)).toEqual(["token_positions", "queries"]);
    for (const { name, shape, data } of tensors) {
      expect([name, shape]).toEqual([name, expected[name]!.shape]);
      expect(data).toEqual(expected[name]!.data);
    }
  });

  test("what is chosen of Python's proposals is what Python chooses", () => {
    const proposals = {
      boxes: expected["boxes"]!.data as Float32Array<ArrayBuffer>,
      classProbabilities: expected["class_probabilities"]!.data as Float32Array<ArrayBuffer>,
    };
    const found = selectBoxes(proposals, bundle.manifest.detection!);
    expectFound(found, namesOf(bundle), expected, 1e-6);
    // Both rules leave something out, and both classes are found.
    const { score_threshold: least } = bundle.manifest.detection!;
    const enough = selectBoxes(proposals, { ...bundle.manifest.detection!, overlap_threshold: 1 });
    expect(found.length).toBeLessThan(enough.length);
    expect(enough.length).toBeLessThan(proposals.boxes.length / 7);
    expect(enough.every(({ score }) => score >= least)).toBe(true);
    expect(new Set(found.map(({ classIndex }) => classIndex)).size).toBe(2);
  });

  test("a scan has the boxes that PyTorch finds in it, as messages in the frame of its points", async () => {
    const { boxes, times, labelledCloud } = await label(pipeline, {
      ...NOTHING,
      detections: true,
      markers: true,
    });
    expect(labelledCloud).toBeUndefined();
    expectFound(boxes!.found, namesOf(bundle), expected, NETWORK_TOLERANCE);
    expect(times.detection).toBeGreaterThan(0);
    const message = decodeDetection3DArray(boxes!.detections!);
    expect(message.header).toEqual({ stamp: 5n, frameId: "lidar" });
    expectFound(boxesOf(message), namesOf(bundle), expected, NETWORK_TOLERANCE);
    const { markers } = decodeMarkerArray(boxes!.markers!);
    const [first, edges, ...texts] = markers;
    expect(first!.action).toBe(MarkerAction.DELETE_ALL);
    expect([edges!.type, edges!.points.length]).toEqual([MarkerType.LINE_LIST, 26 * boxes!.found.length]);
    expect(texts.map(({ text }) => text.split(" ")[0])).toEqual(
      boxes!.found.map(({ className }) => className),
    );
    expect(new Set(markers.map(({ header }) => header.frameId))).toEqual(new Set(["lidar"]));
  });

  test("boxes that nobody wants are not looked for", async () => {
    const scan = await label(pipeline, { ...NOTHING, labelled: true });
    expect(scan.boxes).toBeUndefined();
    expect(scan.times.detection).toBeLessThan(1);
    const { boxes } = await label(pipeline, { ...NOTHING, detections: true });
    expect([boxes!.detections === undefined, boxes!.markers === undefined]).toEqual([false, true]);
  });

  test("the threshold changes from one scan to the next", async () => {
    const settings = { fusion: IMAGE_FREE };
    const scores = async (): Promise<number[]> =>
      (await label(pipeline, OUTPUTS_OF_BAGS)).boxes!.found.map(({ score }) => score);
    const own = await scores();
    const middle = own[Math.floor(own.length / 2)]!;
    pipeline.update({ ...settings, boxScoreThreshold: middle });
    expect(await scores()).toEqual(own.filter((score) => score >= middle));
    pipeline.update({ ...settings, boxScoreThreshold: 1 });
    expect(await scores()).toEqual([]);
    pipeline.update(settings);
    expect(await scores()).toEqual(own);
  });

  test("a scan without a point in range has no boxes, and the message says so", async () => {
    const far = { data: new Float32Array(40).fill(1000), shape: [10, 4] };
    const { boxes } = await label(pipeline, OUTPUTS_OF_BAGS, frame(6n, boxesCloud(6n, far)));
    expect(boxes!.found).toEqual([]);
    expect(decodeDetection3DArray(boxes!.detections!).detections).toEqual([]);
    expect(decodeMarkerArray(boxes!.markers!).markers.map(({ action }) => action)).toEqual([
      MarkerAction.DELETE_ALL,
    ]);
    // The memory of its inputs is used again.
    expect((await label(pipeline, OUTPUTS_OF_BAGS)).boxes!.found.length).toBeGreaterThan(0);
  });

  test("a fused scan has boxes too, of what the images add", async () => {
    pipeline.update({ fusion: { ...IMAGE_FREE, mode: "fused" } });
    const { mode, boxes } = await label(pipeline, OUTPUTS_OF_BAGS);
    expect(mode).toBe("fused");
    expect(boxes!.found.length).toBeGreaterThan(0);
    pipeline.update({ fusion: IMAGE_FREE });
  });

  test("a model without boxes has none, whoever wants them", async () => {
    const other = await ModelBundle.load(fileURLToPath(new URL("../../models/street-tiny", import.meta.url)));
    const without = await PerceptionPipeline.start({
      bundle: other,
      provider: "cpu",
      threads: 1,
      fusion: IMAGE_FREE,
    });
    try {
      expect((await label(without, OUTPUTS_OF_BAGS)).boxes).toBeUndefined();
    } finally {
      await without.close();
    }
  });
});

test("boxes of a model that chooses its queries itself and clamps are PyTorch's", async () => {
  const folder = fileURLToPath(new URL("../../test/models/boxes-scored", import.meta.url));
  const expected = expectedBoxes(folder);
  const bundle = await ModelBundle.load(folder);
  const [positions, ...others] = detectionInputs(bundle, expected["scan"]!);
  expect(others).toEqual([]);
  expect(positions!.data).toEqual(expected["token_positions"]!.data);
  const pipeline = await PerceptionPipeline.start({
    bundle,
    provider: "cpu",
    threads: 1,
    fusion: IMAGE_FREE,
  });
  try {
    const one = frame(5n, boxesCloud(5n, expected["scan"]));
    const { boxes } = await label(pipeline, { ...NOTHING, detections: true }, one);
    expect(boxes!.found.length).toBeGreaterThan(3);
    expectFound(boxes!.found, namesOf(bundle), expected, NETWORK_TOLERANCE);
  } finally {
    await pipeline.close();
  }
});
