import path from "node:path";
import { expect, test } from "@jest/globals";
import { exampleOf } from "../../messages/exampleMessages.js";
import type { Image, PointCloud2 } from "../../messages/types.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { RecordedMessage } from "../RecordedMessage.js";
import type { BagSummary } from "./BagSummary.js";
import { chooseInputs } from "./chooseInputs.js";
import { chooseTransforms } from "./chooseTransforms.js";
import * as rig from "./exampleRig.js";
import { unconnected } from "./frameTree.js";
import { inspectBag } from "./inspectBag.js";

const SECOND = 1_000_000_000n;

async function inspect(messages: readonly RecordedMessage[]): Promise<BagSummary> {
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "drive.mcap"));
    for (const message of messages) await writer.record(message);
    await writer.close();
    const reader = await openBag(writer.path);
    const summary = await inspectBag(reader);
    await reader.close();
    return { ...summary, path: "BAG" };
  });
}

function transform(topic: string, parent: string, child: string, stamp = SECOND): RecordedMessage {
  const pose = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] } as const;
  const transforms = [{ header: { stamp, frameId: parent }, childFrameId: child, ...pose }];
  return { topic, type: "tf2_msgs/msg/TFMessage", stamp, message: { transforms } };
}

function sensors(namespace: string): RecordedMessage[] {
  const header = (frameId: string) => ({ stamp: SECOND, frameId });
  const cloud = exampleOf("sensor_msgs/msg/PointCloud2") as PointCloud2;
  const image = exampleOf("sensor_msgs/msg/Image") as Image;
  const info = exampleOf("sensor_msgs/msg/CameraInfo");
  return [
    {
      topic: `${namespace}/points`,
      type: "sensor_msgs/msg/PointCloud2",
      stamp: SECOND,
      message: { ...cloud, header: header("lidar") },
    },
    {
      topic: `${namespace}/front/image_raw`,
      type: "sensor_msgs/msg/Image",
      stamp: SECOND,
      message: { ...image, header: header("/camera") },
    },
    {
      topic: `${namespace}/front/camera_info`,
      type: "sensor_msgs/msg/CameraInfo",
      stamp: SECOND,
      message: info,
    },
  ] as RecordedMessage[];
}

const cloudOf = (namespace: string) => ({ topic: `${namespace}/points`, frameId: "lidar" });
const isConnected = ({ frames }: ReturnType<typeof chooseTransforms>) =>
  unconnected(frames, cloudOf(""), { topic: "/image", frameId: "camera" }) === undefined;

test("of a static frame that is published twice the last parent holds, and it is named", async () => {
  const good = transform("/tf_static", "base_link", "camera", 2n * SECOND);
  const lost = transform("/tf_static", "oak", "camera", 3n * SECOND);
  const rig = [...sensors(""), transform("/tf_static", "base_link", "lidar")];
  const last = async (first: RecordedMessage, second: RecordedMessage) =>
    chooseTransforms(
      await inspect([...rig, { ...first, stamp: 2n * SECOND }, { ...second, stamp: 3n * SECOND }]),
      cloudOf(""),
    );
  const ends = await last(lost, good);
  expect(isConnected(ends)).toBe(true);
  expect(ends.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^the frame 'camera' has several places: in 'oak' on \/tf_static and in 'base_link' on \/tf_static; the last holds: 'base_link'/,
    ),
  ]);
  expect(isConnected(await last(good, lost))).toBe(false);
});

test("a static frame that is published again with another place in its parent is named once, and not for rounding", async () => {
  const camera = (x: number, topic = "/tf_static"): RecordedMessage => {
    const transforms = [
      {
        header: { stamp: SECOND, frameId: "base_link" },
        childFrameId: "camera",
        translation: [x, 0, 0] as const,
        rotation: [0, 0, 0, 1] as const,
      },
    ];
    return { topic, type: "tf2_msgs/msg/TFMessage", stamp: SECOND, message: { transforms } };
  };
  const named = async (...cameras: RecordedMessage[]) =>
    chooseTransforms(
      await inspect([...sensors(""), transform("/tf_static", "base_link", "lidar"), ...cameras]),
      cloudOf(""),
    ).problems.map(({ message }) => message);
  expect(await named(camera(0.3), camera(0.3000001), camera(0.3))).toEqual([]);
  const sentence =
    "the static frame 'camera' has several places in 'base_link' on /tf_static, 0.2 m and 0 degrees apart; the last holds. " +
    "Leave one publisher of it, or choose topics with --tf";
  expect(await named(camera(0.3), camera(0.5), camera(0.3), camera(0.5))).toEqual([sentence]);
  expect(await named(camera(0.3), camera(0.5, "/static/tf_static"))).toEqual([
    expect.stringMatching(/^the transforms of \/static\/tf_static are not of the namespace/),
  ]);
});

