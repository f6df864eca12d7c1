import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { RosProcess } from "../../../test/support/ros.mjs";
import { describeWithRos, ros2, startNode } from "../../../test/support/ros.mjs";
import type { RosPeer } from "../../../test/support/rosPeer.mjs";
import { startPeer } from "../../../test/support/rosPeer.mjs";

/** lifecycle_msgs/msg/Transition */
const ID = {
  configure: 1,
  cleanup: 2,
  activate: 3,
  deactivate: 4,
  shutdown: 5,
  transition_success: 10,
} as const;

describeWithRos("RclnodejsNode: lifecycle", () => {
  let node: RosProcess;
  let peer: RosPeer;

  beforeEach(async () => {
    node = startNode("test/ros/portNode.mjs");
    [peer] = await Promise.all([startPeer(), node.waitFor('"ready":true')]);
  });
  afterEach(() => {
    expect(node.running).toBe(true);
  });

  const request = async (transition: { readonly id?: number; readonly label?: string }): Promise<unknown> =>
    (await peer.call("lifecycle_msgs/srv/ChangeState", "/port_node/change_state", { transition }))["success"];
  const state = async (): Promise<unknown> => {
    const answer = await peer.call("lifecycle_msgs/srv/GetState", "/port_node/get_state");
    return (answer["current_state"] as { readonly label: string }).label;
  };
  /** Asks, waits for the callback, and lets it end. */
  const change = async (name: keyof typeof ID, ...results: readonly string[]): Promise<unknown> => {
    const answer = request({ id: ID[name] });
    for (const result of results) {
      await node.waitFor(`{"transition":"${result === results[0] ? name : "error"}"}`);
      node.send(`end ${result}`);
    }
    return answer;
  };

  test("a transition takes its time while ROS goes on, and its events are published", async () => {
    await peer.subscribe("lifecycle_msgs/msg/TransitionEvent", "/port_node/transition_event");
    expect(await state()).toBe("unconfigured");
    const configured = request({ id: ID.configure });
    await node.waitFor('{"transition":"configure"}');
    expect(await state()).toBe("configuring");
    expect(await peer.call("std_srvs/srv/Trigger", "/port_node/save")).toEqual({
      success: true,
      message: "saved",
    });
    node.send("end success");
    expect(await configured).toBe(true);
    expect(await state()).toBe("inactive");
    expect(await change("activate", "success")).toBe(true);
    expect(await change("deactivate", "success")).toBe(true);
    expect(await change("cleanup", "success")).toBe(true);
    expect(await change("shutdown", "success")).toBe(true);
    expect(await state()).toBe("finalized");
    const goals = peer
      .messages("/port_node/transition_event")
      .map(({ goal_state }) => (goal_state as { readonly label: string }).label);
    expect(goals).toEqual([
      ...["configuring", "inactive", "activating", "active", "deactivating", "inactive"],
      ...["cleaningup", "unconfigured", "shuttingdown", "finalized"],
    ]);
  });

  test("B2: what is no transition now is answered success=false, by number and by label", async () => {
    for (const id of [ID.activate, ID.deactivate, ID.cleanup, ID.transition_success, 0, 99, 255]) {
      expect(await request({ id })).toBe(false);
    }
    for (const label of ["activate", "transition_success", "nonsense", "create"]) {
      expect(await request({ label })).toBe(false);
    }
    const configured = request({ label: "configure" });
    await node.waitFor('{"transition":"configure"}');
    // In the transition state rcl would take these.
    for (const id of [ID.transition_success, ID.configure, ID.shutdown])
      expect(await request({ id })).toBe(false);
    expect(await request({ label: "transition_error" })).toBe(false);
    node.send("end success");
    expect([await configured, await state()]).toEqual([true, "inactive"]);
    await node.waitFor("activate is refused: the node is unconfigured, and must be inactive.");
  });

  test("B3: a callback that fails after a while answers success=false, and the state is the old one", async () => {
    expect(await change("configure", "failure")).toBe(false);
    expect(await state()).toBe("unconfigured");
  });

  test("B4: a throw with a recovery leads to unconfigured, and without one to finalized", async () => {
    expect(await change("configure", "throw", "success")).toBe(false);
    expect(await state()).toBe("unconfigured");
    await node.waitFor("thrown in configure");
    node.send("change configure");
    await node.waitFor(/("transition":"configure"[^]*){2}/);
    node.send("end error");
    await node.waitFor(/("transition":"error"[^]*){2}/);
    node.send("end throw");
    await node.waitFor('{"changed":"configure","done":false}');
    expect(await state()).toBe("finalized");
  });

  test("ros2 lifecycle and the graph services see the whole state machine", async () => {
    const graph = await peer.call(
      "lifecycle_msgs/srv/GetAvailableTransitions",
      "/port_node/get_transition_graph",
    );
    const edges = (
      graph["available_transitions"] as Readonly<Record<string, { readonly label: string }>>[]
    ).map(
      ({ transition, start_state, goal_state }) =>
        `${start_state!.label} ${transition!.label} ${goal_state!.label}`,
    );
    expect(edges).toContain("configuring transition_success inactive");
    expect(edges.length).toBeGreaterThan(20);
    const states = await peer.call(
      "lifecycle_msgs/srv/GetAvailableStates",
      "/port_node/get_available_states",
    );
    expect((states["available_states"] as unknown[]).length).toBe(11);
    expect(await ros2(["lifecycle", "nodes", "--no-daemon"])).toContain("/port_node");
    expect(await ros2(["lifecycle", "get", "--no-daemon", "/port_node"])).toContain("unconfigured [1]");
    expect(await ros2(["lifecycle", "list", "--no-daemon", "/port_node"])).toContain("- configure [1]");
  });
});
