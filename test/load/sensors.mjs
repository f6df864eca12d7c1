// A robot's sensors at full rate: `sensors.mjs --seconds S [--cameras N]` publishes one cloud of 120,000 points at 10 Hz
// and N cameras (6) of 1600x900 rgb8 at 12 Hz, with CameraInfo and static transforms; then it says in JSON what it sent.
import { parseArgs } from "node:util";
import { encodeCameraInfo } from "../../dist/messages/cameraInfo.js";
import { encodeImage } from "../../dist/messages/image.js";
import { encodeTFMessage } from "../../dist/messages/tfMessage.js";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";
import { fullCloud } from "./fullCloud.mjs";

const { values } = parseArgs({
  options: { seconds: { type: "string" }, cameras: { type: "string", default: "6" } },
  strict: false,
});
const seconds = Number(values.seconds);
const cameraCount = Number(values.cameras);
const WIDTH = 1600;
const HEIGHT = 900;
const RELIABLE = { reliability: "reliable", durability: "volatile", depth: 5 };
const LATCHED = { reliability: "reliable", durability: "transient_local", depth: 1 };

function image(camera) {
  const data = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) data[i] = (i * 7 + (i >> 9) * 13) & 0xff;
  const header = { stamp: 1n, frameId: `camera${camera}` };
  return Buffer.from(
    encodeImage({
      header,
      height: HEIGHT,
      width: WIDTH,
      encoding: "rgb8",
      isBigEndian: false,
      step: 3 * WIDTH,
      data,
    }),
  );
}

const infoOf = (camera, stamp) =>
  encodeCameraInfo({
    header: { stamp, frameId: `camera${camera}` },
    width: WIDTH,
    height: HEIGHT,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [1200, 0, 800, 0, 1200, 450, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [1200, 0, 800, 0, 0, 1200, 450, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  });

/** Camera i looks i/N of a turn to the left of x. */
function mount(camera) {
  const half = (Math.PI * camera) / cameraCount;
  const [c, s] = [Math.cos(half), Math.sin(half)];
  // Turn about z, then REP-103's optical rotation (-0.5, 0.5, -0.5, 0.5).
  const [x, y, z, w] = [-0.5, 0.5, -0.5, 0.5];
  return {
    header: { stamp: 1n, frameId: "lidar" },
    childFrameId: `camera${camera}`,
    translation: [0, 0, 0],
    rotation: [c * x - s * y, c * y + s * x, c * z + s * w, c * w - s * z],
  };
}

const ros = await openRosNode({ name: "sensors", args: process.argv });
const cameras = Array.from({ length: cameraCount }, (_, i) => i);
const cloudPublisher = ros.advertise({
  topic: "/points",
  type: "sensor_msgs/msg/PointCloud2",
  qos: RELIABLE,
});
const imagePublishers = cameras.map((i) =>
  ros.advertise({ topic: `/camera${i}/image_raw`, type: "sensor_msgs/msg/Image", qos: RELIABLE }),
);
const infoPublishers = cameras.map((i) =>
  ros.advertise({ topic: `/camera${i}/camera_info`, type: "sensor_msgs/msg/CameraInfo", qos: RELIABLE }),
);
const tf = ros.advertise({ topic: "/tf_static", type: "tf2_msgs/msg/TFMessage", qos: LATCHED });
tf.publish(encodeTFMessage({ transforms: cameras.map(mount) }));

const cloudMessage = fullCloud();
// One picture for all cameras: it is the bytes that cost.
const imageMessage = image(0);
const headerOf = cameras.map((i) => Buffer.from(image(i).subarray(0, 24)));
function stampAndSend(publisher, message, stamp) {
  message.writeInt32LE(Number(stamp / 1_000_000_000n), 4);
  message.writeUInt32LE(Number(stamp % 1_000_000_000n), 8);
  publisher.publish(message);
}

const sent = { clouds: 0, images: 0 };
const now = () => BigInt(Date.now()) * 1_000_000n;
while (cloudPublisher.subscriberCount === 0) await new Promise((resolve) => setTimeout(resolve, 100));
await new Promise((resolve) => setTimeout(resolve, 1000));
const start = performance.now();
let [nextCloud, nextImages] = [0, 0];
await new Promise((resolve) => {
  const tick = () => {
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed > seconds) {
      resolve();
      return;
    }
    if (elapsed >= nextCloud) {
      nextCloud += 0.1;
      stampAndSend(cloudPublisher, cloudMessage, now());
      sent.clouds++;
    }
    if (elapsed >= nextImages) {
      nextImages += 1 / 12;
      const stamp = now();
      for (const i of cameras) {
        headerOf[i].copy(imageMessage);
        infoPublishers[i].publish(infoOf(i, stamp));
        stampAndSend(imagePublishers[i], imageMessage, stamp);
        sent.images++;
      }
    }
    setTimeout(tick, 2);
  };
  tick();
});
process.stdout.write(`${JSON.stringify(sent)}\n`);
ros.shutdown();
process.exit(0);