test("what moves replaces what is static", async () => {
  const summary = await inspect([
    ...sensors(""),
    transform("/tf_static", "base_link", "lidar"),
    transform("/tf", "base_link", "camera"),
    transform("/tf_static", "oak", "camera", 2n * SECOND),
  ]);
  const choice = chooseTransforms(summary, cloudOf(""));
  expect(isConnected(choice)).toBe(true);
  expect(choice.problems[0]!.message).toMatch(/what moves holds, not what is static: 'base_link'/);
});

test("a frame that appears late is looked for in the whole bag", async () => {
  const late = transform("/tf", "base_link", "camera", 60n * SECOND);
  const rig = [
    ...sensors(""),
    transform("/tf_static", "base_link", "lidar"),
    transform("/tf", "odom", "base_link"),
  ];
  const choice = chooseTransforms(await inspect([...rig, late]), cloudOf(""));
  expect(isConnected(choice)).toBe(true);
  expect(choice.frames.find(({ frame }) => frame === "camera")!.since).toBe(59n * SECOND);
  expect(choice.frames.find(({ frame }) => frame === "base_link")!.since).toBeUndefined();
  expect(isConnected(chooseTransforms(await inspect(rig), cloudOf("")))).toBe(false);
});

test("a camera that is connected late is shown with the time, wherever on the way the late frame is", async () => {
  const late = 60n * SECOND;
  const recording = [
    rig.cloud("/points"),
    rig.image("/front/image_raw", "camera"),
    rig.info("/front/camera_info"),
    transform("/tf_static", "base_link", "lidar"),
    transform("/tf_static", "head", "camera"),
    transform("/tf", "oak", "neck"),
    transform("/tf", "neck", "head"),
  ].map((message) => ({ ...message, stamp: SECOND }));
  const since = async (...messages: RecordedMessage[]) =>
    chooseInputs(await inspect([...recording, ...messages])).cameras.map(({ placedSince }) => placedSince);
  expect(await since(transform("/tf", "base_link", "neck", late))).toEqual([59n * SECOND]);
  expect(await since(transform("/tf", "base_link", "oak", late))).toEqual([59n * SECOND]);
  const early = transform("/tf", "base_link", "oak");
  expect(await since(early, transform("/tf", "odom", "base_link", late))).toEqual([undefined]);
});

const rigOf = (namespace: string): RecordedMessage[] => [
  transform(`${namespace}/tf_static`, "base_link", "lidar"),
  transform(`${namespace}/tf_static`, "base_link", "camera"),
  transform(`${namespace}/tf`, "odom", "base_link"),
];

test("robots under namespaces do not mix; the option takes others", async () => {
  const summary = await inspect([...sensors("/robot2"), ...rigOf("/robot1"), ...rigOf("/robot2")]);
  const own = chooseTransforms(summary, cloudOf("/robot2"));
  expect(own.tfTopics).toEqual(["/robot2/tf_static", "/robot2/tf"]);
  expect(own.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^the transforms of \/robot1\/tf_static, \/robot1\/tf are not of the namespace of \/robot2\/points/,
    ),
  ]);
  const other = chooseTransforms(summary, cloudOf("/robot2"), ["/robot1/tf_static"]);
  expect([other.tfTopics, other.problems]).toEqual([["/robot1/tf_static"], []]);
  expect(() => chooseTransforms(summary, cloudOf(""), ["/tf"])).toThrow(
    "BAG has no transforms on /tf; they are on: /robot1/tf_static, /robot2/tf_static, /robot1/tf, /robot2/tf",
  );
  // A cloud outside of both namespaces.
  expect(chooseTransforms(summary, cloudOf("")).tfTopics).toEqual(["/robot1/tf_static", "/robot1/tf"]);
});

