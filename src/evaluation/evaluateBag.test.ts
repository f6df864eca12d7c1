import path from "node:path";
import { expect, test } from "@jest/globals";
import {
  GROUND_TRUTH_INFO_TOPIC,
  groundTruthInfo,
  withGroundTruth,
} from "../bag/importers/dataset/groundTruth.js";
import { floatCloud } from "../bag/importers/dataset/floatCloud.js";
import { floatBytes } from "../bag/importers/dataset/exampleRecording.js";
import { withFolder } from "../bag/exampleBag.js";
import { openBag } from "../bag/openBag.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import type { RecordedMessage } from "../bag/RecordedMessage.js";
import { evaluateBag } from "./evaluateBag.js";

const STAMP = 1_000_000_000n;

/** Three points with labels road, car, none; the model's ids are road 0, car 1 and unlabeled 255. */
async function writeLabelled(
  file: string,
  truth: readonly number[],
  truthNames?: readonly string[],
): Promise<void> {
  const points = floatCloud(
    { stamp: STAMP, frameId: "lidar" },
    ["x", "y", "z", "label"],
    floatBytes([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 255]),
  );
  const classMap = [
    { classId: 0, className: "road" },
    { classId: 1, className: "car" },
    { classId: 255, className: "unlabeled" },
  ];
  const messages: RecordedMessage[] = [
    {
      topic: OUTPUT_TOPICS.labelInfo,
      type: "vision_msgs/msg/LabelInfo",
      stamp: STAMP,
      message: { header: { stamp: STAMP, frameId: "" }, classMap, threshold: 0 },
    },
    {
      topic: OUTPUT_TOPICS.labelled,
      type: "sensor_msgs/msg/PointCloud2",
      stamp: STAMP,
      message: withGroundTruth(points, Uint8Array.from(truth)),
    },
    ...(truthNames === undefined ? [] : [groundTruthInfo(STAMP, truthNames)]),
  ];
  const writer = await McapBagWriter.create(file);
  for (const message of messages) await writer.record(message);
  await writer.close();
}

async function scores(truth: readonly number[], truthNames?: readonly string[]): Promise<number[]> {
  return withFolder(async (folder) => {
    const file = path.join(folder, "labelled.mcap");
    await writeLabelled(file, truth, truthNames);
    const reader = await openBag(file);
    try {
      const confusion = await evaluateBag(reader);
      expect(confusion.total().classNames).toEqual(["road", "car"]);
      return [...confusion.total().toCounts()];
    } finally {
      await reader.close();
    }
  });
}

test("ids of the ground truth are those of the labels where the bag does not name them", async () => {
  expect(await scores([0, 0, 1])).toEqual([1, 1, 0, 0, 0, 1]);
});

test("an imported ground truth is compared by the names of its classes", async () => {
  // 0 is ignored, car is 1, road is 2.
  expect(await scores([2, 1, 0], ["unlabeled", "car", "road"])).toEqual([1, 0, 0, 0, 1, 0]);
});

test("a ground truth with other classes than the labels is refused", async () => {
  await expect(scores([2, 1, 0], ["ignore", "car", "manmade"])).rejects.toMatchObject({
    code: "data-set-unreadable",
    message: expect.stringMatching(/classes that its labels do not have: manmade; labels have road, car$/),
  });
  expect(GROUND_TRUTH_INFO_TOPIC).toBe("/ground_truth/label_info");
});
