// SensorInputs of the topics on the command line, with the reliability in front of the "=". Says what they hear as JSON
// lines.
import { performance } from "node:perf_hooks";
import { FaultLog } from "../../dist/faults/FaultLog.js";
import { SensorInputs } from "../../dist/ros/live/SensorInputs.js";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const node = await openRosNode({ name: "sensor_inputs", args: [] });
const faults = new FaultLog({ announce: ({ text }) => node.log("error", text) });
const input = (argument) => {
  const [reliability, name] = argument.split("=");
  return {
    name,
    topic: name,
    type: "sensor_msgs/msg/PointCloud2",
    // Deep enough that on a busy machine no message makes room for a newer one.
    qos: { reliability, durability: "volatile", depth: 30 },
    setsScan: true,
    onMessage: (message, topic, cdr) =>
      say({ heard: topic, stamp: Number(message.stamp), bytes: cdr.byteLength }),
  };
};
const inputs = new SensorInputs(node, process.argv.slice(2).map(input), faults);
say({ ready: true });
// As often as PerceptionNode does it.
setInterval(() => {
  const start = performance.now();
  inputs.adaptToPublishers();
  say({ lookedMs: performance.now() - start });
}, 1000);
