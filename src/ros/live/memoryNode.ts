/** For tests: a perception node and the robot that it runs on, in memory, with the bundled model. */
import type { ParameterValue } from "../port/ParameterServer.js";
import { ParameterStore } from "../parameters/ParameterStore.js";
import { MemoryRosNode, type MemoryRosNodeOptions } from "../port/MemoryRosNode.js";
import { MemoryRobot } from "./MemoryRobot.js";
import { DEFAULT_MODEL } from "../../model/shippedModels.js";
import { PerceptionNode } from "./PerceptionNode.js";
import type { RestartOptions } from "./Restarts.js";

export const text = (value: string): ParameterValue => ({ type: "string", value });
export const CAMERA = { camera_names: { type: "string_array", value: ["front"] } } as const;

export interface MemoryNodeOptions {
  /** See MemoryRobot. */
  readonly listens?: boolean;
  readonly restarts?: RestartOptions;
  /** In place of a healthy one. */
  readonly ros?: (options: MemoryRosNodeOptions) => MemoryRosNode;
}

export interface MemoryNode {
  readonly ros: MemoryRosNode;
  readonly node: PerceptionNode;
  readonly store: ParameterStore;
  readonly robot: MemoryRobot;
}

let running: MemoryNode | undefined;

/** To be called after each test. */
export async function endMemoryNode(): Promise<void> {
  await running?.node.close();
  running?.ros.shutdown();
  running = undefined;
}

export function makeNode(
  parameters: Readonly<Record<string, ParameterValue>> = {},
  {
    restarts,
    ros: makeRos = (options) => new MemoryRosNode(options),
    ...robotOptions
  }: MemoryNodeOptions = {},
): MemoryNode {
  const parameterOverrides = Object.entries(parameters).map(([name, value]) => ({
    nodeName: "/**",
    name,
    value,
  }));
  const ros = makeRos({ name: "ditr_perception", parameterOverrides });
  const store = new ParameterStore({ nodeName: ros.fullyQualifiedName, overrides: ros.parameterOverrides });
  const robot = new MemoryRobot(ros, robotOptions);
  const node = new PerceptionNode({ ros, store, bundledModel: DEFAULT_MODEL, ...(restarts && { restarts }) });
  running = { ros, node, store, robot };
  return running;
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen in 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
