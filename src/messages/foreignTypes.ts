import { CAMERA_INFO_TYPE } from "./cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "./image.js";
import { POINT_CLOUD2_TYPE } from "./pointCloud2.js";
import { rosTypeName } from "./rosTypeName.js";
import { TF_MESSAGE_TYPE } from "./tfMessage.js";

/** What a message of a sensor would have been, had it come in a type and encoding that is read. */
export type SensorRole = "cloud" | "image" | "camera-info" | "transforms";

/** Data of a sensor in a form that is not read. */
export interface ForeignTopic {
  readonly role: SensorRole;
  /** Topic, what was found, what was expected, and the step that mends it. */
  readonly sentence: string;
}

/** Where the messages are, which decides what can be done about them. */
export type MessageSource = "recording" | "live";

/** The words for going on from a step, by where the messages are. */
interface Steps {
  /** After a command that makes something else of the messages. */
  readonly then: string;
  /** Before what the right messages are. */
  readonly take: string;
}

const STEPS: Readonly<Record<MessageSource, Steps>> = {
  recording: { then: " while the bag plays, and record", take: "record" },
  live: { then: ", and choose", take: "choose" },
};

interface ForeignType {
  /** Of the type as `rosTypeName` spells it. */
  readonly pattern: RegExp;
  readonly role: SensorRole;
  readonly found: string;
  readonly mend: (topic: string, steps: Steps) => string;
}

const EXPECTED: Readonly<Record<SensorRole, string>> = {
  cloud: POINT_CLOUD2_TYPE,
  image: `${IMAGE_TYPE} or CompressedImage`,
  "camera-info": CAMERA_INFO_TYPE,
  transforms: TF_MESSAGE_TYPE,
};

/** Types that are read, and those of the same content that ROS 1 has under another name. */
const READ: readonly (readonly [type: string, role: SensorRole])[] = [
  [POINT_CLOUD2_TYPE, "cloud"],
  [IMAGE_TYPE, "image"],
  [COMPRESSED_IMAGE_TYPE, "image"],
  [CAMERA_INFO_TYPE, "camera-info"],
  [TF_MESSAGE_TYPE, "transforms"],
  ["tf/msg/tfMessage", "transforms"],
];

const FOXGLOVE = /^foxglove(\.|_msgs\/msg\/)/.source;

/** The driver's node that has to run for PointCloud2 to be there. */
function driver(pattern: RegExp, maker: string, run: string, result?: string): ForeignType {
  return {
    pattern,
    role: "cloud",
    found: `what the driver of ${maker} sends`,
    mend: (_topic, { then }) => (result === undefined ? run : `${run}${then} ${result}`),
  };
}

