import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Node.js in a shell in which a ROS 2 is sourced that is not complete. */
function nodeWithBrokenRos(args: readonly string[], environment: Record<string, string> = {}): Ended {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ROS_DISTRO: "humble", AMENT_PREFIX_PATH: "/nowhere/humble", ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

function ensureWorkspace(environment?: Record<string, string>): Ended {
  const module = JSON.stringify(path.join(root, "test", "support", "rosWorkspace.mjs"));
  const code = `import(${module}).then(async (m) => console.log("returned", await m.ensureRosWorkspace()))`;
  return nodeWithBrokenRos(["-e", code], environment);
}

describe("a ROS 2 that is there and does not work", () => {
  test("fails the tests that need it, instead of skipping them", () => {
    const jest = [
      "--experimental-vm-modules",
      "node_modules/jest/bin/jest.js",
      "dist/ros/rclnodejs/guards.live",
    ];
    const { status, output } = nodeWithBrokenRos(jest);
    expect(status).toBe(1);
    expect(output).toMatch(/librcl\.so is in no folder of LD_LIBRARY_PATH/);
    expect(output).toMatch(/Tests: +2 failed, 2 total/);
  });

  test("fails `npm test` when nothing can be built with it", () => {
    const { status, output } = ensureWorkspace();
    expect([status, output.includes("returned")]).toEqual([1, false]);
    expect(output).toMatch(
      /Error: rclnodejs could not be made ready for ROS 2 \(1\); the lines above say why/,
    );
  });

  test("a workspace that is named and not built is no absence either", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "ditr-no-workspace-"));
    try {
      const { status, output } = ensureWorkspace({ DITR_WORKSPACE: folder });
      expect(status).toBe(1);
      expect(output).toContain(`DITR_WORKSPACE is ${folder}, which has no install/setup.bash`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
