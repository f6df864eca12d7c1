import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { openBag } from "../../bag/openBag.js";
import { Fault } from "../../faults/Fault.js";
import { DiagnosticLevel } from "../../messages/types.js";
import { MemoryRosNode, type MemoryRosNodeOptions } from "../port/MemoryRosNode.js";
import type {
  PublisherOptions,
  RosPublisher,
  RosSubscription,
  SubscriptionOptions,
} from "../port/RosNode.js";
import { BOXES_MODEL } from "../../../test/support/boxesModel.mjs";
import { CAMERA, endMemoryNode, makeNode, text, until } from "./memoryNode.js";

const SECOND = 1_000_000_000n;
const START = 1_800_000_000n * SECOND;
const BY_HAND = { autostart: { type: "bool", value: false } } as const;

afterEach(endMemoryNode);

/** A ROS in which one type or topic is missing, and that knows what was made and not destroyed. */
class IncompleteRos extends MemoryRosNode {
  /** A type or what it begins with, or a topic. */
  missing: string | undefined;
  readonly alive = new Set<string>();

  override advertise(options: PublisherOptions): RosPublisher {
    this.#require(options);
    return this.#tracked(super.advertise(options), "publishes");
  }

  override subscribe(options: SubscriptionOptions): RosSubscription {
    this.#require(options);
    return this.#tracked(super.subscribe(options), "hears");
  }

  #require({ type, topic }: { readonly type: string; readonly topic: string }): void {
    if (this.missing === undefined || !(type.startsWith(this.missing) || topic === this.missing)) return;
    throw new Fault("ros-unavailable", `The message type ${type} is in no sourced workspace`);
  }

  #tracked<H extends RosPublisher | RosSubscription>(handle: H, verb: string): H {
    const name = `${verb} ${handle.topic}`;
    if (this.alive.has(name)) throw new Error(`the node ${name} twice`);
    this.alive.add(name);
    const destroy = handle.destroy.bind(handle);
    handle.destroy = () => {
      this.alive.delete(name);
      destroy();
    };
    return handle;
  }
}

