import { openRosNode } from "../rclnodejs/openRosNode.js";
import { runProgram } from "../runProgram.js";
import { untilSignal } from "../untilSignal.js";
import { cacheFolder } from "./driveCache.js";
import { SimulatedRobot } from "./SimulatedRobot.js";
import { SimulatorParameters } from "./simulatorParameters.js";
import { systemClock } from "./systemClock.js";

/** `ditr_simulator`: a simulated robot with LiDAR and cameras, until it is told to end. */

const NODE_NAME = "ditr_simulator";

async function run(): Promise<void> {
  const ended = untilSignal();
  const ros = await openRosNode({ name: NODE_NAME, args: process.argv });
  try {
    const parameters = new SimulatorParameters({
      nodeName: ros.fullyQualifiedName,
      overrides: ros.parameterOverrides,
    });
    ros.serveParameters(parameters);
    if (parameters.unknown.length > 0) {
      ros.log(
        "info",
        `parameters that are not of this node are left alone: ${parameters.unknown.join(", ")}`,
      );
    }
    const robot = new SimulatedRobot({
      ros,
      settings: parameters.settings,
      cacheFolder: parameters.settings.use_cache ? cacheFolder() : undefined,
      clock: systemClock,
    });
    try {
      await Promise.race([robot.run(), ended]);
      await ended;
    } finally {
      await robot.stop();
    }
  } finally {
    ros.shutdown();
  }
}

await runProgram(NODE_NAME, run);
