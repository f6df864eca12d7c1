import { Fault } from "../../faults/Fault.js";
import type { RosNode } from "../port/RosNode.js";
import { RclnodejsNode } from "./RclnodejsNode.js";
import { safeNodeClass } from "./nodeClass.js";
import { overridesFromNative } from "./parameterMessages.js";
import { loadRclnodejs } from "./rclnodejs.js";

export interface OpenRosNodeOptions {
  /** Where the command line does not rename it (`__node:=`). */
  readonly name: string;
  /** Where the command line does not say otherwise (`__ns:=`); "" by default. */
  readonly namespace?: string;
  /** The command line; rcl reads what follows --ros-args. */
  readonly args: readonly string[];
  /** Gets what a callback threw, after it was logged and counted. */
  readonly onCallbackError?: (error: unknown) => void;
}

/**
 * Makes a node in ROS 2. Its callbacks run from now on, on the main thread.
 *
 * @throws Fault ros-unavailable where ROS 2 or rclnodejs is missing, invalid-configuration where rcl refuses the
 *   command line or a parameter file
 */
export async function openRosNode(options: OpenRosNodeOptions): Promise<RosNode> {
  const { name, namespace = "", args, onCallbackError } = options;
  const { rcl, native } = await loadRclnodejs();
  const context = new rcl.Context();
  try {
    await rcl.init(context, [...args]);
  } catch (error) {
    const reason = (error as Error).message.split(", at ")[0]!;
    throw new Fault("invalid-configuration", `ROS 2 refuses the command line: ${reason}`, { cause: error });
  }
  const Node = safeNodeClass(rcl.lifecycle.LifecycleNode);
  const node = new Node(name, namespace, context, {
    startParameterServices: false,
    startTypeDescriptionService: false,
    // In Humble rcl itself has made the publisher of /rosout by then, and warns of a second.
    enableRosout: process.env["ROS_DISTRO"] !== "humble",
  });
  const overrides = overridesFromNative(native.getParameterOverrides(context.handle));
  return new RclnodejsNode({ rcl, native, context, node, overrides, onCallbackError });
}