/** The first that fits counts. */
const FOREIGN_TYPES: readonly ForeignType[] = [
  driver(
    /^livox\w*\/msg\/CustomMsg$/,
    "Livox",
    "set `xfer_format` to 0 in the launch file of livox_ros_driver2, which publishes PointCloud2 then",
  ),
  driver(
    /^velodyne_msgs\/msg\/Velodyne(Scan|Packet)$/,
    "Velodyne (packets)",
    "run `ros2 launch velodyne_pointcloud velodyne_transform_node-VLP16-launch.py` (or that of your model)",
    "/velodyne_points",
  ),
  driver(
    /^ouster\w*\/msg\/PacketMsg$/,
    "Ouster (packets)",
    "run `ros2 launch ouster_ros replay.launch.xml bag_file:=BAG metadata:=METADATA.json` (on the robot `driver.launch.py`)",
    "/ouster/points",
  ),
  driver(
    /^(hesai\w*|pandar\w*)\/msg\/\w+$/,
    "Hesai (packets)",
    "run hesai_ros_driver with `source_type: 3` (packets of a topic)",
    "/lidar_points",
  ),
  driver(
    /^nebula_msgs\/msg\/NebulaPackets?$/,
    "Nebula (packets)",
    "run `ros2 launch nebula_ros SENSOR_launch_all_hw.xml launch_hw:=false`",
    "its PointCloud2",
  ),
  driver(
    /^(rslidar|robosense)\w*\/msg\/\w+$/i,
    "RoboSense (packets)",
    "run rslidar_sdk with `msg_source: 2` (packets of a topic) and `send_point_cloud_ros: true`",
    "/rslidar_points",
  ),
  driver(
    /^(innovusion|seyond)\w*\/msg\/\w+$/,
    "Seyond (packets)",
    "run the driver's node with packets as its input",
    "its PointCloud2",
  ),
  {
    pattern: /\/msg\/CompressedPointCloud2?$/,
    role: "cloud",
    found: "a cloud that point_cloud_transport compressed",
    mend: (topic, { then }) => {
      const transport = topic.slice(topic.lastIndexOf("/") + 1);
      const base = topic.slice(0, topic.lastIndexOf("/")) || "/points";
      return (
        `run \`ros2 run point_cloud_transport republish --ros-args -p in_transport:=${transport} ` +
        `-p out_transport:=raw -r in/${transport}:=${topic} -r out:=${base}\`${then} ${base}`
      );
    },
  },
  {
    pattern: new RegExp(`${FOXGLOVE}PointCloud$`),
    role: "cloud",
    found: "Foxglove's cloud",
    mend: (_topic, { take }) =>
      `${take} the driver's PointCloud2, or write the same fields, point_stride and data as PointCloud2 (Python packages mcap and mcap-ros2-support)`,
  },
  {
    pattern: /^sensor_msgs\/msg\/PointCloud$/,
    role: "cloud",
    found: "the cloud type that PointCloud2 replaced",
    mend: () => "let the driver publish PointCloud2, or convert with `ros2 run point_cloud_converter`",
  },
  {
    pattern: /^sensor_msgs\/msg\/(MultiEcho)?LaserScan$/,
    role: "cloud",
    found: "a scan in one plane, which the models were not trained for",
    mend: () =>
      "if it is what you have, `ros2 run pointcloud_to_laserscan laserscan_to_pointcloud_node` makes PointCloud2 of it",
  },
  driver(
    /\/msg\/\w*(lidar|laser|velodyne|scan)\w*packets?\w*$/i,
    "a LiDAR (packets)",
    "run the driver's node that makes PointCloud2 of them",
    "what it publishes",
  ),
  {
    pattern: /^(ffmpeg_image_transport_msgs|h264_msgs|h265_msgs|theora_image_transport)\/msg\/\w*Packet$/,
    role: "image",
    found: "video, of which a single message is no picture",
    mend: (topic, { then }) => republishedVideo(topic, topic.slice(topic.lastIndexOf("/") + 1), then),
  },
  {
    pattern: new RegExp(`${FOXGLOVE}CompressedVideo$`),
    role: "image",
    found: "video, of which a single message is no picture",
    mend: (topic, { then }) => republishedVideo(topic, "foxglove", then),
  },
  {
    pattern: new RegExp(`${FOXGLOVE}(CompressedImage|RawImage)$`),
    role: "image",
    found: "Foxglove's image",
    mend: (_topic, { take }) =>
      `${take} the driver's Image or CompressedImage, or write the same data in one (Python packages mcap and mcap-ros2-support)`,
  },
  {
    pattern: new RegExp(`${FOXGLOVE}CameraCalibration$`),
    role: "camera-info",
    found: "Foxglove's calibration",
    mend: (_topic, { take }) => `${take} the driver's CameraInfo, which has the same D, K, R and P`,
  },
  {
    pattern: new RegExp(`${FOXGLOVE}FrameTransforms?$`),
    role: "transforms",
    found: "Foxglove's transforms",
    mend: (_topic, { take }) => `${take} /tf and /tf_static`,
  },
  driver(
    /(\/msg\/|^)\w*packets?(msg)?$/i,
    "some device (packets; of a LiDAR, they have the points)",
    "run the driver's node that makes PointCloud2 of them while the bag plays, and record what it publishes",
  ),
  {
    pattern: /(\/msg\/|^|[.:])\w*(point_?cloud|lidar|laser|points?_?(data|array))\w*$/i,
    role: "cloud",
    found: "a type that is not read, by its name of a LiDAR",
    mend: () => "let the driver, or a node of yours, make PointCloud2 of it, and record that",
  },
  {
    pattern:
      /^(cepton|quanergy|blickfeld|zvision|tanway|ibeo|aeva|aeye|luminar|innoviz|vanjee|leishen|lslidar|benewake)\w*\/msg\/\w+$/i,
    role: "cloud",
    found: "what the driver of a LiDAR sends",
    mend: () => "let the driver publish PointCloud2, and record that",
  },
];

