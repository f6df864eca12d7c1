import { afterEach, expect, test } from "@jest/globals";
import { CAMERA_INFO_TYPE, encodeCameraInfo } from "../../messages/cameraInfo.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { MemoryRosNode } from "../port/MemoryRosNode.js";
import { CAMERA, endMemoryNode, makeNode, text, until, type MemoryNode } from "./memoryNode.js";
import { TopicSurvey } from "./TopicSurvey.js";

const START = 1_800_000_000_000_000_000n;
const CLOUD = "sensor_msgs/msg/PointCloud2";

afterEach(endMemoryNode);

/** Both in the log and in /diagnostics. */
async function says({ ros, robot }: MemoryNode, subject: string, sentence: RegExp): Promise<void> {
  await until(() => sentence.test(robot.diagnosis(subject)?.message ?? ""), `${subject}: ${sentence.source}`);
  await until(
    () => ros.logLines.some((line) => sentence.test(line.text)),
    `a line of the log: ${sentence.source}`,
  );
}

/** A scan each 100 ms until the test ends. */
function keepScanning({ robot }: MemoryNode): NodeJS.Timeout {
  let stamp = START;
  return setInterval(() => {
    stamp += 100_000_000n;
    robot.sendCloud(stamp);
    robot.sendImage(stamp);
  }, 100);
}

test("a cloud's topic that carries the driver's messages is named with the driver's setting", async () => {
  const memory = makeNode();
  memory.ros.peerPublishesType("/points", "livox_ros_driver2/msg/CustomMsg");
  await memory.node.start();
  await says(
    memory,
    "cloud lidar",
    /no cloud on \/points for .* s; \/points carries livox_ros_driver2\/msg\/CustomMsg.*`xfer_format`/,
  );
});

test("clouds and images that are published elsewhere are named with the parameters that choose them", async () => {
  const memory = makeNode(CAMERA);
  memory.ros.peerPublishesType("/velodyne_points", CLOUD);
  memory.ros.peerPublishesType("/front/image_raw/compressed", "sensor_msgs/msg/CompressedImage");
  await memory.node.start();
  await says(memory, "cloud lidar", /but .*PointCloud2 on \/velodyne_points: set clouds\.lidar\.topic/);
  await says(memory, "camera front", /cameras\.front\.transport to compressed/);
});

test("CameraInfo on another topic is named when it is for the frame of the images", async () => {
  const memory = makeNode({
    ...CAMERA,
    "cameras.front.camera_info_topic": text("/nowhere/camera_info"),
  });
  const { ros, node, robot } = memory;
  for (const topic of ["/front/camera_info", "/rear/camera_info"])
    ros.peerPublishesType(topic, CAMERA_INFO_TYPE);
  await node.start();
  robot.sendStaticTransform();
  const scans = keepScanning(memory);
  const infos = setInterval(() => {
    robot.sendCameraInfo();
    ros.deliver("/rear/camera_info", rearInfo());
  }, 100);
  try {
    await says(
      memory,
      "camera front",
      /nothing is published on \/nowhere\/camera_info: CameraInfo of the images' frame 'camera' is on \/front\/camera_info \(320x160 pixels\): set cameras\.front\.camera_info_topic/,
    );
    // One message of each is enough.
    expect([ros.isSubscribed("/front/camera_info"), ros.isSubscribed("/rear/camera_info")]).toEqual([
      false,
      false,
    ]);
  } finally {
    clearInterval(scans);
    clearInterval(infos);
  }
});

test("transforms in the namespace of a robot are named with the remapping", async () => {
  const memory = makeNode(CAMERA);
  const { ros, node, robot } = memory;
  for (const topic of ["/robot1/tf", "/robot1/tf_static"]) ros.peerPublishesType(topic, TF_MESSAGE_TYPE);
  await node.start();
  robot.sendCameraInfo();
  const scans = keepScanning(memory);
  try {
    await says(
      memory,
      "camera front",
      /nothing is published on \/tf and \/tf_static, but transforms on \/robot1\/tf, \/robot1\/tf_static: .*-r \/tf:=\/robot1\/tf/,
    );
  } finally {
    clearInterval(scans);
  }
});

test("a topic of transforms that is there is not looked for elsewhere", () => {
  const ros = new MemoryRosNode({ name: "ditr_perception" });
  ros.peerPublishesType("/robot1/tf", TF_MESSAGE_TYPE);
  ros.peerPublishesType("/tf_static", TF_MESSAGE_TYPE);
  expect(new TopicSurvey(ros).transformsElsewhere("points")).toBeUndefined();
});

test("of the transforms of several robots those of the cloud's are meant", () => {
  const ros = new MemoryRosNode({ name: "ditr_perception" });
  for (const topic of ["/robot1/tf", "/robot2/tf"]) ros.peerPublishesType(topic, TF_MESSAGE_TYPE);
  expect(new TopicSurvey(ros).transformsElsewhere("/robot2/points")).toContain("-r /tf:=/robot2/tf");
});

function rearInfo(): Uint8Array {
  return encodeCameraInfo({
    header: { stamp: 1n, frameId: "rear_camera" },
    width: 320,
    height: 160,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [160, 0, 159.5, 0, 160, 79.5, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [160, 0, 159.5, 0, 0, 160, 79.5, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  });
}
