// `killedThreads.mjs [--through node|ros|run] [--seconds 3600] [--every 120]`: a simulated drive in a loop under full load,
// while a thread of the pipeline is killed every so often, preparation and inference in turn. Through `node` it is the
// perception node on a ROS in memory, through `ros` (with ROS sourced) the program `ditr_perception_node`, through `run` the
// pipeline of `ditr run`. It prints a line a minute, and ends with code 1 unless every kill was recovered from and the memory
// stayed flat.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { decodeDiagnosticArray } from "../../dist/messages/diagnosticArray.js";
import { loopedDrive, play } from "./loopedDrive.mjs";

const { values } = parseArgs({
  options: {
    through: { type: "string", default: "node" },
    seconds: { type: "string", default: "3600" },
    every: { type: "string", default: "120" },
    columns: { type: "string", default: "1800" },
  },
});
const seconds = Number(values.seconds);
const every = Number(values.every);
const root = fileURLToPath(new URL("../..", import.meta.url));
const MODEL = path.join(root, "models", "street-tiny");
/** A restart waits a second, loads the model and warms it up, on a machine that is busy. */
const RECOVERY_LIMIT_S = 60;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const count = { labelled: 0, failed: 0, superseded: 0, restarts: 0 };
const lostTexts = new Set();
let pid = process.pid;

function readDiagnostics(cdr) {
  for (const { name, values: pairs } of decodeDiagnosticArray(cdr).status) {
    const found = Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
    if (name.endsWith(": model")) count.restarts = Number(found.Restarts ?? 0);
    if (name.endsWith(": labelling")) count.superseded = Number(found.Superseded ?? 0);
  }
}

/** @returns how to kill a thread, and how to end */
async function throughNode(drive) {
  const { killThread } = await import("../support/pipelineThreads.mjs");
  const { MemoryRosNode } = await import("../../dist/ros/port/MemoryRosNode.js");
  const { ParameterStore } = await import("../../dist/ros/parameters/ParameterStore.js");
  const { PerceptionNode } = await import("../../dist/ros/live/PerceptionNode.js");
  const ros = new MemoryRosNode({ name: "ditr_perception", parameterOverrides: parameters() });
  const store = new ParameterStore({ nodeName: ros.fullyQualifiedName, overrides: ros.parameterOverrides });
  const node = new PerceptionNode({ ros, store, bundledModel: MODEL });
  ros.listen("~/points_labelled", () => count.labelled++);
  ros.listen("/diagnostics", readDiagnostics);
  await node.start();
  const stop = play(drive, (topic, _, cdr) => ros.deliver(topic, cdr));
  // It keeps what was published, for tests that look at it.
  const forget = setInterval(() => {
    for (const { messages } of ros.published.values()) messages.length = 0;
    ros.logLines.length = 0;
  }, 1000);
  return {
    kill: killThread,
    end: async () => {
      stop();
      clearInterval(forget);
      await node.close();
      ros.shutdown();
    },
  };
}

async function throughRos(drive) {
  const { openRosNode } = await import("../../dist/ros/rclnodejs/openRosNode.js");
  const args = [
    "--single-threaded-gc",
    "--import",
    "./test/load/killOnSignal.mjs",
    "dist/ros/main.js",
    "--ros-args",
  ];
  for (const { name, value } of parameters()) args.push("-p", `${name}:=${shown(value)}`);
  // As the installed wrapper starts it.
  const env = { MALLOC_ARENA_MAX: "2", ...process.env };
  const node = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => node.on("exit", (code, signal) => resolve(code ?? signal)));
  pid = node.pid;
  const ros = await openRosNode({ name: "looped_drive", args: process.argv });
  const RELIABLE = { reliability: "reliable", durability: "volatile", depth: 5 };
  const listen = (topic, type, onMessage) => ros.subscribe({ topic, type, qos: RELIABLE, onMessage });
  listen("/ditr_perception/points_labelled", "sensor_msgs/msg/PointCloud2", () => count.labelled++);
  listen("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", readDiagnostics);
  const publishers = new Map();
  const stop = play(drive, (topic, type, cdr) => {
    if (!publishers.has(topic)) {
      const qos = topic === "/tf_static" ? { ...RELIABLE, durability: "transient_local" } : RELIABLE;
      publishers.set(topic, ros.advertise({ topic, type, qos }));
    }
    publishers.get(topic).publish(cdr);
  });
  while (count.labelled === 0) await sleep(200);
  return {
    // The program kills them in turn, as this one does.
    kill: () => node.kill("SIGUSR2"),
    end: async () => {
      stop();
      node.kill("SIGINT");
      const code = await ended;
      ros.shutdown();
      if (code !== 0) throw new Error(`the node ended with ${code}`);
    },
  };
}

