import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  describeWithWorkspace,
  ros2,
  rosEnvironment,
  runWithRos,
  startWithRos,
  workspace,
  type RosProcess,
} from "../../test/support/ros.mjs";
import { startPeer } from "../../test/support/rosPeer.mjs";

const SECONDS = 90;
const TINY_ROBOT = `/**/ditr_simulator:
  ros__parameters: { seconds: 0.5, columns: 128, image_width: 128, image_height: 64, use_cache: false }
`;

/** Where RViz is installed it would open a window. */
function rvizIsInstalled(): boolean {
  const prefixes = (rosEnvironment(workspace)["AMENT_PREFIX_PATH"] ?? "").split(":");
  return prefixes.some((prefix) => existsSync(path.join(prefix, "share", "rviz2")));
}

let folder: string;
let options: { workspaces: string[]; seconds: number; env: Record<string, string> };

function launch(...args: readonly string[]): RosProcess {
  return startWithRos(["ros2", "launch", "ditr_perception", "ditr_perception.launch.py", ...args], options);
}

describeWithWorkspace("the installed package (DITR_WORKSPACE)", () => {
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "ditr-launch-"));
    writeFileSync(path.join(folder, "tiny.yaml"), TINY_ROBOT);
    options = { workspaces: [workspace], seconds: SECONDS, env: { ROS_HOME: folder } };
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("ros2 finds its programs and messages", async () => {
    const [programs, status] = await Promise.all([
      ros2(["pkg", "executables", "ditr_perception"], options),
      ros2(["interface", "show", "ditr_perception/msg/ScanStatus"], options),
    ]);
    expect(programs.trim().split("\n").sort()).toEqual(
      ["ditr", "ditr_perception_node", "ditr_simulator"].map((name) => `ditr_perception ${name}`),
    );
    expect(status).toContain("CameraUse[] cameras");
  });

  test("an installation leaves nothing of a program that was there before", async () => {
    const prefix = path.join(folder, "installed");
    const program = path.join(prefix, "share", "ditr_perception", "dist");
    mkdirSync(program, { recursive: true });
    writeFileSync(path.join(program, "removed.js"), "");
    const build = path.join(path.dirname(workspace), "..", "build", "ditr_perception");
    const command = ["cmake", "--install", build, "--component", "program", "--prefix", prefix];
    await runWithRos(command, options);
    expect(readdirSync(program)).toEqual(expect.arrayContaining(["cli", "ros"]));
    expect(readdirSync(program)).not.toContain("removed.js");
  });

  test(
    "labels the simulated robot in a namespace, goes on without RViz, and ends cleanly",
    async () => {
      const file = path.join(folder, "tiny.yaml");
      const withoutRviz = !rvizIsInstalled();
      const robot = launch(
        ...["simulator:=true", "namespace:=robot", `params_file:=${file}`],
        `rviz:=${withoutRviz}`,
      );
      const peer = await startPeer(options);
      await peer.subscribe("ditr_perception/msg/ScanStatus", "/robot/ditr_perception/status");
      await peer.subscribe("sensor_msgs/msg/PointCloud2", "/robot/ditr_perception/points_labelled");
      const status = await peer.waitForMessage(
        "/robot/ditr_perception/status",
        ({ mode }) => mode === "fused",
        60,
      );
      expect(status["point_count"]).toBeGreaterThan(1000);
      const labelled = await peer.waitForMessage("/robot/ditr_perception/points_labelled");
      expect(labelled["header"]).toMatchObject({ frame_id: "lidar" });
      expect(robot.output.includes("RViz is not installed")).toBe(withoutRviz);

      const asked = performance.now();
      const { code } = await robot.stop("SIGINT");
      expect(performance.now() - asked).toBeLessThan(3000);
      expect(code).toBe(0);
      expect(robot.output).not.toContain("has died");
      expect(robot.output.match(/process has finished cleanly/g)).toHaveLength(2);
      await peer.stop();
    },
    SECONDS * 1000,
  );

  describe("arguments that cannot be right", () => {
    test.each([
      ["params_file:=/nowhere.yaml", 'params_file is "/nowhere.yaml", and there is no such file'],
      ["provider:=gpu", "provider"],
      ["rviz_config:=none.rviz", 'rviz_config is "none.rviz", and there is no such layout'],
    ])("%s", async (argument, sentence) => {
      const started = launch("rviz:=true", argument);
      expect((await started.exit).code).toBe(1);
      expect(started.output).toContain(sentence);
    });
  });
});
