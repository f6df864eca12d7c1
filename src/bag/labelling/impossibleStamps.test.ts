import path from "node:path";
import { expect, test } from "@jest/globals";
import { FaultLog } from "../../faults/FaultLog.js";
import { cameraInfo, pointCloud2 } from "../../messages/exampleMessages.js";
import { CAMERA_INFO_TYPE, encodeCameraInfo } from "../../messages/cameraInfo.js";
import { decodeHeader } from "../../messages/header.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { encodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { SyncLedger } from "../../sync/SyncLedger.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { BagReader } from "../types.js";
import type { InputSelection } from "./InputSelection.js";
import { inspectBag } from "./inspectBag.js";
import { RecordedEpochs } from "./RecordedEpochs.js";
import { RecordedFrames } from "./RecordedFrames.js";
import { recordedInputs } from "./RecordedInputs.js";
import { TransformFeed } from "./TransformFeed.js";
import { FrameAssembler } from "../../perception/FrameAssembler.js";

const START = 1_763_800_000_000_000_000n;
const CLOUD = "/points";
const INFO = "/front/camera_info";
const SELECTION: InputSelection = {
  clouds: [{ kind: "points", topic: CLOUD }],
  cameras: [
    {
      name: "front",
      imageTopic: "/front/image",
      imageType: "sensor_msgs/msg/Image",
      cameraInfoTopic: INFO,
      rectified: false,
    },
  ],
  tfTopics: ["/tf_static", "/tf"],
  problems: [],
  oddities: [],
};

/** @param nanosec where it is, in bytes */
function impossible(cdr: Uint8Array<ArrayBuffer>, nanosec = 8): Uint8Array<ArrayBuffer> {
  new DataView(cdr.buffer, cdr.byteOffset).setUint32(nanosec, 1_000_000_000, true);
  return cdr;
}

function transform(stamp: bigint, childFrameId: string): Uint8Array<ArrayBuffer> {
  const header = { stamp, frameId: "odom" };
  return encodeTFMessage({
    transforms: [{ header, childFrameId, translation: [1, 0, 0], rotation: [0, 0, 0, 1] }],
  });
}

interface Example {
  /** Clouds with these indices, and transforms, have a whole second of nanoseconds. */
  readonly clouds?: readonly number[];
  readonly transforms?: readonly number[];
  readonly standing?: boolean;
  readonly transformStamp?: bigint;
}

/** Five clouds and transforms, a CameraInfo and a static transform. */
async function withBag<T>(example: Example, use: (reader: BagReader) => Promise<T>): Promise<T> {
  const { clouds = [], transforms = [], standing = false, transformStamp } = example;
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "bag.mcap"));
    const info = encodeCameraInfo({ ...cameraInfo, header: { stamp: START, frameId: "front" } });
    await writer.write(INFO, CAMERA_INFO_TYPE, { logTime: START }, standing ? impossible(info) : info);
    const fixed = transform(START, "front");
    await writer.write(
      "/tf_static",
      TF_MESSAGE_TYPE,
      { logTime: START },
      standing ? impossible(fixed, 12) : fixed,
    );
    for (let i = 0; i < 5; i++) {
      const logTime = START + BigInt(i) * 100_000_000n;
      const cloud = encodePointCloud2({ ...pointCloud2, header: { stamp: logTime, frameId: "lidar" } });
      await writer.write(
        CLOUD,
        POINT_CLOUD2_TYPE,
        { logTime },
        clouds.includes(i) ? impossible(cloud) : cloud,
      );
      const moving = transform(transformStamp ?? logTime, "lidar");
      await writer.write(
        "/tf",
        TF_MESSAGE_TYPE,
        { logTime },
        transforms.includes(i) ? impossible(moving, 12) : moving,
      );
    }
    await writer.close();
    const reader = await openBag(writer.path);
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  });
}

