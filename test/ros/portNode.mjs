// A node with everything that RosNode offers, for the tests of src/ros/rclnodejs. Says what happens as JSON lines;
// does what it reads on stdin.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Subject } from "rxjs";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";

const say = (what) =>
  process.stdout.write(
    `${JSON.stringify(what, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}\n`,
  );
const node = await openRosNode({ name: "port_node", args: process.argv.slice(2) });
const qos = { reliability: "reliable", durability: "volatile", depth: 5 };
const type = "std_msgs/msg/String";

const input = node.subscribe({
  topic: "in",
  type,
  qos,
  onMessage: (cdr) => {
    const text = Buffer.from(cdr).toString("latin1", 8);
    const alone = cdr.byteOffset === 0 && cdr.buffer.byteLength === cdr.byteLength;
    const moved = structuredClone(cdr, { transfer: [cdr.buffer] });
    say({ heard: text, bytes: moved.byteLength, alone, left: cdr.byteLength });
    if (text.includes("throw")) throw new Error("thrown in onMessage");
  },
});
const output = node.advertise({ topic: "~/out", type, qos });
const latched = node.advertise({
  topic: "~/latched",
  type,
  qos: { ...qos, durability: "transient_local", depth: 1 },
});
const stringMessage = (text) => {
  const bytes = Buffer.alloc(8 + text.length + 1);
  bytes.writeUInt32LE(0x100, 0);
  bytes.writeUInt32LE(text.length + 1, 4);
  bytes.write(text, 8, "latin1");
  return new Uint8Array(bytes);
};
latched.publish(stringMessage("kept"));
node.serveTrigger({ service: "~/save", onCall: () => Promise.resolve("saved") });
node.serveTrigger({ service: "~/broken", onCall: () => Promise.reject(new Error("disk full")) });

// Each transition waits for a line "end success|failure|error|throw".
let end;
const transition = (name) => () => {
  say({ transition: name });
  return new Promise((resolve, reject) => {
    end = (result) => (result === "throw" ? reject(new Error(`thrown in ${name}`)) : resolve(result));
  });
};
node.manage({
  onConfigure: transition("configure"),
  onActivate: transition("activate"),
  onDeactivate: transition("deactivate"),
  onCleanup: transition("cleanup"),
  onShutdown: transition("shutdown"),
  onError: transition("error"),
});

const values = new Map(
  Object.entries({
    flag: { type: "bool", value: true },
    count: { type: "integer", value: 1n },
    ratio: { type: "double", value: 0.5 },
    text: { type: "string", value: "grün" },
    bytes: { type: "byte_array", value: [0, 255] },
    flags: { type: "bool_array", value: [true, false] },
    counts: { type: "integer_array", value: [1n, -2n, 9007199254740993n] },
    ratios: { type: "double_array", value: [0.25, -1] },
    texts: { type: "string_array", value: ["a", ""] },
  }),
);
const changed = new Subject();
const set = (parameters) =>
  parameters.map(({ name, value }) => {
    say({ set: name, value });
    const now = values.get(name);
    if (now?.type !== value.type) return { successful: false, reason: `${name} is no ${value.type}` };
    values.set(name, value);
    changed.next([{ name, value }]);
    return { successful: true, reason: "" };
  });
node.serveParameters({
  list: (prefixes, depth) => {
    say({ list: prefixes, depth });
    return { names: [...values.keys()], prefixes: [] };
  },
  describe: (names) =>
    names.map((name) => ({
      name,
      type: values.get(name)?.type ?? "not_set",
      description: `what ${name} is`,
      additionalConstraints: "",
      readOnly: name === "flag",
      dynamicTyping: false,
      ...(name === "count" && { integerRange: { from: -5n, to: 5n, step: 1n } }),
      ...(name === "ratio" && { floatingPointRange: { from: 0, to: 1, step: 0 } }),
    })),
  get: (names) => names.map((name) => values.get(name) ?? { type: "not_set" }),
  getTypes: (names) => names.map((name) => values.get(name)?.type ?? "not_set"),
  set,
  setAtomically: (parameters) =>
    set(parameters).find((result) => !result.successful) ?? { successful: true, reason: "" },
  changed,
});

const commands = {
  publish: async (text) => {
    while (output.subscriberCount === 0) await sleep(10);
    output.publish(stringMessage(text));
  },
  log: (severity, text) => node.log(severity, text),
  end: (result) => end(result),
  change: async (name) => say({ changed: name, done: await node.changeState(name) }),
  counts: () =>
    say({
      publishers: node.offeredQos("in", type),
      subscribers: output.subscriberCount,
      callbackErrors: node.callbackErrors,
      state: node.state ?? null,
    }),
  advertise: (unknown) => {
    try {
      node.advertise({ topic: "x", type: unknown, qos });
    } catch ({ code, message }) {
      say({ code, message });
    }
  },
  published: (turn) => say({ turn, published: node.publishedTopics() }),
  unsubscribe: () => input.destroy(),
  unadvertise: () => output.destroy(),
  shutdown: () => {
    node.shutdown();
    node.shutdown();
    output.publish(stringMessage("late"));
    node.log("info", "late");
    say({
      shutdown: true,
      publishers: node.offeredQos("in", type),
      published: node.publishedTopics(),
      subscribers: output.subscriberCount,
      state: node.state,
    });
    process.stdin.destroy();
  },
};
say({
  ready: true,
  name: node.fullyQualifiedName,
  topics: [input.topic, output.topic],
  overrides: node.parameterOverrides,
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, ...rest] = line.split(" ");
  void commands[name](...rest);
});
