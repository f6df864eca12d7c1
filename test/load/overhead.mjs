// `overhead.mjs --model FOLDER [--scans 200]` with ROS sourced: latency and processor time of the perception node beside
// those of a bare echo in rclnodejs, for clouds of 120,000 points at 5 Hz without cameras. Medians of both, and the
// difference.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { decodeHeader } from "../../dist/messages/header.js";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";
import { fullCloud } from "./fullCloud.mjs";

const { values } = parseArgs({
  options: { model: { type: "string" }, scans: { type: "string", default: "200" } },
});
const PERIOD_MS = 200;
const QOS = { reliability: "reliable", durability: "volatile", depth: 5 };
const TYPE = "sensor_msgs/msg/PointCloud2";

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const processorMs = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

const ros = await openRosNode({ name: "overhead", args: process.argv });
const publisher = ros.advertise({ topic: "/points", type: TYPE, qos: QOS });
const message = fullCloud();

async function measure(name, args, topic) {
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const sentAt = new Map();
  const latencies = [];
  const subscription = ros.subscribe({
    topic,
    type: TYPE,
    qos: QOS,
    onMessage: (cdr) => {
      const at = sentAt.get(decodeHeader(cdr).stamp);
      if (at !== undefined) latencies.push(performance.now() - at);
    },
  });
  while (publisher.subscriberCount === 0 || ros.offeredQos(topic, TYPE).length === 0) await sleep(100);
  await sleep(1000);
  let stamp = BigInt(Date.now()) * 1_000_000n;
  const send = async () => {
    stamp += BigInt(PERIOD_MS) * 1_000_000n;
    message.writeInt32LE(Number(stamp / 1_000_000_000n), 4);
    message.writeUInt32LE(Number(stamp % 1_000_000_000n), 8);
    sentAt.set(stamp, performance.now());
    publisher.publish(message);
    await sleep(PERIOD_MS);
  };
  for (let i = 0; i < 20; i++) await send();
  latencies.length = 0;
  const before = processorMs(child.pid);
  const scans = Number(values.scans);
  for (let i = 0; i < scans; i++) await send();
  await sleep(1000);
  const cpu = (processorMs(child.pid) - before) / scans;
  subscription.destroy();
  child.kill("SIGINT");
  await new Promise((resolve) => child.on("exit", resolve));
  latencies.sort((a, b) => a - b);
  const row = {
    node: name,
    "of scans": `${latencies.length} of ${scans}`,
    "latency p50 ms": Number(quantile(latencies, 0.5).toFixed(1)),
    "latency p99 ms": Number(quantile(latencies, 0.99).toFixed(1)),
    "CPU ms per scan": Number(cpu.toFixed(1)),
  };
  console.log(JSON.stringify(row));
  return row;
}

const perception = (model, ...more) => [
  // As cmake/wrapper.sh.in starts the installed ditr_perception_node.
  "--single-threaded-gc",
  "dist/ros/main.js",
  "--ros-args",
  ...["-p", "clouds.lidar.reliability:=reliable", "-p", "threads:=1"],
  ...(model === undefined ? [] : ["-p", `model:=${model}`]),
  ...more,
];
const rows = [
  await measure("bare echo", ["test/load/bareEcho.mjs"], "/echo"),
  await measure("perception, smallest model", perception(values.model), "/ditr_perception/points_labelled"),
  await measure("bare echo again", ["test/load/bareEcho.mjs"], "/echo"),
];
console.table(rows);
ros.shutdown();
process.exit(0);