/** Stamps of the scans (milliseconds), whether odom is known at each, and what is said. */
async function read(reader: BagReader, stampedByLog: readonly string[] = []) {
  const faults = new FaultLog();
  const inputs = await recordedInputs(reader, SELECTION, { tolerance: 50_000_000n, faults, stampedByLog });
  const epochs = new RecordedEpochs(inputs.index.clouds, inputs.sync.jumpThreshold);
  const assembler = new FrameAssembler({ rectified: new Set(), fixedFrame: "odom" }, faults);
  const feed = new TransformFeed({
    reader,
    topics: SELECTION.tfTopics,
    ...inputs,
    epochs,
    assembler,
    faults,
  });
  await feed.loadStatic();
  const frames = new RecordedFrames({ reader, ...inputs, epochs });
  const scans: number[] = [];
  for (const rows of frames.join(new SyncLedger())) {
    const frame = await frames.read(rows);
    await feed.upTo(frame.epoch, frame.stamp);
    scans.push(Number(frame.stamp - START) / 1e6);
    // Whoever reads the cloud further on has the same stamp.
    expect(decodeHeader(frame.cloud.cdr).stamp).toBe(frame.stamp);
  }
  await frames.close();
  await feed.close();
  const clocks = inputs.clocks.problems.map(({ message }) => message);
  const said = faults.summary().flatMap(({ messages }) => messages);
  return { scans, clocks, said, transforms: inputs.index.transforms.get("/tf")!.stamps };
}

test("an impossible stamp costs the message, named with the option that uses it", async () => {
  await withBag({ clouds: [1], transforms: [2] }, async (reader) => {
    const { scans, said } = await read(reader);
    expect(scans).toEqual([0, 200, 300, 400]);
    expect(said).toEqual([
      expect.stringMatching(/^\/points at .*nanosec: 1000000000 is not below.*--stamp-by-log \/points$/),
      expect.stringMatching(/^\/tf at .*nanosec: 1000000000 is not below.*--stamp-by-log \/tf$/),
    ]);
    const mended = await read(reader, [CLOUD, "/tf"]);
    expect([mended.scans, mended.said]).toEqual([[0, 100, 200, 300, 400], []]);
    expect(mended.transforms[2]).toBe(START + 200_000_000n);
  });
});

test("where all are impossible the option is named when the bag is looked at, and makes the topic usable", async () => {
  await withBag({ clouds: [0, 1, 2, 3, 4] }, async (reader) => {
    const { clouds, warnings } = await inspectBag(reader);
    expect(clouds).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^\/points .*1000000000.*--stamp-by-log \/points \(and 4 more/),
    ]);
    const mended = await inspectBag(reader, { stampedByLog: [CLOUD] });
    expect(mended.clouds.map(({ topic }) => topic)).toEqual([CLOUD]);
    expect((await read(reader, [CLOUD])).scans).toEqual([0, 100, 200, 300, 400]);
  });
});

test("of CameraInfo and static transforms it is read past, and named once", async () => {
  await withBag({ standing: true }, async (reader) => {
    const { scans, said } = await read(reader);
    expect(scans).toHaveLength(5);
    expect(said).toEqual([
      expect.stringMatching(/^\/front\/camera_info: .*1000000000.* not needed, and the message is used/),
      expect.stringMatching(/^\/tf_static: .*1000000000.* not needed, and the message is used/),
    ]);
    const { cameraInfos, frames, warnings } = await inspectBag(reader);
    expect(cameraInfos.map(({ topic }) => topic)).toEqual([INFO]);
    expect(frames.map(({ frame }) => frame)).toEqual(["front", "lidar"]);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/^\/tf_static: /)]);
  });
});

test("transforms that are all stamped 0 are named with the option that gives them times", async () => {
  await withBag({ transformStamp: 0n }, async (reader) => {
    const { clocks } = await read(reader);
    expect(clocks).toEqual([expect.stringMatching(/^the stamps of \/tf are 0.*--stamp-by-log \/tf takes/)]);
    const mended = await read(reader, ["/tf"]);
    expect(mended.clocks).toEqual([]);
    expect([...mended.transforms]).toEqual([0n, 1n, 2n, 3n, 4n].map((i) => START + i * 100_000_000n));
  });
});
