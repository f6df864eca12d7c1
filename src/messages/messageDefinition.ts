import rosmsg from "@foxglove/rosmsg";
import { ros2humble } from "@foxglove/rosmsg-msgs-common";

type MessageDefinition = ReturnType<typeof rosmsg.parse>[number];
type MessageDefinitionField = MessageDefinition["definitions"][number];

/** Types of vision_msgs (branch ros2, 4.x), which the common definitions lack, and of this project's msg/. */
const FURTHER_TYPES = {
  "vision_msgs/VisionClass": "uint16 class_id\nstring class_name",
  "vision_msgs/LabelInfo": "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold",
  "vision_msgs/ObjectHypothesis": "string class_id\nfloat64 score",
  "vision_msgs/ObjectHypothesisWithPose":
    "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose",
  "vision_msgs/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
  "vision_msgs/Detection3D": `
std_msgs/Header header
vision_msgs/ObjectHypothesisWithPose[] results
vision_msgs/BoundingBox3D bbox
string id`,
  "vision_msgs/Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections",
  "ditr_perception/CameraUse": `
string name
bool used
builtin_interfaces/Duration delta
string missing_reason`,
  "ditr_perception/ScanStatus": `
std_msgs/Header header
string FUSED = "fused"
string IMAGE_FREE = "image-free"
string FAILED = "failed"
string mode
string reason
ditr_perception/CameraUse[] cameras
float32 seen_share
uint32 point_count
uint32 voxel_count
uint32 unlabeled_count
float32 decode_ms
float32 geometry_ms
float32 images_ms
float32 projection_ms
float32 image_encoder_ms
float32 backbone_ms
float32 detection_ms
float32 compose_ms
float32 latency_ms`,
};

/** The common definitions call `byte` uint8, which is another type to ROS 2. */
const DIAGNOSTIC_STATUS: MessageDefinition = {
  name: "diagnostic_msgs/DiagnosticStatus",
  definitions: ros2humble["diagnostic_msgs/DiagnosticStatus"].definitions.map((field) =>
    field.type === "uint8" ? { ...field, type: "byte" } : field,
  ),
};

const DEFINITIONS: Readonly<Record<string, MessageDefinition>> = {
  ...ros2humble,
  "diagnostic_msgs/DiagnosticStatus": DIAGNOSTIC_STATUS,
  ...Object.fromEntries(Object.entries(FURTHER_TYPES).map(([name, text]) => [name, parse(name, text)])),
};

/**
 * The "ros2msg" schema text of a type such as "sensor_msgs/msg/PointCloud2" (ROS 2 Humble): its
 * definition and, each behind a line of 80 "=" and "MSG: package/Name", those of every type that it
 * needs, as rosbag2 writes them into MCAP files. Throws a RangeError for a type that is not known.
 */
export function messageDefinition(type: string): string {
  return rosmsg.stringify(collect(type.replace("/msg/", "/")));
}

/** Does `messageDefinition` know the type? */
export function isKnownMessageType(type: string): boolean {
  return Object.hasOwn(DEFINITIONS, type.replace("/msg/", "/"));
}

function parse(name: string, text: string): MessageDefinition {
  const [definition] = rosmsg.parse(text, { ros2: true, skipTypeFixup: true });
  return { name, definitions: definition!.definitions };
}

/** Depth first, each type once, the root first. */
function collect(name: string, found = new Map<string, MessageDefinition>()): MessageDefinition[] {
  const definition = DEFINITIONS[name];
  if (definition === undefined) throw new RangeError(`no message definition of "${name}" is known`);
  const definitions = definition.definitions.map(withTimeTypes);
  found.set(name, { ...definition, definitions });
  for (const field of definitions) {
    if (field.isComplex === true && !found.has(field.type)) collect(field.type, found);
  }
  return [...found.values()];
}

/** The library treats ROS 2's time types as primitives of ROS 1, which ROS 2 readers do not know. */
function withTimeTypes(field: MessageDefinitionField): MessageDefinitionField {
  switch (field.type) {
    case "time":
      return { ...field, type: "builtin_interfaces/Time", isComplex: true };
    case "duration":
      return { ...field, type: "builtin_interfaces/Duration", isComplex: true };
    default:
      return field;
  }
}
