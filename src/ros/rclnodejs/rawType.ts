import { Fault } from "../../faults/Fault.js";
import type { RclRawType } from "./rclnodejs.js";

/**
 * Stands for a message class where messages go in and out as CDR. rclnodejs would generate one into its own folder at
 * the first use of a type, and keep it when the definition changes; only the type's name is needed.
 *
 * @param name sensor_msgs/msg/PointCloud2
 */
export function rawType(name: string): RclRawType {
  const [pkgName, subFolder, interfaceName] = name.split("/") as [string, string, string];
  // rclnodejs looks whether it is a function.
  return Object.assign(() => undefined, { type: () => ({ pkgName, subFolder, interfaceName }) });
}

/** What `create` makes with the type. @throws Fault ros-unavailable when no sourced workspace has the type */
export function withRawType<T>(name: string, create: (type: RclRawType) => T): T {
  try {
    return create(rawType(name));
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes("typesupport")) throw error;
    throw new Fault(
      "ros-unavailable",
      `The message type ${name} is in no sourced ROS 2 workspace: install the package ${name.split("/")[0]!} or source the workspace that has it (${message}).`,
      { cause: error },
    );
  }
}
