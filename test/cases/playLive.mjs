/** Plays a recording into the live node, message by message in the order of its log times, and gathers what it says. */
import { chooseInputs } from "../../dist/bag/labelling/chooseInputs.js";
import { inspectBag } from "../../dist/bag/labelling/inspectBag.js";
import { openBag } from "../../dist/bag/openBag.js";
import { decodeDiagnosticArray } from "../../dist/messages/diagnosticArray.js";
import { encodeClock } from "../../dist/messages/time.js";
import { endMemoryNode, makeNode, until } from "../../dist/ros/live/memoryNode.js";

/** Wall time of a scan, milliseconds: long enough for one to be labelled and for a report of diagnostics. */
const SCAN_MS = 1500;
/** The same of a recording that is played slowly; an image of it that is 4 scans late comes within the longest wait. */
const STRETCHED_SCAN_MS = 1800;
/** After the last message, and after the start, so that rules about silence hold. */
const AFTER_MS = 2500;
const SILENCE_MS = 6500;
/** A scan that has not been labelled by then is lost. */
const LOST_MS = 4000;
/** Of a node that hears a recording; it waits for images as long as a loaded machine takes to deliver them. */
const PARAMETERS = { use_sim_time: true, "sync.max_wait": 1 };
const IMAGE_TYPES = ["sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {string} file a recording
 * @param {import("./liveExpectations.mjs").LiveExpectation} expectation
 * @returns what was labelled, and the lines of the log and of /diagnostics
 */
export async function playLive(file, expectation) {
  const reader = await openBag(file);
  try {
    const { inputs, selection, topics } = await chosen(reader, expectation);
    const { ros, node, robot } = makeNode(
      parametersOf({ ...inputs, ...PARAMETERS, ...expectation.parameters }),
    );
    for (const { topic, type } of topics) ros.peerPublishesType(topic, type);
    const renamed = expectation.renamed ?? ((topic) => transformsOf(selection, topic));
    await node.start();
    const started = performance.now();
    await play(reader, { ros, robot, renamed, cloud: inputs["clouds.lidar.topic"], ...expectation });
    await sleep(Math.max(AFTER_MS, started + SILENCE_MS - performance.now()));
    await until(() => robot.diagnosis("model") !== undefined, "diagnostics");
    const reports = ros.published
      .get("/diagnostics")
      .messages.map((cdr) => decodeDiagnosticArray(cdr).status);
    return {
      state: ros.state,
      callbackErrors: ros.callbackErrors,
      parameters: inputs,
      statuses: robot.statuses,
      clouds: robot.labelled,
      log: ros.logLines.map(({ severity, text }) => `${severity}: ${text}`),
      diagnostics: [...new Set(reports.flat().flatMap(linesOf))],
    };
  } finally {
    await endMemoryNode();
    await reader.close();
  }
}

function linesOf({ level, name, message, values }) {
  return [
    ...(level === 0 ? [] : [`${name}: ${message}`]),
    ...values
      .filter(({ key }) => /^Last (error|warning)$/.test(key))
      .map(({ key, value }) => `${key}: ${value}`),
  ];
}

/** What a user would choose: what `ditr inspect` shows, and the sensor's own topic where that is no help. */
async function chosen(reader, { types = {}, renamed }) {
  const summary = await inspectBag(reader);
  let selection;
  try {
    selection = chooseInputs(summary, {});
  } catch (error) {
    if (error.code === undefined) throw error;
  }
  const topics = reader.topics.map(({ topic, type }) => ({
    topic: transportOf(renamed === undefined ? transformsOf(selection, topic) : renamed(topic), type),
    type: types[topic] ?? type,
  }));
  const cloud = selection?.clouds[0] ?? {
    kind: "points",
    topic: (
      topics.find(({ type }) => type.endsWith("/PointCloud2")) ??
      topics.find(({ topic }) => /points|lidar|packets/.test(topic))
    ).topic,
  };
  const images = topics.filter(({ type }) => IMAGE_TYPES.includes(type));
  const video = Object.keys(types).find((topic) => /image/.test(topic));
  const camera =
    selection?.cameras[0] ??
    (images.length > 0 && cloud.kind === "points"
      ? { imageTopic: images[0].topic }
      : video && { imageTopic: video.slice(0, video.lastIndexOf("/")) });
  const inputs = {
    cloud_names: ["lidar"],
    "clouds.lidar.topic": cloud.topic,
    ...(cloud.kind === "depth" && {
      "clouds.lidar.type": topics.find(({ topic }) => topic === cloud.topic).type.endsWith("/Image")
        ? "depth"
        : "compressed_depth",
      "clouds.lidar.camera_info_topic": cloud.cameraInfoTopic,
    }),
    ...(camera && {
      camera_names: ["front"],
      "cameras.front.image_topic": camera.imageTopic,
      "cameras.front.transport": images
        .find(({ topic }) => topic === camera.imageTopic || topic === `${camera.imageTopic}/compressed`)
        ?.type.endsWith("/CompressedImage")
        ? "compressed"
        : "raw",
      ...(camera.cameraInfoTopic && { "cameras.front.camera_info_topic": camera.cameraInfoTopic }),
    }),
  };
  return { inputs, selection, topics };
}

/** The transforms of the cloud's robot are remapped to where the node looks for them. */
function transformsOf(selection, topic) {
  if (selection === undefined || !/\/tf(_static)?$/.test(topic)) return topic;
  return selection.tfTopics.includes(topic) ? topic.slice(topic.lastIndexOf("/")) : topic;
}

/** Of images that are compressed without saying so in their topic: remapped as the node's documents say. */
function transportOf(topic, type, cloud) {
  if (!type.endsWith("/CompressedImage")) return topic;
  if (topic === cloud) return topic.endsWith("/compressedDepth") ? topic : `${topic}/compressedDepth`;
  return /\/compressed(Depth)?$/.test(topic) ? topic : `${topic}/compressed`;
}

/**
 * At the rate of the recording, but that each cloud waits until those before it have been labelled or lost. Where that would
 * change what comes together, the whole recording is stretched instead.
 */
async function play(reader, { ros, robot, renamed, cloud, types = {}, stretched = false }) {
  const messages = [];
  for await (const message of reader.messages()) messages.push({ ...message, data: message.data.slice() });
  messages.sort((a, b) => Number(a.logTime - b.logTime));
  const isCloud = ({ topic }) => topic.startsWith(cloud);
  const cloudTimes = messages.filter(isCloud).map(({ logTime }) => Number(logTime));
  const period = (cloudTimes.at(-1) - cloudTimes[0]) / 1e6 / (cloudTimes.length - 1);
  const rate = stretched ? period / STRETCHED_SCAN_MS : 1;
  let began = performance.now();
  let [sent, last] = [0, -Infinity];
  /** Takes no time of the recording. */
  const turn = async () => {
    const since = performance.now();
    while (robot.statuses.length < sent && performance.now() < since + LOST_MS) await sleep(10);
    await sleep(Math.max(0, last + SCAN_MS - performance.now()));
    sent = robot.statuses.length + 1;
    last = performance.now();
    began += last - since;
  };
  for (const message of messages) {
    const { topic, type, data, logTime } = message;
    const due = Number(logTime - messages[0].logTime) / 1e6 / rate;
    while (began + due - performance.now() > 1) await sleep(Math.min(100, began + due - performance.now()));
    if (isCloud(message) && !stretched) await turn();
    ros.deliver("/clock", encodeClock({ clock: logTime }));
    if (types[topic] === undefined) ros.deliverTyped(transportOf(renamed(topic), type, cloud), type, data);
  }
}

function parametersOf(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (Array.isArray(value)) return [name, { type: "string_array", value }];
      if (typeof value === "string") return [name, { type: "string", value }];
      if (typeof value === "boolean") return [name, { type: "bool", value }];
      return [
        name,
        name.endsWith("_size") ? { type: "integer", value: BigInt(value) } : { type: "double", value },
      ];
    }),
  );
}
