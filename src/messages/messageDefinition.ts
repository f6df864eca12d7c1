import rosmsg from "@foxglove/rosmsg";
import { ros2humble } from "@foxglove/rosmsg-msgs-common";

type MessageDefinition = ReturnType<typeof rosmsg.parse>[number];
type MessageDefinitionField = MessageDefinition["definitions"][number];

/** vision_msgs (branch ros2, 4.x), which the common definitions lack. */
const VISION_MSGS: Readonly<Record<string, MessageDefinition>> = {
  "vision_msgs/VisionClass": {
    name: "vision_msgs/VisionClass",
    definitions: rosmsg.parse("uint16 class_id\nstring class_name", { ros2: true })[0]!.definitions,
  },
  "vision_msgs/LabelInfo": {
    name: "vision_msgs/LabelInfo",
    definitions: rosmsg.parse(
      "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold",
      { ros2: true, skipTypeFixup: true },
    )[0]!.definitions,
  },
};

const DEFINITIONS: Readonly<Record<string, MessageDefinition>> = { ...ros2humble, ...VISION_MSGS };

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
