import { beforeAll, expect, test } from "@jest/globals";
import type { RosProcess } from "../../../test/support/ros.mjs";
import { describeWithRos, runWithRos, startNode } from "../../../test/support/ros.mjs";
import type { RosPeer } from "../../../test/support/rosPeer.mjs";
import { startPeer } from "../../../test/support/rosPeer.mjs";

/** Runs lines of JavaScript in a process with ROS. @returns what it prints */
const evaluate = (lines: string, env: Readonly<Record<string, string>> = {}): Promise<string> =>
  runWithRos(["node", "--input-type=module", "-e", lines], { env });
const load = `
  import { loadRclnodejs } from "./dist/ros/rclnodejs/rclnodejs.js";
  import { Worker, isMainThread } from "node:worker_threads";
  const tell = () => loadRclnodejs().then(() => console.log("loaded"), (error) => console.log(error.code, error.message));
`;

describeWithRos("rclnodejs without the guards", () => {
  let peer: RosPeer;
  beforeAll(async () => {
    peer = await startPeer();
  });

  // Each node has a name of its own: the peer goes on seeing the services of one that was aborted.
  const configure = (name: string, id = 1): Promise<unknown> =>
    peer.call("lifecycle_msgs/srv/ChangeState", `/${name}/change_state`, { transition: { id } }, 1.5);
  const start = async (name: string): Promise<RosProcess> => {
    const node = startNode("test/ros/unguarded.mjs", [name, "--ros-args", "-r", `__node:=${name}`]);
    await node.waitFor("ready");
    return node;
  };
  const aborts = { code: null, signal: "SIGABRT" };

  test("B1: a throw in a callback aborts", async () => {
    const node = await start("throw");
    await peer.publish("std_msgs/msg/String", "/in", { data: "x" });
    expect(await node.exit).toEqual(aborts);
  });

  test("B2: an invalid transition aborts", async () => {
    const node = await start("invalid");
    await expect(configure("invalid", 3)).rejects.toThrow("no answer");
    expect(await node.exit).toEqual(aborts);
  });

  test("B3: an asynchronous transition aborts", async () => {
    const node = await start("async");
    await expect(configure("async")).rejects.toThrow("no answer");
    expect(await node.exit).toEqual(aborts);
  });

  test("B4: a throwing transition whose onError succeeds answers success", async () => {
    await start("on_error");
    expect(await configure("on_error")).toEqual({ success: true });
  });

  test("B5: an integer array on the command line ends in the constructor", async () => {
    const node = startNode("test/ros/unguarded.mjs", ["", "--ros-args", "-p", "undeclared:=[1, 2]"]);
    expect((await node.exit).code).toBe(1);
    expect(node.output).toContain("undeclared");
  });
});

describeWithRos("loadRclnodejs", () => {
  test("the module has what is used of it", async () => {
    const said = await evaluate(`${load}
      const { rcl, native } = await loadRclnodejs();
      const node = rcl.lifecycle.LifecycleNode.prototype;
      const qos = new rcl.QoS(1, 7, 2, 1);
      const missing = [
        ...["name", "namespace", "createPublisher", "createSubscription", "createService", "destroyPublisher",
            "destroySubscription", "getPublishersInfoByTopic", "spin", "execute", "init", "_getNativeParameterOverrides", "_onChangeState"]
          .filter((name) => typeof node[name] !== "function"),
        ...["currentState", "transitions"].filter((name) => !(name in node)),
        ...["getParameterOverrides", "triggerLifecycleTransitionByLabel", "log", "getNodeLoggerName"]
          .filter((name) => typeof native[name] !== "function"),
        ...["Context", "init", "removeSignalHandlers"].filter((name) => typeof rcl[name] !== "function"),
      ];
      const { KEEP_LAST } = { KEEP_LAST: rcl.QoS.HistoryPolicy.RMW_QOS_POLICY_HISTORY_KEEP_LAST };
      const { ReliabilityPolicy: r, DurabilityPolicy: d } = rcl.QoS;
      console.log(JSON.stringify([missing, qos, KEEP_LAST, r.RMW_QOS_POLICY_RELIABILITY_RELIABLE,
        r.RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT, d.RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL,
        d.RMW_QOS_POLICY_DURABILITY_VOLATILE, process.listenerCount("SIGINT")]));
    `);
    expect(JSON.parse(said)).toEqual([
      [],
      expect.objectContaining({ _history: 1, _depth: 7, _reliability: 2, _durability: 1 }),
      ...[1, 1, 2, 1, 2, 0],
    ]);
  });

  test("without ROS it names what to do, and the installation stays as it is", async () => {
    const said = await evaluate(`${load} await tell();`, { AMENT_PREFIX_PATH: "" });
    expect(said).toMatch(/^ros-unavailable ROS 2 is not sourced .*: run `source \/opt\/ros/);
    expect(await evaluate(`${load} await tell();`)).toBe("loaded\n");
  });

  test("B10: a worker thread is refused before anything is loaded", async () => {
    const said = await evaluate(`${load}
      new Worker(${JSON.stringify(`${load} void tell();`)}, { eval: true });
    `).catch((error: unknown) => String(error));
    expect(said).toContain("rclnodejs works on the main thread only");
  });
});
