import { describe, expect, test } from "@jest/globals";
import { Fault } from "../../faults/Fault.js";
import { DEFAULT_FUSION } from "../../perception/FusionPolicy.js";
import { syncOptions } from "../../sync/SyncOptions.js";
import type { ParameterOverride } from "../port/ParameterServer.js";
import { classNamesValidator } from "./classNamesValidator.js";
import { overridesFromYaml, overridesOf, rosValueOf } from "./exampleOverrides.js";
import { ParameterStore, type SettingsChange } from "./ParameterStore.js";

function storeOf(overrides: readonly ParameterOverride[], nodeName = "/ditr_perception"): ParameterStore {
  return new ParameterStore({ nodeName, overrides });
}

function storeWith(values: Readonly<Record<string, unknown>>): ParameterStore {
  return storeOf(overridesOf(values));
}

/** What a start with these values says. */
function problemOf(values: Readonly<Record<string, unknown>>): string {
  try {
    storeWith(values);
  } catch (error) {
    if (error instanceof Fault && error.code === "invalid-configuration") return error.message;
    throw error;
  }
  throw new Error("the values were accepted");
}

function set(store: ParameterStore, name: string, value: unknown): string {
  const [result] = store.set([{ name, value: rosValueOf(value) }]);
  expect(result!.successful).toBe(result!.reason === "");
  return result!.reason;
}

