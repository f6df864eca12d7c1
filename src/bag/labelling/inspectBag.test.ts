import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { exampleOf } from "../../messages/exampleMessages.js";
import { MESSAGE_TYPES } from "../../messages/messageTypes.js";
import type { CameraInfo, PointCloud2 } from "../../messages/types.js";
import { mcapBytes, withFolder } from "../exampleBag.js";
import { openBag } from "../openBag.js";
import { encodeRecorded, type RecordedMessage } from "../RecordedMessage.js";
import type { BagSummary } from "./BagSummary.js";
import { chooseInputs } from "./chooseInputs.js";
import { cloud, compressed, image, info, inspect, RIG, transform } from "./exampleRig.js";
import { inspectBag } from "./inspectBag.js";

const BROKEN = Uint8Array.of(0, 1, 0, 0, 1);

/** The rig, after messages of which only the bytes matter. */
async function inspectAfter(
  raw: readonly (readonly [topic: string, type: string, data: Uint8Array])[],
  messages: readonly RecordedMessage[] = RIG,
  messageEncoding?: string,
): Promise<BagSummary> {
  const recorded = messages.map((message) => [message.topic, message.type, encodeRecorded(message)] as const);
  const all = [...raw, ...recorded].map(([topic, type, data], index) => {
    const logTime = BigInt(index + 1);
    return { topic, type, data, logTime, publishTime: logTime };
  });
  return withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeFile(file, await mcapBytes(all, {}, messageEncoding));
    const reader = await openBag(file);
    const summary = await inspectBag(reader);
    await reader.close();
    return { ...summary, path: "BAG" };
  });
}

test("a topic is used when any of its messages can be decoded, not only one of the first few", async () => {
  const bad = Array.from({ length: 40 }, () => ["/points", "sensor_msgs/msg/PointCloud2", BROKEN] as const);
  const summary = await inspectAfter(bad);
  expect(chooseInputs(summary).clouds).toEqual([{ kind: "points", topic: "/points" }]);
  expect(summary.warnings.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^\/points at log time 1 ns: .* \(and 39 more messages of the topic like it\)$/),
  ]);
});

test("a first cloud without fields, or without points, does not speak for the topic", async () => {
  const { message } = cloud("/points") as { message: PointCloud2 };
  const without: PointCloud2 = { ...message, fields: [], width: 0, rowStep: 0, data: new Uint8Array(0) };
  const first = { ...cloud("/points"), message: without } as RecordedMessage;
  const summary = await inspect([first, ...RIG]);
  expect(summary.clouds[0]).toMatchObject({ pointCount: 6, fields: ["z", "x", "y", "ring"] });
  expect(chooseInputs(summary).clouds[0].topic).toBe("/points");
  await expect(inspect([first]).then((alone) => chooseInputs(alone))).rejects.toMatchObject({
    code: "invalid-configuration",
    message:
      "BAG has no topic of type PointCloud2 with fields x, y and z; the clouds on /points have no fields at all",
  });
});

test("where no cloud can be decoded, the choice says why", async () => {
  const summary = await inspectAfter(
    [
      ["/lidar", "sensor_msgs/msg/PointCloud2", BROKEN],
      ["/lidar", "sensor_msgs/msg/PointCloud2", BROKEN],
    ],
    [],
  );
  expect(() => chooseInputs(summary)).toThrow(
    /^BAG has no topic of type PointCloud2 .*; none of the 2 messages \(sensor_msgs\/msg\/PointCloud2\) on \/lidar can be decoded, the first because: \/lidar at log time 1 ns: /,
  );
  expect(() => chooseInputs(summary, { cloudTopics: ["/lidar"] })).toThrow("none of the 2 messages");
});

