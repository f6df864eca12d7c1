import { syncOptions } from "../../sync/SyncOptions.js";
import { cameraInfoBeside, isRectifiedTopic } from "../../messages/imageTopics.js";
import type { ParameterTable } from "./ParameterDeclaration.js";

export const MAX_CLOUDS = 8;
export const MAX_CAMERAS = 8;

export const CLOUD_TYPES = ["points", "depth", "compressed_depth"] as const;
export const CAMERA_TRANSPORTS = ["raw", "compressed"] as const;
export const STAMP_SOURCES = ["header", "arrival"] as const;
export const RELIABILITIES = ["best_effort", "reliable"] as const;
export const INPUT_RELIABILITIES = ["auto", ...RELIABILITIES] as const;

const SYNC = syncOptions({ cameras: { any: {} } });
const CAMERA_SYNC = SYNC.cameras.get("any")!;

const DEPTH_RANGE = [1, 100] as const;
/** Longer than any wait or exposure that makes sense; sliders of rqt_reconfigure end here. */
const MAX_SYNC_SECONDS = 10;
/** A clock that counts from its start is as far from one that counts from 1970. */
export const MAX_OFFSET_SECONDS = 4_294_967_296;

/** Which inputs there are; their own parameters are declared after these are known. */
export const INPUT_PARAMETERS = {
  cloud_names: {
    type: "string_array",
    default: ["lidar"],
    example: ["lidar"],
    form: "name",
    count: [1, MAX_CLOUDS],
    change: "read-only",
    description:
      "Names of the sources of points. Several are merged into one scan at the stamps of the first; each has its own parameters `clouds.<name>.*`",
  },
  camera_names: {
    type: "string_array",
    default: [],
    example: ["front"],
    form: "name",
    count: [0, MAX_CAMERAS],
    change: "read-only",
    description:
      "Names of the cameras; without any, every scan is labelled image-free. Each has its own parameters `cameras.<name>.*`",
  },
  target_frame: {
    type: "string",
    default: "",
    form: "frame",
    change: "read-only",
    description:
      "Frame that several clouds are merged in, for example base_link. Empty: the frame of the first cloud",
  },
  intensity_scale: {
    type: "double",
    default: 0,
    range: [0, 1_000_000],
    change: "read-only",
    description:
      "Value of the intensity field that counts as full, for example 255. 0.0: by the cloud's layout",
  },
  intensity_field: {
    type: "string",
    default: "",
    change: "read-only",
    description: "Field of the clouds that is intensity. Empty: by its name (docs/inputs.md)",
  },
  use_sim_time: {
    type: "bool",
    default: false,
    change: "dynamic",
    description: "Take the time from /clock: for simulators, and for bags that are played with --clock",
  },
} as const satisfies ParameterTable;

/** `clouds.<name>.*` */
export const CLOUD_PARAMETERS = {
  topic: {
    type: "string",
    default: {
      text: "`points` for a single cloud, else `<name>/points`",
      example: "points",
      derive: ({ name, cloudCount }) => (cloudCount === 1 ? "points" : `${name}/points`),
    },
    form: "topic",
    change: "read-only",
    description: "Where the points or depth images come from",
  },
  type: {
    type: "string",
    default: "points",
    choices: CLOUD_TYPES,
    change: "read-only",
    description:
      "points: sensor_msgs/PointCloud2; depth: sensor_msgs/Image (16UC1 or 32FC1); compressed_depth: sensor_msgs/CompressedImage from `<topic>/compressedDepth`",
  },
  camera_info_topic: {
    type: "string",
    default: {
      text: "`camera_info` beside the topic",
      example: "camera_info",
      derive: ({ sibling }) => cameraInfoBeside(sibling("topic")),
    },
    form: "topic",
    change: "read-only",
    description: "CameraInfo of a depth image; not used for points",
  },
  rectified: {
    type: "bool",
    default: {
      text: "true if the topic is called `rect`, `image_rect`, `image_rect_raw` or alike",
      example: "false",
      derive: ({ sibling }) => isRectifiedTopic(sibling("topic")),
    },
    change: "read-only",
    description:
      "The depth image is rectified: its points are projected with P of the CameraInfo, not with K and D; not used for points",
  },
  reliability: {
    type: "string",
    default: "auto",
    choices: INPUT_RELIABILITIES,
    change: "read-only",
    description:
      "QoS of the subscription. best_effort works with every publisher; reliable only with reliable ones, and repeats lost parts of large messages; auto is reliable while all publishers are, else best_effort",
  },
  depth: {
    type: "integer",
    default: 2,
    range: DEPTH_RANGE,
    change: "read-only",
    description: "QoS of the subscription: messages that are kept while the node is busy",
  },
  stamps: {
    type: "string",
    default: "header",
    choices: STAMP_SOURCES,
    change: "read-only",
    description:
      "header: messages are of the time that their stamps say; arrival: of when they arrive, where a driver leaves stamps 0 or has a clock that drifts",
  },
  tolerance: {
    type: "double",
    default: seconds(CAMERA_SYNC.tolerance),
    range: [0, MAX_SYNC_SECONDS],
    unit: "s",
    change: "dynamic",
    description:
      "A further cloud is merged with one of the first cloud if their stamps differ by at most this; not used for the first cloud",
  },
} as const satisfies ParameterTable;