describe("transitions that are asked for at a bad time", () => {
  test("deactivation does not wait for transforms that do not come", async () => {
    const { ros, node, robot } = makeNode({
      ...CAMERA,
      fixed_frame: text("odom"),
      transform_timeout: { type: "double", value: 10 },
    });
    await node.start();
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    robot.sendOdometry(START - SECOND);
    for (const offset of [0n, 1n, 2n]) {
      robot.sendImage(START + offset * SECOND);
      robot.sendCloud(START + offset * SECOND);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(robot.labelled).toHaveLength(0);
    const asked = performance.now();
    expect(await ros.changeState("deactivate")).toBe(true);
    expect(performance.now() - asked).toBeLessThan(5000);
    expect(robot.statuses.map(({ mode }) => mode)).toEqual(["image-free", "image-free", "image-free"]);
  });

  test("of two activations one is refused, and nothing is there twice", async () => {
    const { ros, robot } = makeNode(BY_HAND, { ros: (options) => new IncompleteRos(options) });
    const both = [ros.changeState("configure"), ros.changeState("configure")];
    expect(await Promise.all(both)).toEqual([true, false]);
    expect(await Promise.all([ros.changeState("activate"), ros.changeState("activate")])).toEqual([
      true,
      false,
    ]);
    robot.sendCloud(START);
    await until(() => robot.labelled.length > 0, "a labelled cloud");
    expect(robot.labelled).toHaveLength(1);
    const ends = [ros.changeState("deactivate"), ros.changeState("activate"), ros.changeState("shutdown")];
    expect(await Promise.all(ends)).toEqual([true, false, false]);
    expect(ros.state).toBe("inactive");
  });

  test("parameters that are set while it is inactive hold when it is activated", async () => {
    const { ros, robot, store } = makeNode({ ...CAMERA, ...BY_HAND });
    await ros.changeState("configure");
    robot.sendStaticTransform();
    robot.sendCameraInfo();
    store.set([
      { name: "cameras.front.offset", value: { type: "double", value: 0.2 } },
      { name: "filter.classes", value: { type: "string_array", value: ["road"] } },
    ]);
    await ros.changeState("activate");
    robot.sendImage(START + SECOND / 5n);
    robot.sendCloud(START);
    await until(() => robot.statuses.length === 1, "a status");
    expect(robot.statuses[0]).toMatchObject({ mode: "fused", cameras: [{ delta: 0n }] });
  });
});

describe("a ROS that lacks something", () => {
  let incomplete: IncompleteRos;
  const incompleteRos = {
    ros: (options: MemoryRosNodeOptions): MemoryRosNode => (incomplete = new IncompleteRos(options)),
  };
  const configured = (ros: IncompleteRos): string[] =>
    [...ros.alive].filter((name) => !name.endsWith("/diagnostics")).sort();

  test.each(["sensor_msgs/msg/PointCloud2", "front/camera_info"])(
    "%s: configuration fails and leaves nothing behind, and succeeds when it is there",
    async (missing) => {
      const { ros, robot } = makeNode({ ...CAMERA, ...BY_HAND }, incompleteRos);
      incomplete.missing = missing;
      expect(await ros.changeState("configure")).toBe(false);
      expect([ros.state, configured(incomplete)]).toEqual(["unconfigured", []]);
      await until(() => robot.diagnosis("model")?.level === DiagnosticLevel.ERROR, "an error in diagnostics");
      incomplete.missing = undefined;
      expect(await ros.changeState("configure")).toBe(true);
      expect(configured(incomplete)).toContain("publishes /ditr_perception/label_info");
      await ros.changeState("cleanup");
      expect(configured(incomplete)).toEqual([]);
    },
  );

  test("without vision_msgs the node says once what it does not publish, and labels", async () => {
    const { ros, node, robot } = makeNode({ model: text(BOXES_MODEL) }, incompleteRos);
    const said = (): string[] =>
      ros.logLines.map(({ text: line }) => line).filter((line) => line.includes("is not published"));
    incomplete.missing = "vision_msgs/";
    await node.start();
    expect(ros.state).toBe("active");
    expect(said()).toEqual([
      expect.stringMatching(/^~\/detections is not published: .*vision_msgs\/msg\/Detection3DArray/),
      expect.stringMatching(/^~\/label_info is not published: .*vision_msgs\/msg\/LabelInfo/),
    ]);
    ros.listen("~/detection_markers");
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    expect(ros.published.get("/ditr_perception/detection_markers")!.messages).toHaveLength(1);
    expect(said()).toHaveLength(2);
  });

  test("an activation that fails leaves nothing behind, and is forgotten when the next succeeds", async () => {
    const { ros, robot } = makeNode({ ...CAMERA, ...BY_HAND }, incompleteRos);
    await ros.changeState("configure");
    incomplete.missing = "front/image_raw";
    expect(await ros.changeState("activate")).toBe(false);
    expect([ros.state, ros.isSubscribed("points")]).toEqual(["inactive", false]);
    await until(() => robot.diagnosis("model")?.level === DiagnosticLevel.ERROR, "an error in diagnostics");
    incomplete.missing = undefined;
    expect(await ros.changeState("activate")).toBe(true);
    await until(() => robot.diagnosis("model")?.level === DiagnosticLevel.OK, "a healthy diagnosis");
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
  });
});

describe("the end of the node", () => {
  test("comes within seconds while a scan is labelled, and when it has not got further than loading the model", async () => {
    const { ros, node, robot } = makeNode();
    await node.start();
    robot.sendCloud(START);
    robot.sendCloud(START + 1n);
    const start = performance.now();
    await node.end();
    expect(performance.now() - start).toBeLessThan(4000);
    expect(ros.state).toBe("finalized");
    await endMemoryNode();

    const other = makeNode();
    const started = other.node.start();
    await other.node.end();
    expect(performance.now() - start).toBeLessThan(8000);
    await other.node.close();
    await started;
    // Not active behind the back of who ended it.
    expect(other.ros.state).not.toBe("active");
    other.robot.sendCloud(START);
    expect(other.robot.labelled).toEqual([]);
  });
});

describe("a recording that is being written", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "ditr-lifecycle-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const messagesIn = async (answer: { readonly message: string }): Promise<number> => {
    const reader = await openBag(answer.message.split(":")[0]!);
    await reader.close();
    return reader.topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
  };

  test.each(["cleanup", "the end of the node"])("outlives %s", async (end) => {
    const { ros, node, robot } = makeNode({ "recording.directory": text(folder) });
    await node.start();
    robot.sendCloud(START);
    await until(() => robot.labelled.length === 1, "a labelled cloud");
    let answered = false;
    const answer = ros.call("~/save_recording").finally(() => (answered = true));
    if (end === "cleanup") {
      await ros.changeState("deactivate");
      await ros.changeState("cleanup");
    } else {
      await node.close();
      expect(answered).toBe(true);
    }
    expect((await answer).success).toBe(true);
    expect(await messagesIn(await answer)).toBeGreaterThan(2);
  });
});
