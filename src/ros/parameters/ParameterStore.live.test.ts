import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeWithRos, ros2, startNode, type RosProcess } from "../../../test/support/ros.mjs";
import { startPeer, type RosPeer } from "../../../test/support/rosPeer.mjs";
import { overridesFromYaml } from "./exampleOverrides.js";

const CONFIG = path.join(import.meta.dirname, "../../../config");
const NAME = "/robot/ditr_perception";

/** Starts the node, until it has said whether its parameters can be used. */
async function started(...args: string[]): Promise<RosProcess> {
  const node = startNode("test/ros/parameterNode.mjs", ["--ros-args", "-r", "__ns:=/robot", ...args]);
  await node.waitFor(/"(ready|refused)":/);
  return node;
}

function said(node: RosProcess, key: string): unknown {
  const lines = node.stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((line) => key in line)?.[key];
}

describeWithRos("parameters in ROS 2", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "ditr-parameters-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };

  test("rcl reads every file of config/ as the tests without ROS do, and the node starts with it", async () => {
    const names = readdirSync(CONFIG).filter((name) => name.endsWith(".yaml"));
    expect(names).toContain("ditr_perception.yaml");
    for (const name of names) {
      const node = await started("--params-file", path.join(CONFIG, name));
      expect(said(node, "ready")).toBe(true);
      const expected = overridesFromYaml(readFileSync(path.join(CONFIG, name), "utf8"));
      const text = JSON.stringify(expected, (_, value: unknown) =>
        typeof value === "bigint" ? `${value}n` : value,
      );
      expect(said(node, "overrides")).toEqual(JSON.parse(text));
      await node.stop();
    }
  });

  test("B5, B7, B8: full names, wildcards, integer arrays and integers for doubles in files", async () => {
    const good = file(
      "good.yaml",
      `/robot/ditr_perception: { ros__parameters: { mode: fused, camera_names: [front, rear] } }
/robot/**: { ros__parameters: { cameras: { front: { tolerance: 1, maximum_age: 2 } } } }
/other/ditr_perception: { ros__parameters: { mode: nonsense } }
/**/ditr_perception: { ros__parameters: { cameras: { rear: { depth: 5 } }, qos_overrides: { /tf: { depth: 1 } } } }
`,
    );
    const node = await started("--params-file", good, "-p", "filter.classes:=[]", "-p", "min_images:=2");
    expect(said(node, "fusion")).toMatchObject({ mode: "fused", minImages: 2 });
    expect(said(node, "cameras")).toMatchObject([{ name: "front" }, { name: "rear", qos: { depth: 5 } }]);
    expect(said(node, "ignored")).toEqual(["qos_overrides./tf.depth"]);
    await node.stop();

    const sections = file(
      "sections.yaml",
      `/**: { ros__parameters: { mode: auto } }
/robot/ditr_perception: { ros__parameters: { mode: fused } }
`,
    );
    // As every node has it: -p belongs to the section of /**, which came first.
    const named = await started("--params-file", sections, "-p", "mode:=image-free");
    expect(said(named, "fusion")).toMatchObject({ mode: "fused" });
    await named.stop();

    const refused = await started("-p", "threads:=[1, 2]", "-p", "modle:=x", "-p", "mode:=3");
    expect(said(refused, "code")).toBe("invalid-configuration");
    const sentences = (said(refused, "refused") as string).split("\n- ");
    expect(sentences[0]).toBe("3 parameters cannot be used:");
    expect(sentences).toContain(
      "threads is the integer array [1, 2], but it must be an integer from 0 to 1024",
    );
    expect(sentences).toContain("there is no parameter modle; did you mean mode or model?");
    expect((await refused.exit).code).toBe(0);
  });

  test("ros2 param lists, describes, sets and dumps, and the dump starts the same node", async () => {
    const node = await started("-p", "camera_names:=[front]");
    const list = await ros2(["param", "list", NAME]);
    expect(list.split("\n").map((line) => line.trim())).toEqual(
      expect.arrayContaining(["mode", "cameras.front.tolerance", "sync.max_wait", "use_sim_time"]),
    );
    const description = await ros2(["param", "describe", NAME, "min_seen_share", "provider"]);
    expect(description).toMatch(
      /Type: double[^]*smallest share of voxels[^]*Min value: 0.0\s+Max value: 1.0/,
    );
    expect(description).toMatch(
      /Read only: true[^]*one of "auto", "cpu"|one of "auto", "cpu"[^]*Read only: true/,
    );
    expect(await ros2(["param", "set", NAME, "mode", "fused"])).toContain("successful");
    await node.waitFor('{"changed":["mode"],"mode":"fused"}');
    const dump = file("dump.yaml", await ros2(["param", "dump", NAME, "--print"]));
    await node.stop();

    const again = await started("--params-file", dump);
    expect(said(again, "cameras")).toEqual(said(node, "cameras"));
    expect(said(again, "fusion")).toMatchObject({ mode: "fused" });
    await again.stop();
  });

  test("B6 and hostile peers: what cannot be set is answered with the reason, and the node goes on", async () => {
    const node = await started();
    const peer: RosPeer = await startPeer();
    const set = (service: string, parameters: unknown[]): Promise<unknown> =>
      peer.call(
        `rcl_interfaces/srv/${service === "set_parameters" ? "SetParameters" : "SetParametersAtomically"}`,
        `${NAME}/${service}`,
        { parameters },
      );
    const integers = { type: 7, integer_array_value: [1, 2 ** 40] };
    expect(
      await set("set_parameters", [
        { name: "filter.classes", value: integers },
        { name: "mode", value: { type: 0 } },
        { name: "mode", value: { type: 99 } },
        { name: "min_images", value: { type: 2, integer_value: -1 } },
        { name: "min_seen_share", value: { type: 2, integer_value: 1 } },
        { name: "provider", value: { type: 4, string_value: "cpu" } },
        { name: "\u00e4".repeat(1000), value: integers },
      ]),
    ).toMatchObject({
      results: [
        { successful: false, reason: expect.stringContaining("the integer array [1, 1099511627776]") },
        { successful: false, reason: "mode cannot be removed" },
        { successful: false, reason: "mode cannot be removed" },
        { successful: false, reason: "min_images is -1, but it must be an integer from 0 to 8" },
        { successful: true, reason: "" },
        { successful: false, reason: "provider is read-only: give it when the node is started" },
        { successful: false, reason: expect.stringContaining("there is no parameter") },
      ],
    });
    expect(
      await set("set_parameters_atomically", [
        { name: "mode", value: { type: 4, string_value: "fused" } },
        { name: "min_images", value: integers },
      ]),
    ).toMatchObject({
      result: { successful: false, reason: expect.stringContaining("min_images is the integer array") },
    });
    const values = await peer.call("rcl_interfaces/srv/GetParameters", `${NAME}/get_parameters`, {
      names: ["mode", "nothing", "min_seen_share"],
    });
    expect(values).toMatchObject({
      values: [{ type: 4, string_value: "auto" }, { type: 0 }, { type: 3, double_value: 1 }],
    });
    expect(node.running).toBe(true);
  });
});
