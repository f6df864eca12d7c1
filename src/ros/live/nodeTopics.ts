import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { DETECTION3D_ARRAY_TYPE } from "../../messages/detection3DArray.js";
import { DIAGNOSTIC_ARRAY_TYPE } from "../../messages/diagnosticArray.js";
import { IMAGE_TYPE } from "../../messages/image.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { MARKER_ARRAY_TYPE } from "../../messages/markerArray.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { SCAN_STATUS_TYPE } from "../../messages/scanStatus.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { CLOCK_TYPE } from "../../messages/time.js";
import type { RosQos } from "../port/RosNode.js";
import {
  CAMERA_INFO_QOS,
  CLOCK_QOS,
  DIAGNOSTICS_QOS,
  LATCHED_QOS,
  STATIC_TRANSFORMS_QOS,
  TRANSFORMS_QOS,
} from "./qosProfiles.js";

/** The QoS of a topic that parameters set. */
export type QosByParameters = "parameters";

export interface NodeTopic {
  /** Not yet resolved; "<camera>" stands for the name of a camera, and what parameters name is absent. */
  readonly topic?: string;
  readonly type: string;
  readonly qos: RosQos | QosByParameters;
  /** What its messages are. */
  readonly content: string;
  /** From when to when it is there, and when a message is sent. */
  readonly when: string;
}

/** All that the node publishes, besides what every ROS node does. docs/topics.md is made from this. */
export const PUBLISHED_TOPICS = {
  labelled: {
    topic: "~/points_labelled",
    type: POINT_CLOUD2_TYPE,
    qos: "parameters",
    content:
      "The points of the scan in their order, with all their fields, and `label`, `confidence` and `rgb`. Stamp and frame are the input's",
    when: "Each labelled scan, while someone subscribes to it",
  },
  filtered: {
    topic: "~/points_filtered",
    type: POINT_CLOUD2_TYPE,
    qos: "parameters",
    content: "The same without the points of `filter.classes`; unlabelled points stay",
    when: "Each labelled scan, while someone subscribes to it and `filter.classes` is not empty",
  },
  overlay: {
    topic: "~/overlay/<camera>",
    type: IMAGE_TYPE,
    qos: "parameters",
    content:
      "The camera's image (`rgb8`) with the points that it sees painted on it in the colours of their classes. Stamp and frame are the image's",
    when: "Each labelled scan that has a usable image of the camera, while someone subscribes to it; in image-free scans too",
  },
  detections: {
    topic: "~/detections",
    type: DETECTION3D_ARRAY_TYPE,
    qos: "parameters",
    content:
      "The boxes of the scan, the best first, each with its class and score; `id` is empty, they are not followed. Stamp and frame are those of the labelled cloud",
    when: "Each labelled scan, while someone subscribes to it; only of a model that finds boxes",
  },
  markers: {
    topic: "~/detection_markers",
    type: MARKER_ARRAY_TYPE,
    qos: "parameters",
    content:
      "The same for RViz and Foxglove, in place of those of the scan before: edges, with a stroke to the front, and class and score above",
    when: "Each labelled scan, while someone subscribes to it; only of a model that finds boxes",
  },
  status: {
    topic: "~/status",
    type: SCAN_STATUS_TYPE,
    qos: "parameters",
    content: "How the scan was labelled, with which cameras, and how long each stage took",
    when: "Each scan, labelled or failed, while someone subscribes to it",
  },
  labelInfo: {
    topic: "~/label_info",
    type: LABEL_INFO_TYPE,
    qos: LATCHED_QOS,
    content: "The names of the class ids in `label`",
    when: "Once, when the model is loaded",
  },
  diagnostics: {
    topic: "/diagnostics",
    type: DIAGNOSTIC_ARRAY_TYPE,
    qos: DIAGNOSTICS_QOS,
    content: "See [diagnostics.md](diagnostics.md)",
    when: "Once a second, from the start of the node to its end",
  },
} as const satisfies Readonly<Record<string, NodeTopic>>;

/** What the node subscribes to besides clouds and images. docs/topics.md is made from this. */
export const SUBSCRIBED_TOPICS = {
  cameraInfo: {
    type: CAMERA_INFO_TYPE,
    qos: CAMERA_INFO_QOS,
    content: "Calibration of a camera or of a depth image; the last one holds. See below for latched ones",
    when: "configured",
  },
  staticTransforms: {
    topic: "/tf_static",
    type: TF_MESSAGE_TYPE,
    qos: STATIC_TRANSFORMS_QOS,
    content: "Transforms between the sensors",
    when: "configured",
  },
  transforms: {
    topic: "/tf",
    type: TF_MESSAGE_TYPE,
    qos: TRANSFORMS_QOS,
    content: "Transforms that change, among them the robot's motion in `fixed_frame`",
    when: "configured",
  },
  clock: {
    topic: "/clock",
    type: CLOCK_TYPE,
    qos: CLOCK_QOS,
    content: "The time",
    when: "while `use_sim_time` is set",
  },
} as const satisfies Readonly<Record<string, NodeTopic>>;

/** std_srvs/srv/Trigger */
export const SAVE_RECORDING_SERVICE = "~/save_recording";

export function overlayTopic(camera: string): string {
  return PUBLISHED_TOPICS.overlay.topic.replace("<camera>", camera);
}
