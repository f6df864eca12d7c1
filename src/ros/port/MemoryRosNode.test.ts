import { describe, expect, test } from "@jest/globals";
import { MemoryRosNode } from "./MemoryRosNode.js";
import type { LifecycleCallbacks, RosQos, TransitionResult } from "./RosNode.js";

const qos: RosQos = { reliability: "reliable", durability: "volatile", depth: 5 };

function callbacks(
  replace: Partial<LifecycleCallbacks>,
  result: TransitionResult = "success",
): LifecycleCallbacks {
  const done = (): Promise<TransitionResult> => Promise.resolve(result);
  return {
    onConfigure: done,
    onActivate: done,
    onDeactivate: done,
    onCleanup: done,
    onShutdown: done,
    onError: done,
    ...replace,
  };
}

function gate(): { readonly opened: Promise<TransitionResult>; open: (result: TransitionResult) => void } {
  let open!: (result: TransitionResult) => void;
  const opened = new Promise<TransitionResult>((resolve) => (open = resolve));
  return { opened, open };
}

describe("MemoryRosNode", () => {
  test("names are resolved as ROS does", () => {
    const node = new MemoryRosNode({ name: "n", namespace: "/robot" });
    expect(node.fullyQualifiedName).toBe("/robot/n");
    expect(["points", "~/out", "/tf"].map((name) => node.resolve(name))).toEqual([
      "/robot/points",
      "/robot/n/out",
      "/tf",
    ]);
  });

  test("peers publish types, which only subscriptions of the type hear", () => {
    const node = new MemoryRosNode({ name: "n" });
    const got: number[] = [];
    node.subscribe({
      topic: "in",
      type: "std_msgs/msg/String",
      qos,
      onMessage: (cdr) => got.push(cdr[0]!),
    });
    node.peerPublishesType("/in", "std_msgs/msg/Int32");
    expect(node.offeredQos("in", "std_msgs/msg/String")).toEqual([]);
    node.peerPublishesType("/in", "std_msgs/msg/String");
    expect(node.offeredQos("in", "std_msgs/msg/String")).toHaveLength(1);
    expect(node.publishedTopics()).toEqual([
      { topic: "/in", type: "std_msgs/msg/Int32" },
      { topic: "/in", type: "std_msgs/msg/String" },
    ]);
    node.deliverTyped("/in", "std_msgs/msg/Int32", Uint8Array.of(1));
    node.deliverTyped("/in", "std_msgs/msg/String", Uint8Array.of(2));
    expect(got).toEqual([2]);
    node.shutdown();
    expect(node.publishedTopics()).toEqual([]);
  });

  test("delivers to subscriptions, keeps what is published, and counts throws", () => {
    const node = new MemoryRosNode({ name: "n" });
    const got: number[] = [];
    const subscription = node.subscribe({
      topic: "in",
      type: "std_msgs/msg/String",
      qos,
      onMessage: (cdr) => {
        got.push(cdr[0]!);
        throw new Error("bad");
      },
    });
    expect(node.offeredQos("in")).toEqual([]);
    node.peerPublishes("/in", ["reliable", "best_effort"]);
    expect(node.offeredQos("in")).toEqual([
      { reliability: "reliable", durability: "volatile" },
      { reliability: "best_effort", durability: "volatile" },
    ]);
    expect(node.subscriptions("in").map((subscribed) => subscribed.qos)).toEqual([qos]);
    node.deliver("in", Uint8Array.of(7));
    expect([got, node.callbackErrors, node.logLines[0]?.severity]).toEqual([[7], 1, "error"]);
    subscription.destroy();
    node.deliver("in", Uint8Array.of(8));
    expect(got).toEqual([7]);

    const publisher = node.advertise({ topic: "~/out", type: "std_msgs/msg/String", qos });
    const stop = node.listen("~/out");
    expect(publisher.subscriberCount).toBe(1);
    stop();
    expect(publisher.subscriberCount).toBe(0);
    publisher.publish(Uint8Array.of(1, 2));
    node.shutdown();
    publisher.publish(Uint8Array.of(3));
    expect(node.published.get("/n/out")?.messages).toEqual([Uint8Array.of(1, 2)]);
  });

  test("a throwing service answers success=false", async () => {
    const node = new MemoryRosNode({ name: "n" });
    node.serveTrigger({ service: "~/good", onCall: () => Promise.resolve("saved") });
    node.serveTrigger({ service: "~/bad", onCall: () => Promise.reject(new Error("disk full")) });
    expect(await node.call("~/good")).toEqual({ success: true, message: "saved" });
    expect(await node.call("~/bad")).toEqual({ success: false, message: "disk full" });
  });
});

describe("Lifecycle", () => {
  test("a transition takes its time, and others are refused meanwhile", async () => {
    const node = new MemoryRosNode({ name: "n" });
    const { opened, open } = gate();
    node.manage(callbacks({ onConfigure: () => opened }));
    const configured = node.changeState("configure");
    expect([node.state, node.stateLabel]).toEqual([undefined, "configuring"]);
    expect(await node.changeState("configure")).toBe(false);
    expect(await node.changeState("shutdown")).toBe(false);
    let ended = false;
    const end = node.transitionEnded().then(() => (ended = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ended).toBe(false);
    open("success");
    expect(await configured).toBe(true);
    await end;
    expect(node.state).toBe("inactive");
    expect(await node.changeState("deactivate")).toBe(false);
    expect(await node.changeState("activate")).toBe(true);
    expect(await node.changeState("cleanup")).toBe(false);
    expect(await node.changeState("shutdown")).toBe(true);
    expect(node.state).toBe("finalized");
  });

  test.each([
    ["failure", "unconfigured"],
    ["success", "inactive"],
  ] as const)("configure that ends in %s leads to %s", async (result, state) => {
    const node = new MemoryRosNode({ name: "n" });
    node.manage(callbacks({ onConfigure: () => Promise.resolve(result) }));
    expect(await node.changeState("configure")).toBe(result === "success");
    expect(node.state).toBe(state);
  });

  test.each([
    ["success", "unconfigured"],
    ["failure", "finalized"],
    ["error", "finalized"],
  ] as const)("a throw in configure is an error; onError %s leads to %s", async (recovery, state) => {
    const node = new MemoryRosNode({ name: "n" });
    const failure = new Error("no model");
    let seen: unknown;
    node.manage(
      callbacks({
        onConfigure: () => Promise.reject(failure),
        onError: (error) => {
          seen = error;
          return Promise.resolve(recovery);
        },
      }),
    );
    expect(await node.changeState("configure")).toBe(false);
    expect([node.state, seen, node.callbackErrors]).toEqual([state, failure, 1]);
  });

  test("a node that ends during a transition answers false and stays ended", async () => {
    const node = new MemoryRosNode({ name: "n" });
    const { opened, open } = gate();
    node.manage(callbacks({ onConfigure: () => opened }));
    const configured = node.changeState("configure");
    node.shutdown();
    open("success");
    expect(await configured).toBe(false);
    expect([node.state, await node.changeState("activate")]).toEqual(["finalized", false]);
  });
});