/** `cameras.<name>.*` */
export const CAMERA_PARAMETERS = {
  image_topic: {
    type: "string",
    default: {
      text: "`<name>/image_raw`",
      example: "front/image_raw",
      derive: ({ name }) => `${name}/image_raw`,
    },
    form: "topic",
    change: "read-only",
    description: "Where the images come from",
  },
  transport: {
    type: "string",
    default: {
      text: "raw, or compressed if the topic ends in `/compressed`",
      example: "raw",
      derive: ({ sibling }) => (sibling("image_topic").endsWith("/compressed") ? "compressed" : "raw"),
    },
    choices: CAMERA_TRANSPORTS,
    change: "read-only",
    description:
      "raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage (JPEG or PNG) from `<image_topic>/compressed`",
  },
  camera_info_topic: {
    type: "string",
    default: {
      text: "`camera_info` beside the image topic",
      example: "front/camera_info",
      derive: ({ sibling }) => cameraInfoBeside(sibling("image_topic")),
    },
    form: "topic",
    change: "read-only",
    description: "CameraInfo of the camera",
  },
  rectified: {
    type: "bool",
    default: {
      text: "true if the topic is called `rect`, `image_rect`, `image_rect_color` or alike",
      example: "false",
      derive: ({ sibling }) => isRectifiedTopic(sibling("image_topic")),
    },
    change: "read-only",
    description: "The images are rectified: points are projected with P of the CameraInfo, not with K and D",
  },
  reliability: {
    type: "string",
    default: "auto",
    choices: INPUT_RELIABILITIES,
    change: "read-only",
    description:
      "QoS of the subscription. best_effort works with every publisher; reliable only with reliable ones, and repeats lost parts of large messages; auto is reliable while all publishers are, else best_effort",
  },
  depth: {
    type: "integer",
    default: 2,
    range: DEPTH_RANGE,
    change: "read-only",
    description: "QoS of the subscription: messages that are kept while the node is busy",
  },
  stamps: {
    type: "string",
    default: "header",
    choices: STAMP_SOURCES,
    change: "read-only",
    description:
      "header: messages are of the time that their stamps say; arrival: of when they arrive, where a driver leaves stamps 0 or has a clock that drifts",
  },
  offset: {
    type: "double",
    default: seconds(CAMERA_SYNC.offset),
    range: [-MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS],
    unit: "s",
    change: "dynamic",
    description:
      "Image stamp minus cloud stamp when both see the same moment (shutter or transport delay, or a clock of its own: -37 where clouds have TAI and images UTC)",
  },
  tolerance: {
    type: "double",
    default: seconds(CAMERA_SYNC.tolerance),
    range: [0, MAX_SYNC_SECONDS],
    unit: "s",
    change: "dynamic",
    description: "An image matches a cloud if its stamp is at most this far from cloud stamp + offset",
  },
  maximum_age: {
    type: "double",
    default: 0,
    range: [0, MAX_SYNC_SECONDS],
    unit: "s",
    change: "dynamic",
    description:
      "Without an image within the tolerance, the nearest older one is taken if it is at most this much older; for cameras slower than the LiDAR. At least the tolerance; 0.0: the tolerance",
  },
} as const satisfies ParameterTable;

export const SYNC_PARAMETERS = {
  "sync.max_wait": {
    type: "double",
    default: seconds(SYNC.maxWait),
    range: [0, MAX_SYNC_SECONDS],
    unit: "s",
    change: "dynamic",
    description: "A cloud waits at most this long for its images",
  },
  "sync.scan_midpoint": {
    type: "bool",
    default: true,
    change: "dynamic",
    description:
      "Offsets of cameras count from the middle of a scan, where its points have times: when a spinning LiDAR that starts behind looks ahead. false: from its stamp",
  },
  "sync.inactive_after": {
    type: "integer",
    default: SYNC.inactiveAfter,
    range: [1, 1000],
    change: "dynamic",
    description:
      "A camera that misses clouds for this many of its periods is no longer waited for, until it comes back",
  },
  "sync.cloud_queue_size": {
    type: "integer",
    default: SYNC.cloudQueueSize,
    range: [1, 100],
    change: "dynamic",
    description: "At most this many clouds wait for images; then the oldest goes on with those that came",
  },
  "sync.jump_threshold": {
    type: "double",
    default: seconds(SYNC.jumpThreshold),
    range: [0.001, 3600],
    unit: "s",
    change: "dynamic",
    description:
      "A stamp more than this before the newest of its stream is a jump of time (a bag in a loop), not a late message",
  },
} as const satisfies ParameterTable;

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}
