import { DEFAULT_MODEL } from "../model/shippedModels.js";
import { PerceptionNode } from "./live/PerceptionNode.js";
import { ParameterStore } from "./parameters/ParameterStore.js";
import type { RosNode } from "./port/RosNode.js";
import { openRosNode } from "./rclnodejs/openRosNode.js";
import { runProgram } from "./runProgram.js";
import { untilSignal } from "./untilSignal.js";

/** `ditr_perception_node`: the perception node, until it is told to end. */

const NODE_NAME = "ditr_perception";

function parameterStore(ros: RosNode): ParameterStore {
  const store = new ParameterStore({
    nodeName: ros.fullyQualifiedName,
    overrides: ros.parameterOverrides,
  });
  if (store.ignored.length > 0) {
    ros.log("info", `parameters that are not of this node are left alone: ${store.ignored.join(", ")}`);
  }
  return store;
}

async function run(): Promise<void> {
  const ended = untilSignal();
  const ros = await openRosNode({ name: NODE_NAME, args: process.argv });
  try {
    const store = parameterStore(ros);
    ros.serveParameters(store);
    const node = new PerceptionNode({ ros, store, bundledModel: DEFAULT_MODEL });
    await Promise.race([node.start(), ended]);
    await ended;
    await node.end();
  } finally {
    ros.shutdown();
  }
}

await runProgram(NODE_NAME, run);