test("sensors in other types and encodings are named, with what makes them readable", async () => {
  const summary = await inspectAfter(
    [
      ["/livox/lidar", "livox_ros_driver2/msg/CustomMsg", BROKEN],
      ["/lidar/points/draco", "point_cloud_interfaces/msg/CompressedPointCloud2", BROKEN],
      ["/imu", "sensor_msgs/msg/Imu", BROKEN],
    ],
    [],
  );
  expect(() => chooseInputs(summary)).toThrow(
    /\/lidar\/points\/draco carries .*point_cloud_transport republish.*in_transport:=draco.*\/livox\/lidar carries livox_ros_driver2\/msg\/CustomMsg .*xfer_format/,
  );
  expect(() => chooseInputs(summary)).not.toThrow(/imu/);
  expect(() => chooseInputs(summary, { cloudTopics: ["/livox/lidar"] })).toThrow("xfer_format");
  // Beside a cloud, only images are missed.
  const beside = await inspectAfter([
    ["/livox/lidar", "livox_ros_driver2/msg/CustomMsg", BROKEN],
    ["/front/image_raw/ffmpeg", "ffmpeg_image_transport_msgs/msg/FFMPEGPacket", BROKEN],
    ["/rear/video", "foxglove_msgs/msg/CompressedVideo", BROKEN],
    ["/left/image", "sensor_msgs/msg/Image", BROKEN],
  ]);
  expect(chooseInputs(beside).problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^none of the 1 messages \(sensor_msgs\/msg\/Image\) on \/left\/image can be decoded/,
    ),
    expect.stringMatching(/^\/rear\/video carries foxglove_msgs\/msg\/CompressedVideo .*republish/),
  ]);
  expect(() => chooseInputs(beside, { imageTopics: ["/rear/video"] })).toThrow("republish");
});

test("a camera whose every image would be lost is not taken: pictures are decoded", async () => {
  const broken = compressed("/rear/image/compressed", "front");
  const jpeg = { ...broken, message: { ...broken.message, data: Uint8Array.of(0xff, 0xd8, 0xff, 0, 1) } };
  const video = compressed("/left/image/compressed", "front", "h264");
  const h264 = { ...video, message: { ...video.message, data: Uint8Array.of(0, 0, 0, 1, 0x67, 0x42) } };
  const summary = await inspect([
    ...RIG,
    jpeg as RecordedMessage,
    info("/rear/camera_info"),
    h264 as RecordedMessage,
    info("/left/camera_info"),
    compressed("/right/image/compressed", "front"),
    info("/right/camera_info", { width: 30, height: 20 }),
    image("/top/image_raw", "front"),
    info("/top/camera_info", { distortionModel: "no_such_lens", d: [0.1, 0.2] }),
  ]);
  const { cameras, problems } = chooseInputs(summary);
  expect(cameras.map(({ name }) => name)).toEqual(["front"]);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^\/left\/image\/compressed at log time 5 ns: .*h264 video.*republish/),
    expect.stringMatching(/^\/rear\/image\/compressed at log time 5 ns: .*cannot be decoded/),
    expect.stringMatching(
      /^\/right\/image\/compressed cannot be used with \/right\/camera_info: .*30x20.*3x2/,
    ),
    expect.stringMatching(/^\/top\/image_raw cannot be used with \/top\/camera_info: .*no_such_lens/),
  ]);
  // One damaged picture at the start is only that.
  const later = await inspect([...RIG, jpeg as RecordedMessage, broken, info("/rear/camera_info")]);
  expect(chooseInputs(later).cameras.map(({ name }) => name)).toEqual(["front", "rear"]);
});

test("a CameraInfo that is filled in later counts", async () => {
  const zeros: Partial<CameraInfo> = { k: Array<number>(9).fill(0), p: Array<number>(12).fill(0), d: [] };
  const summary = await inspect([
    cloud("/points", "front"),
    image("/front/image_raw", "front"),
    info("/front/camera_info", zeros),
    info("/front/camera_info"),
  ]);
  expect(chooseInputs(summary).cameras).toHaveLength(1);
  const never = await inspect([
    cloud("/points", "front"),
    image("/front/image_raw", "front"),
    info("/front/camera_info", zeros),
  ]);
  expect(chooseInputs(never)).toMatchObject({ cameras: [], problems: [{ code: "camera-info-missing" }] });
});

