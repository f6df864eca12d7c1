import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "@jest/globals";
import { openBag } from "../../bag/openBag.js";
import { encodeTFMessage } from "../../messages/tfMessage.js";
import { encodeClock } from "../../messages/time.js";
import { CAMERA, endMemoryNode, makeNode, text, until } from "./memoryNode.js";

const SECOND = 1_000_000_000n;
const START = 1_800_000_000n * SECOND;

afterEach(endMemoryNode);

describe("PerceptionNode", () => {
  test("labels each cloud with its image, and tells how", async () => {
    const { ros, node, robot } = makeNode(CAMERA);
    await node.start();
    expect(ros.state).toBe("active");
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    for (const offset of [0n, 1n]) {
      const stamp = START + offset * SECOND;
      robot.sendCloud(stamp);
      robot.sendImage(stamp + 1_000_000n);
      await until(() => robot.labelled.length === Number(offset) + 1, "a labelled cloud");
    }
    const [cloud] = robot.labelled;
    expect(cloud).toMatchObject({ header: { stamp: START, frameId: "lidar" }, width: 2000 });
    expect(cloud!.fields.map(({ name }) => name)).toEqual([
      "x",
      "y",
      "z",
      "intensity",
      "label",
      "confidence",
      "rgb",
    ]);
    expect(robot.statuses[0]).toMatchObject({
      mode: "fused",
      reason: "images-available",
      pointCount: 2000,
      cameras: [{ name: "front", used: true, delta: 1_000_000n, missingReason: "" }],
    });
    await until(() => robot.diagnosis("labelling")?.level === 0, "a healthy diagnosis");
    expect(ros.callbackErrors).toBe(0);
  });

  test("labels without image when the camera sends none, and tells that", async () => {
    const { node, robot } = makeNode(CAMERA);
    await node.start();
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    expect(robot.statuses[0]).toMatchObject({
      mode: "image-free",
      reason: "no-images",
      cameras: [{ name: "front", used: false, missingReason: "never_seen" }],
    });
  });

  test("labels nothing while nobody listens", async () => {
    const { ros, node, robot } = makeNode({}, { listens: false });
    await node.start();
    robot.sendCloud(START);
    const says = (): string => robot.diagnosis("labelling")?.message ?? "";
    await until(() => says().includes("nobody listens"), "a diagnosis that nobody listens");
    const end = ros.listen("~/points_filtered");
    robot.sendCloud(START + SECOND);
    end();
    ros.listen("~/points_labelled");
    robot.sendCloud(START + 2n * SECOND);
    const published = (topic: string): number =>
      ros.published.get(`/ditr_perception/${topic}`)!.messages.length;
    await until(() => published("points_labelled") === 1, "a labelled cloud once someone listens");
    expect([published("points_filtered"), published("label_info")]).toEqual([0, 1]);
  });

  test("goes through its states: inactive keeps the model, unconfigured frees it", async () => {
    const { ros, robot } = makeNode({ autostart: { type: "bool", value: false } });
    expect(await ros.changeState("configure")).toBe(true);
    expect(ros.isSubscribed("points")).toBe(false);
    expect(ros.isSubscribed("/tf")).toBe(true);
    expect(await ros.changeState("activate")).toBe(true);
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    expect(await ros.changeState("deactivate")).toBe(true);
    expect(ros.isSubscribed("points")).toBe(false);
    expect(await ros.changeState("activate")).toBe(true);
    robot.sendCloud(START + SECOND);
    await until(() => robot.labelled.length === 2, "a labelled cloud after reactivation");
    await ros.changeState("deactivate");
    expect(await ros.changeState("cleanup")).toBe(true);
    expect(ros.isSubscribed("/tf")).toBe(false);
    expect(await ros.changeState("shutdown")).toBe(true);
    expect(ros.state).toBe("finalized");
  });

  test("a model that cannot be loaded leaves it unconfigured, and diagnostics say why", async () => {
    const { ros, node, robot } = makeNode({ model: text("/no/such/model") });
    await node.start();
    expect(ros.state).toBe("unconfigured");
    expect(ros.logLines.filter(({ severity }) => severity === "error").map(({ text: line }) => line)).toEqual(
      [expect.stringContaining("/no/such/model")],
    );
    await until(() => robot.diagnosis("model")?.level === 2, "an error in diagnostics");
    expect(robot.diagnosis("model")!.message).toContain("/no/such/model");
  });

  test("a class to filter that the model does not have is refused, at the start and later", async () => {
    const { ros, node, store } = makeNode({ "filter.classes": { type: "string_array", value: ["dragon"] } });
    await node.start();
    expect(ros.state).toBe("unconfigured");
    expect(store.set([{ name: "filter.classes", value: { type: "string_array", value: ["car"] } }])).toEqual([
      { successful: true, reason: "" },
    ]);
    await node.start();
    expect(ros.state).toBe("active");
    const [refused] = store.set([
      { name: "filter.classes", value: { type: "string_array", value: ["dragon"] } },
    ]);
    expect(refused!.successful).toBe(false);
    expect(refused!.reason).toContain("dragon");
  });

  test("uses CameraInfo that was published once, before the node was there, and frames with a slash in front", async () => {
    const { ros, node, robot } = makeNode(CAMERA);
    robot.sendCameraInfo({ latched: true });
    await node.start();
    robot.sendStaticTransform("/camera");
    const infos = (): string | undefined =>
      robot.diagnosis("camera front")?.values.find(({ key }) => key === "CameraInfo messages")?.value;
    await until(() => infos() === "1", "CameraInfo");
    expect(ros.subscriptions("front/camera_info")[0]!.qos.durability).toBe("transient_local");
    robot.sendCloud(START);
    robot.sendImage(START + 1_000_000n, "/camera");
    await until(() => robot.statuses.length === 1, "a status");
    expect(robot.statuses[0]!.cameras).toMatchObject([{ name: "front", used: true, missingReason: "" }]);
  });

  test("takes dynamic parameters up without a restart", async () => {
    const { node, robot, store } = makeNode(CAMERA);
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    const scan = async (index: bigint, imageDelay: bigint): Promise<void> => {
      const stamp = START + index * SECOND;
      robot.sendCloud(stamp);
      robot.sendImage(stamp + imageDelay);
      await until(() => robot.labelled.length === Number(index) + 1, `scan ${index.toString()}`);
    };
    await scan(0n, 0n);
    store.set([{ name: "mode", value: text("image-free") }]);
    await scan(1n, 0n);
    store.set([{ name: "mode", value: text("auto") }]);
    await scan(2n, 200_000_000n);
    store.set([{ name: "cameras.front.offset", value: { type: "double", value: 0.2 } }]);
    await scan(3n, 200_000_000n);
    expect(robot.statuses.map(({ mode, reason }) => [mode, reason])).toEqual([
      ["fused", "images-available"],
      ["image-free", "mode-parameter"],
      ["image-free", "no-images"],
      ["fused", "images-available"],
    ]);
  });

  test("names the offset at which the images of a camera would match", async () => {
    const { node, robot, store } = makeNode({
      ...CAMERA,
      "cameras.front.tolerance": { type: "double", value: 0.02 },
    });
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    const scan = async (index: number): Promise<void> => {
      const stamp = START + BigInt(index) * SECOND;
      robot.sendCloud(stamp);
      robot.sendImage(stamp + 81_000_000n);
      await until(() => robot.statuses.length === index + 1, `scan ${index}`);
    };
    for (let index = 0; index < 10; index++) await scan(index);
    const advice = "its images are 0.081 s late: set cameras.front.offset to 0.081";
    await until(() => (robot.diagnosis("camera front")?.message ?? "").endsWith(advice), "the advice");
    store.set([{ name: "cameras.front.offset", value: { type: "double", value: 0.081 } }]);
    await scan(10);
    expect(robot.statuses.map(({ mode }) => mode)).toEqual([
      ...Array<string>(10).fill("image-free"),
      "fused",
    ]);
  });

  test("takes up what is set while the model is loading", async () => {
    const { node, robot, store } = makeNode(CAMERA);
    const started = node.start();
    expect(store.set([{ name: "mode", value: text("image-free") }])).toEqual([
      { successful: true, reason: "" },
    ]);
    await started;
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    robot.sendImage(START);
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    expect(robot.statuses[0]).toMatchObject({ mode: "image-free", reason: "mode-parameter" });
  });

  test("takes the image of the middle of a scan whose points have times, or of its stamp when told", async () => {
    const { node, robot, store } = makeNode(CAMERA);
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    const scan = async (index: bigint): Promise<void> => {
      const stamp = START + index * SECOND;
      robot.sendImage(stamp);
      robot.sendCloud(stamp, 0.1);
      robot.sendImage(stamp + 48_000_000n);
      robot.sendImage(stamp + 100_000_000n);
      await until(() => robot.labelled.length === Number(index) + 1, `scan ${index.toString()}`);
    };
    await scan(0n);
    store.set([{ name: "sync.scan_midpoint", value: { type: "bool", value: false } }]);
    await scan(1n);
    const deltas = robot.statuses.map(({ cameras }) => Number(cameras[0]!.delta) / 1e6);
    expect(deltas[0]).toBeCloseTo(-2, 3);
    expect(deltas[1]).toBe(0);
  });

  test("messages that cannot be read cost themselves, and are told of", async () => {
    const { ros, node, robot } = makeNode(CAMERA);
    await node.start();
    ros.deliver("/points", Uint8Array.of(0, 1, 0, 0));
    ros.deliver("/front/image_raw", Uint8Array.of(0, 1, 0, 0, 7, 7, 7, 7, 7, 7));
    ros.deliver("/front/camera_info", Uint8Array.of(9));
    ros.deliver("/tf", Uint8Array.of(0, 1, 0, 0, 255, 255, 255, 255));
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    const lines = ros.logLines.map(({ text: line }) => line);
    for (const topic of ["/points", "/front/image_raw", "/front/camera_info", "/tf"]) {
      expect(lines.filter((line) => line.startsWith(`${topic}: `))).toHaveLength(1);
    }
    expect(ros.callbackErrors).toBe(0);
  });

  test("transforms that contradict each other are told of once, in the log and in the diagnostics", async () => {
    const { ros, node, robot } = makeNode(CAMERA);
    await node.start();
    robot.sendStaticTransform();
    const header = { stamp: 1n, frameId: "lidar" };
    const other = {
      header,
      childFrameId: "camera",
      translation: [0.5, 0, 0],
      rotation: [-0.5, 0.5, -0.5, 0.5],
    } as const;
    for (let time = 0; time < 3; time++) {
      ros.deliver("/tf_static", encodeTFMessage({ transforms: [other] }));
      robot.sendStaticTransform();
    }
    const lines = ros.logLines.map(({ text: line }) => line);
    expect(lines.filter((line) => line.includes("has several places"))).toEqual([
      "/tf_static: the static frame 'camera' has several places in 'lidar', 0.5 m and 0 degrees apart; the last holds; " +
        "leave one publisher of it",
    ]);
    await until(
      () => JSON.stringify(robot.diagnosis("faults")).includes("transforms-conflict"),
      "a diagnosis with the conflict",
    );
    expect(ros.callbackErrors).toBe(0);
  });

  test("waits for transforms that come a little later than the scan", async () => {
    const { node, robot } = makeNode({
      ...CAMERA,
      fixed_frame: text("odom"),
      transform_timeout: { type: "double", value: 10 },
    });
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    robot.sendOdometry(START - SECOND);
    robot.sendCloud(START);
    robot.sendImage(START + 1_000_000n);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(robot.labelled).toHaveLength(0);
    robot.sendOdometry(START + SECOND);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    expect(robot.statuses[0]).toMatchObject({ mode: "fused" });
  });

  test("starts anew when simulated time jumps back", async () => {
    const { ros, node, robot } = makeNode({
      ...CAMERA,
      fixed_frame: text("odom"),
      use_sim_time: { type: "bool", value: true },
    });
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    for (const [index, time] of [START, START - 600n * SECOND].entries()) {
      ros.deliver("/clock", encodeClock({ clock: time }));
      robot.sendOdometry(time - SECOND);
      robot.sendOdometry(time + SECOND);
      robot.sendCloud(time);
      robot.sendImage(time);
      await until(() => robot.labelled.length === index + 1, `a labelled cloud at ${time.toString()}`);
    }
    expect(robot.statuses.map(({ mode }) => mode)).toEqual(["fused", "fused"]);
  });

  test("a short bag that plays in a loop costs what was around the jump, and is one line in the log", async () => {
    const { ros, node, robot } = makeNode({ ...CAMERA, use_sim_time: { type: "bool", value: true } });
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    const scan = async (offset: bigint): Promise<void> => {
      const stamp = START + offset * 100_000_000n;
      robot.sendImage(stamp);
      robot.sendCloud(stamp);
      await until(
        () => robot.labelled.at(-1)?.header.stamp === stamp,
        `a labelled cloud ${offset.toString()}`,
      );
    };
    const tick = (offset: bigint): void => {
      ros.deliver("/clock", encodeClock({ clock: START + offset * 100_000_000n }));
    };
    for (const offset of [1n, 2n, 3n, 4n]) {
      tick(offset);
      await scan(offset);
    }
    // The next turn's first cloud comes before the clock; the way back is shorter than sync.jump_threshold.
    robot.sendCloud(START + 100_000_000n);
    tick(1n);
    for (const offset of [2n, 3n]) {
      tick(offset);
      await scan(offset);
    }
    // On a slow machine there are seconds between two scans of this test, which is told as well.
    const told = (): string[] =>
      ros.logLines
        .filter(({ severity, text: line }) => severity !== "info" && !/: no (cloud|image) on /.test(line))
        .map(({ text: line }) => line);
    await until(() => told().length > 0, "a notice");
    expect(told()).toEqual(["the clock jumped back, or was switched; dropped around it: 1 cloud"]);
    expect(robot.diagnosis("faults")?.level).not.toBe(2);
  });

  test("subscribes as the publishers offer, and diagnostics show it", async () => {
    const { ros, node, robot } = makeNode();
    ros.peerPublishes("points", ["best_effort"]);
    await node.start();
    const asked = (): string | undefined => ros.subscriptions("points")[0]?.qos.reliability;
    expect(asked()).toBe("best_effort");
    ros.peerPublishes("points", ["reliable"]);
    await until(() => asked() === "reliable", "a reliable subscription");
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    const values = (): Record<string, string> =>
      Object.fromEntries(
        (robot.diagnosis("cloud lidar")?.values ?? []).map(({ key, value }) => [key, value]),
      );
    await until(() => values()["Subscribed anew"] === "1", "a diagnosis that says so");
    expect(values()).toMatchObject({ Publishers: "1", Reliability: "reliable" });
  });

  test("saves what came and went as a bag that can be labelled again", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "ditr-recording-"));
    try {
      const { ros, node, robot } = makeNode({ "recording.directory": text(folder) });
      await node.start();
      robot.sendCloud(START);
      await until(() => robot.labelled.length === 1, "a labelled cloud");
      const answer = await ros.call("~/save_recording");
      expect(answer).toMatchObject({ success: true });
      const reader = await openBag(answer.message.split(":")[0]!);
      const counts = Object.fromEntries(
        reader.topics.map(({ topic, messageCount }) => [topic, messageCount] as const),
      );
      await reader.close();
      expect(counts).toMatchObject({ "/points": 1, "/ditr_perception/points_labelled": 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a recording that cannot be written is one sentence", async () => {
    const noFolder = fileURLToPath(import.meta.url);
    const { ros, node, robot } = makeNode({ "recording.directory": text(noFolder) });
    await node.start();
    robot.sendCloud(START);
    const answer = await ros.call("~/save_recording");
    expect(answer.success).toBe(false);
    expect(answer.message).toContain(noFolder);
  });
});
