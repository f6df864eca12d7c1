import { expect, test } from "@jest/globals";
import { publishedElsewhere, type WantedTopic } from "./publishedElsewhere.js";

const CLOUD = "sensor_msgs/msg/PointCloud2";
const IMAGE = "sensor_msgs/msg/Image";
const COMPRESSED = "sensor_msgs/msg/CompressedImage";

const points: WantedTopic = { topic: "/points", type: CLOUD, role: "cloud", parameter: "clouds.lidar.topic" };
const transport = {
  name: "cameras.front.transport",
  values: new Map([
    [IMAGE, "raw"],
    [COMPRESSED, "compressed"],
  ]),
};
const image: WantedTopic = {
  topic: "/front/image_raw",
  type: IMAGE,
  role: "image",
  parameter: "cameras.front.image_topic",
  typeParameter: transport,
};

test("a topic with publishers of the right type lacks nothing that is elsewhere", () => {
  const others = [
    { topic: "/points", type: "livox_ros_driver2/msg/CustomMsg" },
    { topic: "/points", type: CLOUD },
  ];
  expect(publishedElsewhere(points, others)).toBeUndefined();
});

test.each([
  ["livox_ros_driver2/msg/CustomMsg", "set `xfer_format` to 0"],
  [
    "velodyne_msgs/msg/VelodyneScan",
    "velodyne_transform_node-VLP16-launch.py` (or that of your model), and choose",
  ],
  ["point_cloud_interfaces/msg/CompressedPointCloud2", "point_cloud_transport republish"],
  ["std_msgs/msg/String", "set clouds.lidar.topic to a topic of that type"],
])("a cloud's topic with %s", (type, mend) => {
  const said = publishedElsewhere(points, [{ topic: "/points", type }]);
  expect(said).toContain(`/points carries ${type}`);
  expect(said).toContain(`${CLOUD} is expected`);
  expect(said).toContain(mend);
  expect(said).not.toMatch(/bag|record|encoded/);
});

test("clouds on another topic are named, a few of many", () => {
  const others = [...Array(7).keys()].map((i) => ({ topic: `/lidar${i}/points`, type: CLOUD }));
  expect(publishedElsewhere(points, others.slice(0, 1))).toBe(
    `nothing is published on /points, but ${CLOUD} on /lidar0/points: set clouds.lidar.topic`,
  );
  expect(publishedElsewhere(points, others)).toContain("/lidar4/points and 2 more: set");
});

test("the driver's messages on another topic", () => {
  const said = publishedElsewhere(points, [
    { topic: "/imu", type: "sensor_msgs/msg/Imu" },
    { topic: "/velodyne_packets", type: "velodyne_msgs/msg/VelodyneScan" },
  ]);
  expect(said).toMatch(/^nothing is published on \/points; \/velodyne_packets carries velodyne_msgs/);
});

test("images of the same camera in the other transport", () => {
  const compressed = { topic: "/front/image_raw/compressed", type: COMPRESSED };
  expect(publishedElsewhere(image, [{ topic: "/rear/image_raw", type: IMAGE }, compressed])).toBe(
    `nothing is published on /front/image_raw, but ${COMPRESSED} on /front/image_raw/compressed: ` +
      "set cameras.front.image_topic to /front/image_raw and cameras.front.transport to compressed",
  );
  const wanted = { ...image, ...compressed };
  expect(publishedElsewhere(wanted, [{ topic: "/front/image_raw", type: IMAGE }])).toContain(
    "set cameras.front.image_topic to /front/image_raw and cameras.front.transport to raw",
  );
});

test("compressed images on the topic of raw ones", () => {
  expect(publishedElsewhere(image, [{ topic: "/front/image_raw", type: COMPRESSED }])).toBe(
    `/front/image_raw carries ${COMPRESSED}, where ${IMAGE} is expected; set cameras.front.image_topic to ` +
      "/front/image_raw and cameras.front.transport to compressed, and remap /front/image_raw/compressed:=/front/image_raw",
  );
});

test("compressed images on a topic that does not say so", () => {
  const wanted = { ...image, topic: "/front/Scene/compressed", type: COMPRESSED };
  expect(publishedElsewhere(wanted, [{ topic: "/front/Scene", type: COMPRESSED }])).toBe(
    `nothing is published on /front/Scene/compressed, but ${COMPRESSED} on /front/Scene: ` +
      "remap /front/Scene/compressed:=/front/Scene",
  );
});

test("depth of a camera is not its picture", () => {
  const depth = { topic: "/front/image_raw/compressedDepth", type: COMPRESSED };
  expect(publishedElsewhere(image, [depth])).toBe(
    `nothing is published on /front/image_raw, but ${COMPRESSED} on ${depth.topic}: set cameras.front.image_topic`,
  );
});

test("video of a camera, and nothing that helps", () => {
  const video = { topic: "/front/image_raw/ffmpeg", type: "ffmpeg_image_transport_msgs/msg/FFMPEGPacket" };
  expect(publishedElsewhere(image, [video])).toContain("in_transport:=ffmpeg");
  expect(publishedElsewhere(image, [{ topic: "/imu", type: "sensor_msgs/msg/Imu" }])).toBeUndefined();
  expect(publishedElsewhere(image, [])).toBeUndefined();
});
