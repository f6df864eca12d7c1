import { beforeAll, expect, test } from "@jest/globals";
import type { RosProcess } from "../../../test/support/ros.mjs";
import { describeWithRos, ros2, startNode } from "../../../test/support/ros.mjs";
import type { RosPeer } from "../../../test/support/rosPeer.mjs";
import { startPeer } from "../../../test/support/rosPeer.mjs";

const STRING = "std_msgs/msg/String";

describeWithRos("RclnodejsNode: messages and services", () => {
  let node: RosProcess;
  let peer: RosPeer;

  beforeAll(async () => {
    node = startNode("test/ros/portNode.mjs", ["--ros-args", "-r", "__ns:=/robot", "-r", "in:=/elsewhere"]);
    [peer] = await Promise.all([startPeer(), node.waitFor('"ready":true')]);
  });

  test("namespace and remapping are ROS's own", () => {
    expect(node.output).toContain('"name":"/robot/port_node","topics":["/elsewhere","/robot/port_node/out"]');
  });

  test("a message comes as CDR, alone in its buffer, which can be transferred", async () => {
    await peer.publish(STRING, "/elsewhere", { data: "hello" });
    const [, bytes] = await node.waitFor(/"heard":"hello.*","bytes":(\d+),"alone":true,"left":0/);
    expect(Number(bytes)).toBeGreaterThanOrEqual(4 + 4 + 6);
  });

  test("what is published arrives, also latched and late", async () => {
    await peer.subscribe(STRING, "/robot/port_node/out");
    await peer.subscribe(STRING, "/robot/port_node/latched", { durability: "transient_local", depth: 1 });
    expect(await peer.waitForMessage("/robot/port_node/latched")).toEqual({ data: "kept" });
    node.send("publish news");
    expect(await peer.waitForMessage("/robot/port_node/out")).toEqual({ data: "news" });
    node.send("counts");
    await node.waitFor(
      /"publishers":\[\{"reliability":"reliable","durability":"volatile"\}\],"subscribers":1/,
    );
  });

  test("what others publish is told with its type, and nothing of its own", async () => {
    await peer.publish("sensor_msgs/msg/LaserScan", "/robot/scan", {});
    let scan: unknown;
    const deadline = Date.now() + 20_000;
    for (let turn = 0; scan === undefined && Date.now() < deadline; turn++) {
      node.send(`published ${turn}`);
      const [, json] = await node.waitFor(new RegExp(`"turn":"${turn}","published":(\\[.*?\\])\\}\n`));
      const all = JSON.parse(json!) as { topic: string; type: string }[];
      scan = all.find(({ topic }) => topic === "/robot/scan");
      expect(all.filter(({ topic }) => topic.startsWith("/robot/port_node/"))).toEqual([]);
    }
    expect(scan).toEqual({ topic: "/robot/scan", type: "sensor_msgs/msg/LaserScan" });
  });

  test("log lines reach /rosout under the node's name", async () => {
    // Latched, as rcl publishes it: the line comes whether the subscription is known to the node by then or not.
    await peer.subscribe("rcl_interfaces/msg/Log", "/rosout", { depth: 100, durability: "transient_local" });
    node.send("log warn look");
    const line = await peer.waitForMessage("/rosout", ({ msg }) => msg === "look");
    expect(line).toMatchObject({ name: "robot.port_node", level: 30 });
  });

  test("Trigger services answer, and a throw answers success=false", async () => {
    const call = (name: string): Promise<unknown> =>
      peer.call("std_srvs/srv/Trigger", `/robot/port_node/${name}`);
    expect(await call("save")).toEqual({ success: true, message: "saved" });
    expect(await call("broken")).toEqual({ success: false, message: "disk full" });
  });

  test("B1: a throw in a callback is logged and counted, and the next message comes", async () => {
    await peer.publish(STRING, "/elsewhere", { data: "throw" });
    await node.waitFor("thrown in onMessage");
    await peer.publish(STRING, "/elsewhere", { data: "after" });
    await node.waitFor('"heard":"after');
    node.send("counts");
    await node.waitFor(/"callbackErrors":[12]/);
  });

  test("B14: bytes that are no message are delivered as they are, and harm nothing", async () => {
    await peer.publish(STRING, "/elsewhere", Uint8Array.of(0, 1, 0, 0, 255, 255, 255, 127, 65));
    await peer.publish(STRING, "/elsewhere", { data: "still there" });
    await node.waitFor('"heard":"still there');
    expect(node.running).toBe(true);
  });

  test("ros2 node info lists it all", async () => {
    const info = await ros2(["node", "info", "--no-daemon", "/robot/port_node"]);
    for (const line of [
      "/robot/port_node/out: std_msgs/msg/String",
      "/robot/port_node/save: std_srvs/srv/Trigger",
    ]) {
      expect(info).toContain(line);
    }
  });

  test("a type of no sourced workspace is one sentence", async () => {
    node.send("advertise no_such_msgs/msg/Thing");
    await node.waitFor(
      /"ros-unavailable","message":"The message type no_such_msgs\/msg\/Thing is in no sourced/,
    );
    node.send("advertise std_msgs/msg/NoSuchThing");
    await node.waitFor(
      /"ros-unavailable","message":"The message type std_msgs\/msg\/NoSuchThing is in no sourced/,
    );
  });

  test("after shutdown nothing is touched, and the process ends by itself", async () => {
    node.send("unsubscribe");
    node.send("unadvertise");
    node.send("shutdown");
    await node.waitFor('"shutdown":true,"publishers":[],"published":[],"subscribers":0,"state":"finalized"');
    expect(await node.exit).toEqual({ code: 0, signal: null });
  });
});
