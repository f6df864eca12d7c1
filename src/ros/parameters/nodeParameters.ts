import { PROVIDER_CHOICES } from "../../model/providers.js";
import { DEFAULT_FUSION, FUSION_MODES } from "../../perception/FusionPolicy.js";
import { MAX_OFFSET_SECONDS, RELIABILITIES } from "./inputParameters.js";
import type { ParameterTable } from "./ParameterDeclaration.js";

const MAX_CLASSES = 65_535;

export const MODEL_PARAMETERS = {
  model: {
    type: "string",
    default: "",
    change: "read-only",
    description: "Folder of the model bundle. Empty: the street-real model that comes with the package",
  },
  provider: {
    type: "string",
    default: "auto",
    choices: PROVIDER_CHOICES,
    change: "read-only",
    description:
      "Where the model runs. auto takes CUDA if a session can be created on it, else the CPU; `ditr doctor` shows which work",
  },
  threads: {
    type: "integer",
    default: 0,
    range: [0, 1024],
    change: "read-only",
    description: "Threads inside an operator of the model. 0: ONNX Runtime decides",
  },
  autostart: {
    type: "bool",
    default: true,
    change: "read-only",
    description:
      "Configure and activate the node when it starts; with false, a lifecycle manager or `ros2 lifecycle set` does",
  },
} as const satisfies ParameterTable;

export const FUSION_PARAMETERS = {
  mode: {
    type: "string",
    default: DEFAULT_FUSION.mode,
    choices: FUSION_MODES,
    change: "dynamic",
    description: "auto decides scan by scan: fused when cameras see enough of it, else image-free",
  },
  min_images: {
    type: "integer",
    default: DEFAULT_FUSION.minImages,
    range: [0, 8],
    change: "dynamic",
    description: "auto: fewest cameras with a usable image for fusion",
  },
  min_seen_share: {
    type: "double",
    default: DEFAULT_FUSION.minSeenShare,
    range: [0, 1],
    change: "dynamic",
    description: "auto: smallest share of voxels that some camera must see for fusion to start",
  },
  seen_share_hysteresis: {
    type: "double",
    default: DEFAULT_FUSION.seenShareHysteresis,
    range: [0, 1],
    change: "dynamic",
    description:
      "auto: fusion goes on until the share falls below min_seen_share minus this. At most min_seen_share",
  },
} as const satisfies ParameterTable;

export const MOTION_PARAMETERS = {
  fixed_frame: {
    type: "string",
    default: "",
    form: "frame",
    change: "dynamic",
    description:
      "Compensate the robot's motion within a scan and between scan and image through this frame, usually odom. Empty: do not",
  },
  deskew: {
    type: "bool",
    default: true,
    change: "dynamic",
    description:
      "Compensate the motion within a scan, where points have times and there is a fixed_frame; false where the driver has done so",
  },
  transform_offset: {
    type: "double",
    default: 0,
    range: [-MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS],
    unit: "s",
    change: "dynamic",
    description:
      "Stamp of transforms minus cloud stamp at the same moment, where their clocks differ: -37 where clouds have TAI and transforms UTC",
  },
  transform_timeout: {
    type: "double",
    default: 0.1,
    range: [0, 10],
    unit: "s",
    change: "dynamic",
    description: "A scan waits at most this long for the transforms that it needs",
  },
} as const satisfies ParameterTable;

export const OUTPUT_PARAMETERS = {
  "filter.classes": {
    type: "string_array",
    default: [],
    example: ["car", "person"],
    form: "class",
    count: [0, MAX_CLASSES],
    change: "dynamic",
    description: "Classes whose points ~/points_filtered leaves out",
  },
  "filter.probability_threshold": {
    type: "double",
    default: 0,
    range: [0, 1],
    change: "dynamic",
    description:
      "Leave out points for which one of these classes is more probable than this, whatever their label. 0.0: by the label",
  },
  box_score_threshold: {
    type: "double",
    default: 0,
    range: [0, 1],
    change: "dynamic",
    description: "Boxes with a lower score are not published. 0.0: what the model says, usually 0.3",
  },
  colors: {
    type: "string_array",
    default: [],
    example: ["car=#f59664", "person=#1e1eff"],
    form: "color",
    count: [0, MAX_CLASSES],
    change: "dynamic",
    description: "Colours of classes in place of the model's own, as class=#rrggbb",
  },
  output_reliability: {
    type: "string",
    default: "reliable",
    choices: RELIABILITIES,
    change: "read-only",
    description:
      "QoS of the published clouds, overlays, boxes and status; reliable ones reach every subscriber",
  },
  output_depth: {
    type: "integer",
    default: 5,
    range: [1, 100],
    change: "read-only",
    description:
      "QoS of the published clouds, overlays, boxes and status: messages that are kept for slow subscribers",
  },
} as const satisfies ParameterTable;

export const RECORDING_PARAMETERS = {
  "recording.seconds": {
    type: "double",
    default: 5,
    range: [0, 600],
    unit: "s",
    change: "read-only",
    description: "~/save_recording writes the inputs and outputs of this time. 0.0: nothing is kept",
  },
  "recording.max_megabytes": {
    type: "integer",
    default: 256,
    range: [1, 65_536],
    unit: "MB",
    change: "read-only",
    description: "At most this much memory is used to keep them; then the time is shorter",
  },
  "recording.directory": {
    type: "string",
    default: "",
    change: "read-only",
    description: "Folder for recordings. Empty: $ROS_LOG_DIR, or ~/.ros/ditr_perception without it",
  },
  "recording.max_recordings": {
    type: "integer",
    default: 50,
    range: [1, 100_000],
    change: "read-only",
    description: "~/save_recording refuses a further one when the folder has so many. None is ever deleted",
  },
  "recording.max_total_megabytes": {
    type: "integer",
    default: 5000,
    range: [1, 100_000_000],
    unit: "MB",
    change: "read-only",
    description:
      "~/save_recording refuses a further one when all in the folder could become larger than this",
  },
  "recording.min_free_megabytes": {
    type: "integer",
    default: 1000,
    range: [0, 100_000_000],
    unit: "MB",
    change: "read-only",
    description: "~/save_recording refuses when less than this could be left free on the disk",
  },
} as const satisfies ParameterTable;

export const DIAGNOSTICS_PARAMETERS = {
  "diagnostics.max_latency": {
    type: "double",
    default: 1,
    range: [0, 3600],
    unit: "s",
    change: "dynamic",
    description:
      "/diagnostics warns when labels are published later than this after their cloud came. 0.0: never",
  },
  "diagnostics.min_rate": {
    type: "double",
    default: 0,
    range: [0, 1000],
    unit: "Hz",
    change: "dynamic",
    description: "/diagnostics warns when scans are labelled at a lower rate. 0.0: never",
  },
  log_interval: {
    type: "double",
    default: 10,
    range: [0, 3600],
    unit: "s",
    change: "dynamic",
    description: "Problems of one kind and topic are logged at most this often, with their number",
  },
} as const satisfies ParameterTable;