test("messages in another encoding are named with it", async () => {
  const json = RIG.map(({ topic, type }) => [topic, type, BROKEN] as const);
  const summary = await inspectAfter(json, [], "json");
  expect(() => chooseInputs(summary)).toThrow(
    /; \/points carries sensor_msgs\/msg\/PointCloud2 encoded as json: .*where sensor_msgs\/msg\/PointCloud2 encoded as cdr/,
  );
});

test.each(["sensor_msgs/PointCloud2", "sensor_msgs::msg::dds_::PointCloud2_"])(
  "%s is PointCloud2 where the messages are ROS 2's",
  async (type) => {
    const [points, ...others] = RIG;
    const summary = await inspectAfter([["/points", type, encodeRecorded(points!)]], others);
    expect(chooseInputs(summary)).toMatchObject({
      clouds: [{ kind: "points", topic: "/points" }],
      cameras: [{ name: "front" }],
    });
  },
);

test("a topic of two types is read in each", async () => {
  const encoded = MESSAGE_TYPES["std_msgs/msg/Header"].encode(exampleOf("std_msgs/msg/Header"));
  const summary = await inspectAfter([["/points", "std_msgs/msg/Header", encoded]]);
  expect(chooseInputs(summary).clouds[0].topic).toBe("/points");
  expect(summary.warnings).toEqual([]);
});

const FRAME = { stamp: 5n, frameId: "front" };

test.each(["/airsim/front/Scene/camera_info", "/airsim/front/Scene_info", "/airsim/front/Scene_camera_info"])(
  "the CameraInfo %s belongs to /airsim/front/Scene by its name, frame and size",
  async (topic) => {
    const summary = await inspect([
      cloud("/points"),
      image("/airsim/front/Scene", "front"),
      info(topic, { header: FRAME }),
      info("/other/calibration", { header: FRAME }),
      transform("lidar", "front"),
    ]);
    expect(chooseInputs(summary).cameras).toMatchObject([{ cameraInfoTopic: topic }]);
  },
);

test("a CameraInfo elsewhere is used when it is the only one for frame and size or says the same as the others, else the option is named", async () => {
  const messages = [
    cloud("/points"),
    image("/front/image_raw", "front"),
    info("/calibration/a", { header: FRAME }),
    info("/calibration/b", { header: { stamp: 5n, frameId: "rear" } }),
    info("/calibration/c", { header: FRAME, width: 30 }),
    transform("lidar", "front"),
  ];
  expect(chooseInputs(await inspect(messages)).cameras).toMatchObject([
    { cameraInfoTopic: "/calibration/a" },
  ]);
  const same = info("/calibration/Same", { header: { ...FRAME, stamp: 9n } });
  expect(chooseInputs(await inspect([...messages, same])).cameras).toMatchObject([
    { cameraInfoTopic: "/calibration/Same" },
  ]);
  const k = [4, 0, 1.5, 0, 4, 1, 0, 0, 1];
  const two = await inspect([...messages, info("/calibration/d", { header: FRAME, k })]);
  const { cameras, problems } = chooseInputs(two);
  expect(cameras).toEqual([]);
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    [
      "camera-info-missing",
      expect.stringMatching(
        /several are for its frame 'front' and size; .* \/calibration\/a, \/calibration\/d \(`--camera-info \/front\/image_raw=TOPIC`/,
      ),
    ],
  ]);
  const choice = { cameraInfoTopics: { "/front/image_raw": "/calibration/d" } };
  expect(chooseInputs(two, choice).cameras).toMatchObject([{ cameraInfoTopic: "/calibration/d" }]);
});

test("options about topics that are not there are refused", async () => {
  const summary = await inspect(RIG);
  expect(() => chooseInputs(summary, { rawTopics: ["/frnt/image_raw"] })).toThrow(
    "BAG has no image topic /frnt/image_raw; its image topics are: /front/image_raw",
  );
  expect(() => chooseInputs(summary, { cameraInfoTopics: { "/front/image_raw": "/none" } })).toThrow(
    "BAG has no CameraInfo /none for /front/image_raw; its CameraInfo topics are: /front/camera_info",
  );
  const both = ["/front/image_raw"];
  expect(() => chooseInputs(summary, { rectifiedTopics: both, rawTopics: both })).toThrow(
    "rectified and raw",
  );
});
