import path from "node:path";
import { expect, test } from "@jest/globals";
import { FaultLog } from "../../faults/FaultLog.js";
import { PointFieldType, type PointCloud2 } from "../../messages/types.js";
import { exampleManifest } from "../../model/exampleManifest.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { RecordedMessage } from "../RecordedMessage.js";
import { chooseInputs } from "./chooseInputs.js";
import type { InputOverrides } from "./InputSelection.js";
import { inspectBag } from "./inspectBag.js";
import { ofSelectedTypes } from "./ofSelectedTypes.js";
import { recordedInputs } from "./RecordedInputs.js";
import { senseOfScans } from "./senseOfScans.js";

const SECOND = 1_000_000_000n;
/** A place in UTM coordinates, metres. */
const MAP: readonly [number, number, number] = [665_431.25, 4_539_880.5, 100.75];

/** 400 points around the sensor, shifted, with an intensity each. */
function scan(
  stamp: bigint,
  intensity: (point: number) => number,
  [x, y, z]: readonly [number, number, number] = [0, 0, 0],
): RecordedMessage {
  const values = Float64Array.from({ length: 1600 }, (_, at) => {
    const point = at >> 2;
    return [
      x + 20 * Math.sin(point) + 0.1 * point,
      y + 20 * Math.cos(point),
      z + (point % 7) / 10,
      intensity(point),
    ][at % 4]!;
  });
  const message: PointCloud2 = {
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: 400,
    fields: ["x", "y", "z", "intensity"].map((name, i) => ({
      name,
      offset: 8 * i,
      datatype: PointFieldType.FLOAT64,
      count: 1,
    })),
    isBigEndian: false,
    pointStep: 32,
    rowStep: 12_800,
    data: new Uint8Array(values.buffer),
    isDense: true,
  };
  return { topic: "/points", type: "sensor_msgs/msg/PointCloud2", stamp, message };
}

function place(child: string, translation: readonly [number, number, number]): RecordedMessage {
  const header = { stamp: SECOND, frameId: "base_link" };
  const transforms = [{ header, childFrameId: child, translation, rotation: [0, 0, 0, 1] as const }];
  return { topic: "/tf_static", type: "tf2_msgs/msg/TFMessage", stamp: SECOND, message: { transforms } };
}

async function sense(
  messages: readonly RecordedMessage[],
  overrides: InputOverrides = {},
): Promise<readonly string[]> {
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "drive.mcap"));
    for (const message of messages) await writer.record(message);
    await writer.close();
    const reader = await openBag(writer.path);
    try {
      const selection = chooseInputs(await inspectBag(reader), overrides);
      const selected = ofSelectedTypes(reader, selection);
      const options = { tolerance: SECOND / 20n, faults: new FaultLog() };
      const inputs = await recordedInputs(selected, selection, options);
      const manifest = exampleManifest();
      return (await senseOfScans(selected, inputs, manifest)).map(({ message }) => message);
    } finally {
      await reader.close();
    }
  });
}

const scans = (...more: readonly [(point: number) => number, (readonly [number, number, number])?]) =>
  [1n, 2n, 3n].map((i) => scan(SECOND + (i * SECOND) / 10n, ...more));
const SOUND = (point: number): number => (point % 50) / 50;

test("nothing is said of sound scans", async () => {
  expect(await sense(scans(SOUND))).toEqual([]);
});

test("coordinates of a map are named once, and not when they are moved to a frame on the vehicle", async () => {
  expect(await sense(scans(SOUND, MAP))).toEqual([
    expect.stringMatching(/^\/points: none of 400 points in lidar are within the range .* map \(UTM\)/),
  ]);
  const away = MAP.map((value) => -value) as [number, number, number];
  const moved = [place("lidar", away), ...scans(SOUND, MAP)];
  expect(await sense(moved, { targetFrame: "base_link" })).toEqual([]);
});

test("points that are far away where they are merged are named with that frame", async () => {
  expect(await sense([place("lidar", MAP), ...scans(SOUND)], { targetFrame: "base_link" })).toEqual([
    expect.stringMatching(/^\/points: none of 400 points in base_link are within the range/),
  ]);
});

test("what is said of intensities is said once", async () => {
  expect(await sense(scans((point) => 15 * point))).toEqual([
    expect.stringMatching(/^\/points: 9\d % of the values of intensity are above 255, /),
  ]);
  expect(await sense(scans(() => 0))).toEqual([
    expect.stringMatching(/^\/points: all values of intensity are read as the same, /),
  ]);
});
