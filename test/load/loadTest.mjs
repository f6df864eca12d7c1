// `loadTest.mjs --seconds 600 --model FOLDER [--cameras 6]` with ROS sourced: the node against test/load/sensors.mjs, a table
// of what /diagnostics and the kernel say of it every twentieth of the time, and its event-loop delay over all of it. It
// listens to labelled clouds itself.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { decodeDiagnosticArray } from "../../dist/messages/diagnosticArray.js";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    model: { type: "string" },
    cameras: { type: "string", default: "6" },
    "max-wait": { type: "string", default: "0.1" },
    // As cmake/wrapper.sh.in starts the installed ditr_perception_node.
    "node-options": { type: "string", default: "--single-threaded-gc" },
  },
});
const seconds = Number(values.seconds);
const cameras = Array.from({ length: Number(values.cameras) }, (_, i) => `camera${i}`);
const parameters = path.join(mkdtempSync(path.join(tmpdir(), "ditr-load-")), "parameters.yaml");
writeFileSync(
  parameters,
  [
    "/**:",
    "  ros__parameters:",
    `    model: ${values.model ?? '""'}`,
    "    threads: 1",
    "    clouds.lidar.reliability: reliable",
    `    camera_names: [${cameras.join(", ")}]`,
    ...cameras.map((name) => `    cameras.${name}.reliability: reliable`),
    `    sync.max_wait: ${values["max-wait"]}`,
    "",
  ].join("\n"),
);
const start = (...args) => spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });

const node = start(
  ...values["node-options"].split(" ").filter((option) => option !== ""),
  ...["--import", "./test/load/eventLoopDelay.mjs", "dist/ros/main.js"],
  ...["--ros-args", "--params-file", parameters],
);
let log = "";
node.stdout.on("data", (data) => (log += data));
const ros = await openRosNode({ name: "load_test", args: process.argv });
let received = 0;
const diagnosis = new Map();
ros.subscribe({
  topic: "/ditr_perception/points_labelled",
  type: "sensor_msgs/msg/PointCloud2",
  qos: { reliability: "reliable", durability: "volatile", depth: 5 },
  onMessage: () => received++,
});
ros.subscribe({
  topic: "/diagnostics",
  type: "diagnostic_msgs/msg/DiagnosticArray",
  qos: { reliability: "reliable", durability: "volatile", depth: 5 },
  onMessage: (cdr) => {
    for (const { name, message, values: pairs } of decodeDiagnosticArray(cdr).status) {
      diagnosis.set(name.slice("ditr_perception: ".length), {
        message,
        ...Object.fromEntries(pairs.map(({ key, value }) => [key, value])),
      });
    }
  },
});
while (!diagnosis.get("model")?.message.startsWith("active")) await new Promise((go) => setTimeout(go, 200));

const sensors = start("test/load/sensors.mjs", "--seconds", String(seconds), "--cameras", values.cameras);
let sent = "";
sensors.stdout.on("data", (data) => (sent += data));
const ended = new Promise((resolve) => sensors.on("exit", resolve));
const rows = [];
const processorSeconds = () => {
  const fields = readFileSync(`/proc/${node.pid}/stat`, "latin1").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const sample = () => {
  const host = diagnosis.get("host");
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, "latin1"))[1];
  rows.push({
    "at s": Math.round((performance.now() - begin) / 1000),
    "RSS MB": Math.round(Number(rss) / 1000),
    "CPU s": Math.round(processorSeconds()),
    "loop p50 ms": host?.["Event loop delay p50 (ms)"],
    "loop p99 ms": host?.["Event loop delay p99 (ms)"],
    "loop max ms": host?.["Event loop delay max (ms)"],
    labelled: received,
    superseded: diagnosis.get("labelling")?.Superseded,
    "latency p50 / p99 ms": diagnosis.get("labelling")?.["Latency p50 / p99 (ms)"],
  });
  console.log(JSON.stringify(rows.at(-1)));
};
// Neither the loading of the model nor the end of the sensors counts.
node.kill("SIGUSR2");
const begin = performance.now();
const timer = setInterval(sample, (seconds / 20) * 1000);
await ended;
clearInterval(timer);
await new Promise((go) => setTimeout(go, 3000));
sample();
console.table(rows);
console.log("sent:", sent.trim());
for (const subject of ["cloud lidar", "camera camera0", "synchronization", "labelling", "faults"]) {
  console.log(subject, JSON.stringify(diagnosis.get(subject)));
}
console.log(log.trim());
node.kill("SIGINT");
await new Promise((resolve) => node.on("exit", resolve));
ros.shutdown();
process.exit(0);
