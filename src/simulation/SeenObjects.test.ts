import { expect, test } from "@jest/globals";
import { movedBox, pointsWithin } from "../geometry/OrientedBox.js";
import { boxesOf } from "../messages/boxDetections.js";
import type { Detection3DArray } from "../messages/types.js";
import { SEMANTIC_KITTI_CLASSES } from "./classes.js";
import { columnsOf, ExampleDrive } from "./exampleDrive.js";
import type { SimulateDriveOptions } from "./SimulateDriveOptions.js";

const DRIVE: SimulateDriveOptions = {
  seed: 11,
  scanCount: 2,
  columns: 256,
  lidar: "vlp-16",
  cameras: [],
  idealLidar: true,
  boxes: true,
};
/** Vehicles and people. */
const OBJECT_CLASSES = new Set([1, 2, 3, 4, 5, 6, 7, 8]);

function boxMessages({ messages }: ExampleDrive): Detection3DArray[] {
  return messages.flatMap((sent) =>
    sent.type === "vision_msgs/msg/Detection3DArray" && sent.topic === "/ground_truth/boxes"
      ? [sent.message]
      : [],
  );
}

/** How many points are on vehicles and people, and how many of those lie in no box of their class grown by `margin` metres. */
function outside(drive: ExampleDrive, margin: number): { points: number; outside: number } {
  const messages = boxMessages(drive);
  let [points, left] = [0, 0];
  drive.scans.forEach((scan, index) => {
    const { xyz, groundTruth } = columnsOf(scan);
    const without = new Set<number>();
    groundTruth.forEach((id, point) => {
      if (OBJECT_CLASSES.has(id)) without.add(point);
    });
    points += without.size;
    for (const { box, className } of boxesOf(messages[index]!)) {
      const [length, width, height] = box.size;
      const grown = { ...box, size: [length + 2 * margin, width + 2 * margin, height + 2 * margin] as const };
      const within: number[] = [];
      // Otherwise the sensor saw something else than what the box is of.
      expect(pointsWithin(grown, xyz, (point) => within.push(point))).toBeGreaterThan(0);
      for (const point of within) {
        if (SEMANTIC_KITTI_CLASSES[groundTruth[point]!]!.name === className) without.delete(point);
      }
    }
    left += without.size;
  });
  return { points, outside: left };
}

/** Boxes stand upright in the sensor's frame, and the sensor leans with the vehicle on the ground. */
const LEAN = 0.1;

test("every point on a vehicle or person of a frozen scan is in a box of its class, and every box has points", async () => {
  const { points, outside: left } = outside(await ExampleDrive.record({ ...DRIVE, frozenScans: true }), LEAN);
  expect(points).toBeGreaterThan(100);
  expect(left).toBe(0);
});

test("in a rolling scan each box is where its points are: but for what is seen over much of a turn", async () => {
  const { points, outside: left } = outside(await ExampleDrive.record(DRIVE), LEAN + 0.05);
  expect(left / points).toBeLessThan(0.02);
});

test("come before the cloud, with its stamp and frame, and change nothing else", async () => {
  const drive = await ExampleDrive.record(DRIVE);
  const topics = drive.messages.map(({ topic }) => topic);
  const first = topics.indexOf("/ground_truth/boxes");
  expect(topics[first + 1]).toBe("/lidar/points");
  expect(boxMessages(drive).map(({ header }) => header)).toEqual(drive.scans.map(({ header }) => header));
  const without = await ExampleDrive.record({ ...DRIVE, boxes: false });
  expect(without.scans.map(({ data }) => data)).toEqual(drive.scans.map(({ data }) => data));
  expect(boxMessages(without)).toEqual([]);
});

test("are one for each object, of a likely size, under the same id in each scan", async () => {
  const [one, other] = boxMessages(await ExampleDrive.record({ ...DRIVE, frozenScans: true }));
  const byId = new Map(one!.detections.map((detection) => [detection.id, detection]));
  expect(byId.size).toBe(one!.detections.length);
  for (const { box, className } of boxesOf(one!)) {
    const [length, width, height] = box.size;
    if (className !== "car") continue;
    expect(length).toBeGreaterThan(3.4);
    expect(length).toBeLessThan(5.1);
    expect(width).toBeGreaterThan(1.6);
    expect(width).toBeLessThan(2.4);
    expect(height).toBeGreaterThan(1.3);
    expect(height).toBeLessThan(1.9);
  }
  const again = other!.detections.filter(({ id }) => byId.has(id));
  expect(again.length).toBeGreaterThan(5);
  for (const { id, results, size } of again) {
    expect(results[0]!.classId).toBe(byId.get(id)!.results[0]!.classId);
    expect(size).toEqual(byId.get(id)!.size);
  }
});

test("a box is moved as its centre and its heading are", () => {
  // A quarter turn to the left, then 10 m ahead and 2 m up.
  const m = Float64Array.of(0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 10, 0, 2, 1);
  const { center, size, yaw } = movedBox({ center: [1, 2, 3], size: [4, 2, 1], yaw: 0.25 }, m);
  expect(center).toEqual([8, 1, 5]);
  expect(size).toEqual([4, 2, 1]);
  expect(yaw).toBeCloseTo(Math.PI / 2 + 0.25, 12);
});