test("namespaces above are taken where the own one lacks a kind or connects less", async () => {
  const [lidar, camera, base] = rigOf("") as [RecordedMessage, RecordedMessage, RecordedMessage];
  const own = transform("/robot1/tf", "odom", "base_link");
  const staticAbove = await inspect([...sensors("/robot1"), lidar, camera, base, own]);
  expect(chooseTransforms(staticAbove, cloudOf("/robot1")).tfTopics).toEqual(["/tf_static", "/robot1/tf"]);
  const partial = await inspect([
    ...sensors("/robot1"),
    transform("/robot1/tf_static", "base_link", "lidar"),
    own,
    camera,
    base,
  ]);
  const choice = chooseTransforms(partial, cloudOf("/robot1"));
  expect(choice.tfTopics).toHaveLength(4);
  expect(isConnected(choice)).toBe(true);
});

test("of two robots whose frames have the same names, the images of the cloud's robot alone are used", async () => {
  const robots = ["/robot1", "/robot2"].flatMap((robot) => [
    rig.transform("base_link", "lidar", `${robot}/tf_static`),
    rig.transform("base_link", "camera", `${robot}/tf_static`),
    rig.cloud(`${robot}/points`),
    rig.image(`${robot}/front/image_raw`, "camera"),
    rig.info(`${robot}/front/camera_info`),
  ]);
  const summary = await inspect(robots);
  const options = { cloudTopics: ["/robot2/points"] };
  const { cameras, problems } = chooseInputs(summary, options);
  expect(cameras.map(({ imageTopic }) => imageTopic)).toEqual(["/robot2/front/image_raw"]);
  expect(problems.map(({ message }) => message).join("\n")).toMatch(
    /\/robot1\/front\/image_raw is not used: it is in \/robot1, .*`--camera \/robot1\/front\/image_raw`/,
  );
  const named = chooseInputs(summary, { ...options, imageTopics: ["/robot1/front/image_raw"] });
  expect(named.cameras.map(({ imageTopic }) => imageTopic)).toEqual(["/robot1/front/image_raw"]);
});

test("transforms of a further namespace are taken where they connect more and place no frame a second time", async () => {
  const split = [
    ...sensors(""),
    transform("/tf", "odom", "base_link"),
    transform("/robot/tf_static", "base_link", "lidar"),
    transform("/robot/tf_static", "base_link", "camera"),
  ];
  const choice = chooseTransforms(await inspect(split), cloudOf(""));
  expect([choice.tfTopics, choice.problems]).toEqual([["/robot/tf_static", "/tf"], []]);
  expect(isConnected(choice)).toBe(true);
  const twice = await inspect([...split, transform("/tf", "map", "lidar")]);
  const apart = chooseTransforms(twice, cloudOf(""));
  expect(apart.tfTopics).toEqual(["/tf"]);
  expect(apart.problems[0]!.message).toMatch(
    /^the transforms of \/robot\/tf_static are not of the namespace of \/points and are not mixed with those of \/tf: --tf/,
  );
});

test("another robot's transforms are not used though there are no others, and another namespace's are named", async () => {
  const other = await inspect([...sensors("/robot1"), ...rigOf("/robot2")]);
  const choice = chooseTransforms(other, cloudOf("/robot1"));
  expect([choice.tfTopics, choice.frames]).toEqual([[], []]);
  expect(choice.problems.map(({ message }) => message)).toEqual([
    "the transforms of /robot2/tf_static, /robot2/tf are not of the namespace of /robot1/points and are not used, since " +
      "they are another robot's: --tf /robot2/tf_static /robot2/tf takes them all the same",
  ]);
  const camera = await inspect([
    rig.cloud("/robot1/points"),
    rig.image("/robot1/front/image_raw", "camera"),
    rig.info("/robot1/front/camera_info"),
    ...rigOf("/robot2"),
  ]);
  expect(chooseInputs(camera).cameras).toEqual([]);
  expect(chooseInputs(camera, { tfTopics: ["/robot2/tf_static"] }).cameras).toHaveLength(1);
  const pair = await inspect([...sensors("/alice"), ...sensors("/bob"), ...rigOf("/bob")]);
  expect(chooseTransforms(pair, cloudOf("/alice")).tfTopics).toEqual([]);
  const sensor = chooseTransforms(
    await inspect([...sensors("/velodyne"), ...rigOf("/car")]),
    cloudOf("/velodyne"),
  );
  expect(isConnected(sensor)).toBe(true);
  expect(sensor.problems.map(({ message }) => message)).toEqual([
    "the transforms of /car/tf_static, /car/tf are used for /velodyne/points although they are of another namespace: " +
      "--tf TOPIC... takes others",
  ]);
});
