// What the tests with ROS 2 need beside it: rclnodejs made ready, and a colcon workspace with this package in it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rosSetup } from "./rosSetup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

function runInRos(setup, script) {
  // Another Python in front of the system's, as pyenv's, would be taken by ROS's tools.
  const sourced = `${setup === "" ? "" : `unset PYTHONPATH; export PATH=/usr/bin:/bin:$PATH; source ${setup} && `}${script}`;
  return spawnSync("bash", ["-c", sourced], { cwd: root, stdio: "inherit" }).status === 0;
}

/**
 * The folder of a workspace in which this package is built as it is now; undefined, said on the console, when there is
 * no ROS 2 or it cannot be built. The folder is kept, so that the next time only what changed is built.
 */
export function ensureRosWorkspace() {
  if (process.env.DITR_WORKSPACE) return process.env.DITR_WORKSPACE;
  const setup = rosSetup();
  if (setup === undefined) {
    console.log("NO ROS 2 HERE (neither sourced nor in /opt/ros): the tests of the node are skipped.");
    return undefined;
  }
  const node = `"${process.execPath}"`;
  if (!runInRos(setup, `${node} dist/ros/rclnodejs/install.js`)) return undefined;
  const workspace = path.join(
    tmpdir(),
    `ditr-ros-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`,
  );
  mkdirSync(workspace, { recursive: true });
  const build =
    `cd "${workspace}" && colcon --log-base log build --paths "${root}" --event-handlers console_direct- ` +
    `--cmake-args -DDITR_NODE_MODULES="${root}/node_modules" ` +
    // CMake would prefer an older Python of pyenv's.
    "-DPYTHON_EXECUTABLE=/usr/bin/python3 -DPython3_EXECUTABLE=/usr/bin/python3";
  return runInRos(setup, build) ? workspace : undefined;
}
