import { afterEach, expect, test } from "@jest/globals";
import { BOXES_MODEL, boxesCloud, expectedBoxes } from "../../../test/support/boxesModel.mjs";
import { boxesOf, type BoxDetection } from "../../messages/boxDetections.js";
import { decodeDetection3DArray } from "../../messages/detection3DArray.js";
import { decodeMarkerArray } from "../../messages/markerArray.js";
import { endMemoryNode, makeNode, text, until } from "./memoryNode.js";

const SECOND = 1_000_000_000n;
const START = 1_800_000_000n * SECOND;
const DETECTIONS = "/ditr_perception/detections";
const MARKERS = "/ditr_perception/detection_markers";

afterEach(endMemoryNode);

test("boxes are published to who listens, above a threshold that can be changed", async () => {
  const { ros, node, robot, store } = makeNode({ model: text(BOXES_MODEL), mode: text("image-free") });
  await node.start();
  let stamp = START;
  const label = async (): Promise<void> => {
    const before = robot.labelled.length;
    ros.deliver("/points", boxesCloud((stamp += SECOND)));
    await until(() => robot.labelled.length > before, "a labelled cloud");
  };
  const published = (topic: string): readonly Uint8Array[] => ros.published.get(topic)!.messages;
  await label();
  expect([published(DETECTIONS).length, published(MARKERS).length]).toEqual([0, 0]);
  expect(robot.statuses.at(-1)!.detectionMs).toBeLessThan(1);

  const end = ros.listen(DETECTIONS);
  await label();
  expect([published(DETECTIONS).length, published(MARKERS).length]).toEqual([1, 0]);
  expect(robot.statuses.at(-1)!.detectionMs).toBeGreaterThan(0);
  const message = decodeDetection3DArray(published(DETECTIONS)[0]!);
  expect(message.header).toEqual({ stamp, frameId: "lidar" });
  const newest = (): BoxDetection[] => boxesOf(decodeDetection3DArray(published(DETECTIONS).at(-1)!));
  const own = newest().map(({ score }) => score);
  const expected = [...(expectedBoxes()["found_scores"]!.data as Float32Array)];
  expect(own).toHaveLength(expected.length);
  own.forEach((score, index) => {
    expect(score).toBeCloseTo(expected[index]!, 2);
  });

  const threshold = own[3]! - 1e-6;
  expect(store.set([{ name: "box_score_threshold", value: { type: "double", value: threshold } }])).toEqual([
    { successful: true, reason: "" },
  ]);
  await label();
  expect(newest().map(({ score }) => score)).toEqual(own.slice(0, 4));

  end();
  ros.listen(MARKERS);
  await label();
  expect([published(DETECTIONS).length, published(MARKERS).length]).toEqual([2, 1]);
  // What clears the scan before, the edges, and a text for each box.
  expect(decodeMarkerArray(published(MARKERS)[0]!).markers).toHaveLength(6);
  expect(ros.callbackErrors).toBe(0);
});

test("a model without boxes publishes no topics of boxes", async () => {
  const { ros, node } = makeNode();
  await node.start();
  expect([ros.published.has(DETECTIONS), ros.published.has(MARKERS)]).toEqual([false, false]);
});