function shown({ type, value }) {
  return type === "integer" ? String(value) : JSON.stringify(value);
}

function parameters() {
  const { front, rear } = { front: "/camera/front/", rear: "/camera/rear/" };
  const all = {
    "clouds.lidar.topic": "/lidar/points",
    camera_names: ["front", "rear"],
    "cameras.front.image_topic": `${front}image_raw`,
    "cameras.front.camera_info_topic": `${front}camera_info`,
    "cameras.front.transport": "compressed",
    "cameras.rear.transport": "compressed",
    "cameras.rear.image_topic": `${rear}image_raw`,
    "cameras.rear.camera_info_topic": `${rear}camera_info`,
    threads: 1,
  };
  return Object.entries(all).map(([name, value]) => ({
    nodeName: "/**",
    name,
    value: Array.isArray(value)
      ? { type: "string_array", value }
      : typeof value === "number"
        ? { type: "integer", value: BigInt(value) }
        : { type: "string", value },
  }));
}

async function throughRun(looped) {
  const { killThread } = await import("../support/pipelineThreads.mjs");
  const { ModelBundle } = await import("../../dist/model/ModelBundle.js");
  const { RestartingPipeline } = await import("../../dist/perception/RestartingPipeline.js");
  const { loopedFrames } = await import("./loopedFrames.mjs");
  const pipeline = await RestartingPipeline.start({
    bundle: await ModelBundle.load(MODEL),
    provider: "cpu",
    threads: 1,
    fusion: { mode: "auto", minImages: 1, minSeenShare: 0.01, seenShareHysteresis: 0 },
  });
  let ending = false;
  const ended = (async () => {
    for await (const outcome of pipeline.label(loopedFrames(looped, () => ending))) {
      if (outcome.kind === "labelled") count.labelled++;
      else {
        count.failed++;
        lostTexts.add(outcome.fault.message.replace(/ at [\d.]+ n?s/, ""));
      }
    }
  })();
  return {
    kill: killThread,
    end: async () => {
      ending = true;
      await ended;
      await pipeline.close();
    },
  };
}

const drive = await loopedDrive({ scans: 10, columns: Number(values.columns) });
const subject = await { node: throughNode, ros: throughRos, run: throughRun }[values.through](drive);
const begin = performance.now();
const elapsed = () => (performance.now() - begin) / 1000;
const rss = () =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1]) / 1000);
const samples = [];
const rows = [];
const sampling = setInterval(() => samples.push(rss()), 1000);
const reporting = setInterval(() => {
  rows.push({ "at s": Math.round(elapsed()), "RSS MB": rss(), kills: kills.length, ...count });
  console.log(JSON.stringify(rows.at(-1)));
}, 60_000);

const kills = [];
while (elapsed() < seconds) {
  await sleep(Math.min(every, seconds - elapsed()) * 1000);
  if (elapsed() >= seconds) break;
  const which = kills.length % 2 === 0 ? "preparation" : "inference";
  const before = { ...count };
  const at = elapsed();
  // One that was asked for nothing yet cannot be killed.
  while (subject.kill(which) === false) await sleep(20);
  const recovered = () =>
    values.through === "run" ? count.failed > before.failed : count.restarts > before.restarts;
  while (!recovered() && elapsed() - at < RECOVERY_LIMIT_S) await sleep(20);
  const restarted = count.labelled;
  while (count.labelled < restarted + 3 && elapsed() - at < RECOVERY_LIMIT_S) await sleep(20);
  const took = elapsed() - at;
  kills.push({
    which,
    "at s": Math.round(at),
    "labels again after s": took < RECOVERY_LIMIT_S ? Number(took.toFixed(1)) : "NEVER",
    "scans lost": values.through === "run" ? count.failed - before.failed : "",
  });
  console.log(JSON.stringify(kills.at(-1)));
}
clearInterval(sampling);
clearInterval(reporting);
await subject.end();
console.table(rows);
console.table(kills);
for (const text of lostTexts) console.log(text);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const quarter = (index) =>
  median(samples.slice((index * samples.length) / 4, ((index + 1) * samples.length) / 4));
// The first quarter fills buffers and the last seconds that are kept for a recording.
const [early, late] = [quarter(1), quarter(3)];
const isFlat = late < 1.1 * early + 20;
const recovered = kills.filter((kill) => kill["labels again after s"] !== "NEVER").length;
console.log(
  `${recovered} of ${kills.length} kills recovered, ${count.labelled} scans labelled, ${count.superseded} superseded, ` +
    `${count.failed} lost; RSS ${early} MB in the second quarter, ${late} MB in the last, at most ${Math.max(...samples)} MB: ` +
    (isFlat ? "flat" : "NOT FLAT"),
);
process.exit(recovered === kills.length && kills.length > 0 && isFlat ? 0 : 1);