/** What image_transport's republish node does for video that it has a plugin for. */
function republishedVideo(topic: string, transport: string, then: string): string {
  const out = `${topic.slice(0, topic.lastIndexOf("/"))}/decoded`;
  return (
    `decode it with \`ros2 run image_transport republish --ros-args -p in_transport:=${transport} ` +
    `-p out_transport:=raw -r in/${transport}:=${topic} -r out:=${out}\` (ffmpeg_image_transport and ` +
    `foxglove_compressed_video_transport are such transports)${then} ${out}`
  );
}

/**
 * Says what a topic holds that is a sensor's, but in a type or encoding that is not read.
 *
 * @param encoding of the messages: `cdr` is read, and live there is no other
 * @returns undefined for types that are read, and for those that are no cloud, image, CameraInfo or transform
 */
export function foreignTopic(
  topic: string,
  type: string,
  encoding: string,
  source: MessageSource = "recording",
): ForeignTopic | undefined {
  const name = rosTypeName(type);
  const carries = (found: string, role: SensorRole, mend: string): ForeignTopic => ({
    role,
    sentence: carriesSentence(topic, type, source === "live" ? undefined : encoding, found, role, mend),
  });
  const read = READ.find(([known]) => known === name);
  if (read !== undefined && encoding !== "cdr") {
    return carries(encodingFound(encoding), read[1], encodingMend(encoding));
  }
  if (read !== undefined && name !== "tf/msg/tfMessage") return undefined;
  const foreign = FOREIGN_TYPES.find(({ pattern }) => pattern.test(name));
  if (foreign === undefined) return undefined;
  const { role, found, mend } = foreign;
  return carries(found, role, mend(topic, STEPS[source]));
}

/** What messages of a type that is read are; undefined for every other type. */
export function sensorRole(type: string): SensorRole | undefined {
  return READ.find(([known]) => known === type)?.[1];
}

/** @param encoding undefined where it goes without saying */
function carriesSentence(
  topic: string,
  type: string,
  encoding: string | undefined,
  found: string,
  role: SensorRole,
  mend: string,
): string {
  const encoded = (name: string): string => (encoding === undefined ? "" : ` encoded as ${name}`);
  return (
    `${topic} carries ${type}${encoded(encoding === "" ? "nothing known" : encoding!)}: ${found}, ` +
    `where ${EXPECTED[role]}${encoded("cdr")} is expected; ${mend}`
  );
}

function encodingFound(encoding: string): string {
  return encoding === "ros1" ? "a message of ROS 1" : "the right content in an encoding that is not ROS 2's";
}

function encodingMend(encoding: string): string {
  return encoding === "ros1"
    ? "convert the ROS 1 bag that the file was made of, `pip install rosbags && rosbags-convert --src FILE.bag --dst NEW_BAG --dst-storage mcap`, or the file itself, `pip install kappe && kappe convert FILE.mcap NEW_FOLDER`"
    : "record with `ros2 bag record`, or convert to ROS 2 messages (Python packages mcap and mcap-ros2-support)";
}