describe("at the start", () => {
  test("defaults are those of the program", () => {
    const { settings } = storeOf([]);
    expect(settings.fusion).toEqual(DEFAULT_FUSION);
    expect(settings.sync).toEqual(syncOptions({ cameras: {} }));
    expect(settings.clouds).toEqual([
      {
        name: "lidar",
        kind: "points",
        topic: "points",
        messageType: "sensor_msgs/msg/PointCloud2",
        qos: { reliability: "auto", durability: "volatile", depth: 2 },
        stampedByArrival: false,
      },
    ]);
    expect(settings.cameras).toEqual([]);
    expect(settings.model).toEqual({ folder: undefined, provider: "auto", threads: 0 });
    expect([settings.targetFrame, settings.intensityScale, settings.filter.probabilityThreshold]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("a parameter file with clouds and cameras becomes settings", () => {
    const { settings } = storeOf(
      overridesFromYaml(`
/robot:
  ditr_perception:
    ros__parameters:
      cloud_names: [top, depth]
      camera_names: [front, rear]
      clouds:
        top: { topic: /lidar/top, reliability: reliable }
        depth: { topic: depth/image_rect_raw, type: compressed_depth, tolerance: 0.02 }
      cameras:
        front: { transport: compressed, offset: 0.05, tolerance: 0.03, maximum_age: 0.2 }
        rear: { image_topic: /rear/image_rect_color/compressed, depth: 4 }
      sync: { max_wait: 1 }
      colors: ["car=#f59664"]
      diagnostics: { max_latency: 0.0 }
`),
      "/robot/ditr_perception",
    );
    expect(settings.clouds).toMatchObject([
      { name: "top", kind: "points", topic: "/lidar/top", qos: { reliability: "reliable" } },
      {
        kind: "depth",
        topic: "depth/image_rect_raw/compressedDepth",
        cameraInfoTopic: "depth/camera_info",
        messageType: "sensor_msgs/msg/CompressedImage",
        rectified: true,
      },
    ]);
    expect(settings.cameras).toMatchObject([
      {
        topic: "front/image_raw/compressed",
        cameraInfoTopic: "front/camera_info",
        messageType: "sensor_msgs/msg/CompressedImage",
        rectified: false,
      },
      {
        topic: "/rear/image_rect_color/compressed",
        cameraInfoTopic: "/rear/camera_info",
        messageType: "sensor_msgs/msg/CompressedImage",
        rectified: true,
        qos: { depth: 4 },
      },
    ]);
    expect([...settings.sync.cameras]).toMatchObject([
      ["depth", { tolerance: 20_000_000n }],
      ["front", { offset: 50_000_000n, tolerance: 30_000_000n, maximumAge: 200_000_000n }],
      ["rear", { offset: 0n, tolerance: 50_000_000n, maximumAge: 50_000_000n }],
    ]);
    expect(settings.sync.maxWait).toBe(1_000_000_000n);
    expect([...settings.colors]).toEqual([["car", [0xf5, 0x96, 0x64]]]);
    expect(settings.diagnostics.maxLatency).toBeUndefined();
  });

  test("the last of several values counts, and those of other nodes do not", () => {
    const overrides = overridesFromYaml(`
/**: { ros__parameters: { mode: fused, threads: 2 } }
/ns/ditr_perception: { ros__parameters: { mode: image-free } }
other: { ros__parameters: { no_parameter_of_ours: 1 } }
/ns/*: { ros__parameters: { threads: 3 } }
`);
    expect(storeOf(overrides, "/ns/ditr_perception").settings).toMatchObject({
      fusion: { mode: "image-free" },
      model: { threads: 3 },
    });
    expect(storeOf(overrides).settings).toMatchObject({ fusion: { mode: "fused" }, model: { threads: 2 } });
  });

  test.each([
    [{ mode: "fuse" }, 'mode is "fuse", but it must be one of "auto", "fused", "image-free"'],
    [{ mode: 3n }, 'mode is the integer 3, but it must be one of "auto", "fused", "image-free"'],
    [{ min_seen_share: 1.5 }, "min_seen_share is 1.5, but it must be a number from 0.0 to 1.0"],
    [{ min_seen_share: NaN }, "min_seen_share is NaN, but it must be a number from 0.0 to 1.0"],
    [{ threads: 2 }, "threads is the double 2.0, but it must be an integer from 0 to 1024"],
    [{ threads: 2n ** 63n - 1n }, "threads is 9223372036854775807, but it must be an integer from 0 to 1024"],
    [{ threads: [1n, 2n] }, "threads is the integer array [1, 2], but it must be an integer from 0 to 1024"],
    [{ deskew: "yes" }, 'deskew is the string "yes", but it must be true or false'],
    [{ "recording.seconds": -1n }, "recording.seconds is -1, but it must be a number from 0.0 to 600.0 s"],
    [
      { cloud_names: "lidar" },
      'cloud_names is the string "lidar", but it must be a list of 1 to 8 different strings, each a name of letters, digits and underscores that begins with a letter',
    ],
    [
      { "clouds.lidar.topic": "/lidar points" },
      'clouds.lidar.topic is "/lidar points", but it must be a topic name such as "/lidar/points" or "points"',
    ],
    [
      { fixed_frame: "/odom" },
      'fixed_frame is "/odom", but it must be a frame such as "base_link", without a slash in front, or empty',
    ],
    [
      { colors: ["car=red"] },
      'colors is ["car=red"], but it must be a list of different strings, each a class and its colour such as "car=#f59664"',
    ],
    [
      { cloud_names: ["a"], camera_names: ["b", "a"] },
      'cloud_names and camera_names both have "a", but a name must be of one sensor',
    ],
    [
      { "cameras.front.tolerance": 0.1 },
      'cameras.front.tolerance is given, but camera_names is [] and does not name "front"',
    ],
    [
      { camera_names: ["front"], "cameras.front.tolerence": 0.1 },
      "there is no parameter cameras.front.tolerence; did you mean cameras.front.tolerance?",
    ],
    [{ max_wait: 0.1 }, "there is no parameter max_wait; did you mean sync.max_wait?"],
    [{ min_seen_shares: 0.1 }, "there is no parameter min_seen_shares; did you mean min_seen_share?"],
    [
      { seen_share_hysteresis: 0.1 },
      "seen_share_hysteresis is 0.1, but it must be at most min_seen_share, which is 0.02",
    ],
    [
      { camera_names: ["front"], "cameras.front.maximum_age": 0.01 },
      "cameras.front.tolerance is 0.05, but it must be at most cameras.front.maximum_age, which is 0.01; 0.0 would stand for the tolerance",
    ],
    [{ colors: ["car=#000000", "car=#ffffff"] }, 'colors has several colours of "car", but one is needed'],
  ])("%j is refused with a sentence", (values, sentence) => {
    expect(problemOf(values)).toBe(sentence);
  });

  test("everything that is wrong is said at once", () => {
    expect(problemOf({ mode: "fuse", modle: "x", camera_names: ["1"], "cameras.1.depth": 3n })).toBe(
      `3 parameters cannot be used:
- camera_names is ["1"], but it must be a list of at most 8 different strings, each a name of letters, digits and underscores that begins with a letter
- mode is "fuse", but it must be one of "auto", "fused", "image-free"
- there is no parameter modle; did you mean mode or model?`,
    );
  });

  test("at most 8 cameras", () => {
    const names = Array.from({ length: 9 }, (_, index) => `camera${index}`);
    expect(storeWith({ camera_names: names.slice(1) }).settings.cameras).toHaveLength(8);
    expect(problemOf({ camera_names: names })).toMatch(/^camera_names is \["camera0",.* at most 8 /);
  });

  test("what other ROS software has in the file is left alone and said", () => {
    const store = storeWith({
      "qos_overrides./parameter_events.publisher.depth": 1000n,
      start_type_description_service: true,
      use_sim_time: true,
    });
    expect(store.ignored).toEqual([
      "qos_overrides./parameter_events.publisher.depth",
      "start_type_description_service",
    ]);
    expect(store.settings.useSimTime).toBe(true);
  });

  test("the ways in which ROS writes an empty list and an empty default", () => {
    for (const empty of [[], [""]]) {
      expect(storeWith({ camera_names: empty, "filter.classes": empty }).settings.cameras).toEqual([]);
    }
    expect(storeWith({ "clouds.lidar.topic": "" }).settings.clouds[0].topic).toBe("points");
  });

  test("its own dump starts the same node again", () => {
    const store = storeWith({ cloud_names: ["a", "b"], camera_names: ["front"], "cameras.front.offset": 1n });
    const { names } = store.list([], 0);
    const dumped = store.get(names).map((value, index) => ({ nodeName: "/**", name: names[index]!, value }));
    expect(storeOf(dumped).settings).toEqual(store.settings);
  });
});

describe("while it runs", () => {
  test("a change makes one emission with the new settings", () => {
    const store = storeWith({ camera_names: ["front"] });
    const changes: SettingsChange[] = [];
    store.settingsChanges.subscribe((change) => changes.push(change));
    const before = store.settings;
    expect(set(store, "mode", "fused")).toBe("");
    expect(
      store.setAtomically([
        { name: "cameras.front.maximum_age", value: { type: "double", value: 0.2 } },
        { name: "cameras.front.tolerance", value: { type: "double", value: 0.1 } },
      ]),
    ).toEqual({ successful: true, reason: "" });
    expect(set(store, "mode", "fused")).toBe("");
    expect(changes.map(({ names }) => [...names])).toEqual([
      ["mode"],
      ["cameras.front.tolerance", "cameras.front.maximum_age"],
    ]);
    expect(changes[0]!.previous).toBe(before);
    expect(changes[1]!.settings).toBe(store.settings);
    expect([before.fusion.mode, store.settings.fusion.mode]).toEqual(["auto", "fused"]);
    expect(store.settings.sync.cameras.get("front")).toMatchObject({
      tolerance: 100_000_000n,
      maximumAge: 200_000_000n,
    });
  });

  test("what is wrong with one of several leaves all as they were", () => {
    const store = storeOf([]);
    const before = store.settings;
    const result = store.setAtomically([
      { name: "mode", value: rosValueOf("fused") },
      { name: "min_images", value: rosValueOf(9n) },
      { name: "provider", value: rosValueOf("cpu") },
      { name: "min_image", value: rosValueOf(1n) },
    ]);
    expect(result).toEqual({
      successful: false,
      reason:
        "min_images is 9, but it must be an integer from 0 to 8; " +
        "provider is read-only: give it when the node is started; " +
        "there is no parameter min_image; did you mean min_images?",
    });
    expect(store.settings).toBe(before);
    const each = store.set([
      { name: "min_images", value: rosValueOf(9n) },
      { name: "mode", value: rosValueOf("fused") },
    ]);
    expect(each.map(({ successful }) => successful)).toEqual([false, true]);
    expect(store.settings.fusion.mode).toBe("fused");
  });

  test("values that do not fit each other are refused", () => {
    const store = storeOf([]);
    expect(set(store, "min_seen_share", 0.001)).toBe(
      "seen_share_hysteresis is 0.005, but it must be at most min_seen_share, which is 0.001",
    );
    expect(store.settings.fusion).toEqual(DEFAULT_FUSION);
  });

  test("a parameter cannot be deleted", () => {
    const store = storeWith({ "filter.classes": ["car"] });
    const deleted = ["mode", "filter.classes"].map((name) => ({ name, value: { type: "not_set" } as const }));
    expect(store.set(deleted).map(({ reason }) => reason)).toEqual([
      "mode cannot be removed",
      "filter.classes cannot be removed",
    ]);
    expect(store.settings.filter.classes).toEqual(["car"]);
  });

  test("classes are checked while a model is loaded", () => {
    const store = storeWith({ "filter.classes": ["car"] });
    const remove = store.addValidator(classNamesValidator(["car", "person", "building"]));
    expect(set(store, "filter.classes", ["preson"])).toBe(
      'filter.classes names "preson", but the model has no such class; did you mean person?',
    );
    expect(set(store, "colors", ["cart=#000000"])).toMatch(/^colors names "cart"/);
    expect(store.settings.filter.classes).toEqual(["car"]);
    expect(set(store, "filter.classes", ["person", "car"])).toBe("");
    remove();
    expect(set(store, "filter.classes", ["tree"])).toBe("");
    expect(() => store.addValidator(classNamesValidator(["car"]))).toThrow(Fault);
    expect(set(store, "filter.classes", ["bush"])).toBe("");
  });
});

describe("what the services answer", () => {
  test("get, types and descriptions of declared and undeclared parameters", () => {
    const store = storeOf([]);
    const names = ["threads", "mode", "min_seen_share", "nothing"];
    expect(store.get(names)).toEqual([
      { type: "integer", value: 0n },
      { type: "string", value: "auto" },
      { type: "double", value: 0.02 },
      { type: "not_set" },
    ]);
    expect(store.getTypes(names)).toEqual(["integer", "string", "double", "not_set"]);
    expect(store.describe(names)).toMatchObject([
      { readOnly: true, integerRange: { from: 0n, to: 1024n, step: 0n } },
      { readOnly: false, additionalConstraints: 'It must be one of "auto", "fused", "image-free".' },
      { floatingPointRange: { from: 0, to: 1, step: 0 } },
      { name: "nothing", type: "not_set", description: "" },
    ]);
  });

  test("lists as rclcpp does", () => {
    const store = storeWith({ camera_names: ["front"] });
    const all = store.list([], 0);
    expect(all.names).toEqual([...all.names].sort());
    expect(all.prefixes).toEqual([
      "cameras.front",
      "clouds.lidar",
      "diagnostics",
      "filter",
      "recording",
      "sync",
    ]);
    expect(store.list([], 1n).names).not.toContain("sync.max_wait");
    expect(store.list([], 2).names).toContain("sync.max_wait");
    expect(store.list([], 2).names).not.toContain("cameras.front.depth");
    expect(store.list(["filter"], 0)).toEqual({
      names: ["filter.classes", "filter.probability_threshold"],
      prefixes: ["filter"],
    });
    expect(store.list(["cameras", "mode"], 2)).toEqual({ names: ["mode"], prefixes: [] });
    expect(store.list(["cameras"], 3).names).toHaveLength(10);
    expect(store.list(["filt", ""], 0)).toEqual({ names: [], prefixes: [] });
  });

  test("a name without end is answered in no time", () => {
    const store = storeOf([]);
    const start = performance.now();
    expect(set(store, "x".repeat(5_000_000), 1n).length).toBeLessThan(300);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
