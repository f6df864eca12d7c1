import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { RosProcess } from "../../../test/support/ros.mjs";
import { describeWithRos, ros2, startNode } from "../../../test/support/ros.mjs";
import type { RosPeer } from "../../../test/support/rosPeer.mjs";
import { startPeer } from "../../../test/support/rosPeer.mjs";

/** Every way to address a node, and integer arrays in each. */
const FILE = `
port_node: { ros__parameters: { plain: [1, 2] } }
/robot/port_node: { ros__parameters: { full: [3, 4], nested: { deep: 1.5 } } }
/robot/**: { ros__parameters: { below: true } }
/**: { ros__parameters: { everywhere: [a, b] } }
/other/node: { ros__parameters: { foreign: 1 } }
`;

describeWithRos("RclnodejsNode: parameters", () => {
  let node: RosProcess;
  let peer: RosPeer;
  const folder = mkdtempSync(path.join(tmpdir(), "ditr-parameters-"));

  beforeAll(async () => {
    const file = path.join(folder, "p.yaml");
    writeFileSync(file, FILE);
    const args = ["--ros-args", "-r", "__ns:=/robot", "--params-file", file, "-p", "counts:=[5, 6, -7]"];
    node = startNode("test/ros/portNode.mjs", [
      ...args,
      "-p",
      "use_sim_time:=true",
      "-p",
      "port_node:ratio:=1",
    ]);
    [peer] = await Promise.all([startPeer(), node.waitFor('"ready":true')]);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const call = (type: string, name: string, request: Readonly<Record<string, unknown>>): Promise<unknown> =>
    peer.call(`rcl_interfaces/srv/${type}`, `/robot/port_node/${name}`, request);

  test("B5, B7: overrides come with integer arrays and under every kind of node name", async () => {
    const [line] = await node.waitFor(/^\{"ready".*$/m);
    const { overrides } = JSON.parse(line) as { readonly overrides: readonly Record<string, unknown>[] };
    const found = overrides.map(({ nodeName, name, value }) => [
      nodeName,
      name,
      (value as { value: unknown }).value,
    ]);
    expect(found).toEqual(
      expect.arrayContaining([
        ["port_node", "plain", ["1n", "2n"]],
        ["/robot/port_node", "full", ["3n", "4n"]],
        ["/robot/port_node", "nested.deep", 1.5],
        ["/robot/**", "below", true],
        ["/**", "everywhere", ["a", "b"]],
        ["/other/node", "foreign", "1n"],
        ["/**", "counts", ["5n", "6n", "-7n"]],
        ["/**", "use_sim_time", true],
        ["port_node", "ratio", "1n"],
      ]),
    );
  });

  test("every type can be got, with all 64 bits of integers", async () => {
    const names = ["flag", "count", "ratio", "text", "bytes", "flags", "ratios", "texts", "undeclared"];
    const { values } = (await call("GetParameters", "get_parameters", { names })) as {
      readonly values: readonly Record<string, unknown>[];
    };
    expect(values.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 8, 9, 0]);
    const [flag, count, ratio, text, bytes, flags, ratios, texts] = values;
    expect([flag!["bool_value"], count!["integer_value"], ratio!["double_value"]]).toEqual([true, 1, 0.5]);
    expect([text!["string_value"], flags!["bool_array_value"]]).toEqual(["grün", [true, false]]);
    expect([ratios!["double_array_value"], texts!["string_array_value"]]).toEqual([
      [0.25, -1],
      ["a", ""],
    ]);
    expect((bytes!["byte_array_value"] as unknown[]).length).toBe(2);
    expect(await ros2(["param", "get", "--no-daemon", "/robot/port_node", "counts"])).toContain(
      "[1, -2, 9007199254740993]",
    );
    expect(await call("GetParameterTypes", "get_parameter_types", { names: ["counts", "x"] })).toEqual({
      types: [7, 0],
    });
  });

  test("descriptors have ranges", async () => {
    const names = ["count", "ratio", "flag", "undeclared"];
    const { descriptors } = (await call("DescribeParameters", "describe_parameters", { names })) as {
      readonly descriptors: readonly Record<string, unknown>[];
    };
    expect(descriptors).toMatchObject([
      { name: "count", type: 2, integer_range: [{ from_value: -5, to_value: 5, step: 1 }], read_only: false },
      { name: "ratio", type: 3, floating_point_range: [{ from_value: 0, to_value: 1, step: 0 }] },
      { name: "flag", type: 1, description: "what flag is", read_only: true, integer_range: [] },
      { name: "undeclared", type: 0 },
    ]);
  });

  test("B6: ros2 param set of an integer array arrives, and /parameter_events tells of it", async () => {
    await peer.subscribe("rcl_interfaces/msg/ParameterEvent", "/parameter_events");
    const said = await ros2(["param", "set", "--no-daemon", "/robot/port_node", "counts", "[7, 8]"]);
    expect(said).toContain("successful");
    await node.waitFor('{"set":"counts","value":{"type":"integer_array","value":["7n","8n"]}}');
    const event = await peer.waitForMessage("/parameter_events", ({ node }) => node === "/robot/port_node");
    expect(event).toMatchObject({
      changed_parameters: [{ name: "counts", value: { type: 7, integer_array_value: [7, 8] } }],
      new_parameters: [],
      deleted_parameters: [],
    });
    expect((event["stamp"] as { readonly sec: number }).sec).toBeGreaterThan(1_700_000_000);
  });

  test("wrong types, unknown types and unknown names are refused one by one, and the node lives", async () => {
    const parameters = [
      { name: "count", value: { type: 3, double_value: 1.5 } },
      { name: "text", value: { type: 4, string_value: "new" } },
      { name: "undeclared", value: { type: 7, integer_array_value: [1] } },
      { name: "count", value: { type: 77 } },
      { name: "flags", value: { type: 6, bool_array_value: [] } },
    ];
    const { results } = (await call("SetParameters", "set_parameters", {
      parameters,
    })) as { readonly results: readonly { readonly successful: boolean }[] };
    expect(results.map(({ successful }) => successful)).toEqual([false, true, false, false, true]);
    const atomic = await call("SetParametersAtomically", "set_parameters_atomically", {
      parameters: [{ name: "count", value: { type: 1, bool_value: true } }],
    });
    expect(atomic).toEqual({ result: { successful: false, reason: "count is no bool" } });
    expect(await call("SetParameters", "set_parameters", { parameters: [] })).toEqual({ results: [] });
    expect(node.running).toBe(true);
  });

  test("list_parameters hands prefixes and depth on", async () => {
    const listed = await call("ListParameters", "list_parameters", { prefixes: ["a", "b"], depth: 2 });
    expect((listed as { readonly result: { readonly names: unknown[] } }).result.names).toHaveLength(9);
    await node.waitFor('{"list":["a","b"],"depth":"2n"}');
  });

  test("rclnodejs' own clock stays out of the way of use_sim_time", async () => {
    expect(await peer.counts("/clock")).toEqual({ publishers: 0, subscribers: 0 });
  });

  test("a parameter file that rcl cannot read ends in one sentence", async () => {
    const bad = path.join(folder, "bad.yaml");
    writeFileSync(bad, "port_node: { ros__parameters: { mixed: [1, two] } }");
    const started = startNode("test/ros/portNode.mjs", ["--ros-args", "--params-file", bad]);
    expect((await started.exit).code).toBe(1);
    expect(started.output).toMatch(/ROS 2 refuses the command line: .*bad\.yaml/);
  });
});
