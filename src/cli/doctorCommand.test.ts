import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { SIMULATOR_MODEL } from "../model/shippedModels.js";

const CLI = fileURLToPath(new URL("main.js", import.meta.url));

test("what ditr doctor prints fits 100 columns, whatever paths and messages it has to tell", () => {
  const prefixes = Array.from({ length: 9 }, (_, index) => `/home/robot/workspace/install/package_${index}`);
  const env = {
    ...process.env,
    ROS_DISTRO: "humble",
    AMENT_PREFIX_PATH: prefixes.join(":"),
  };
  const args = [CLI, "doctor", "--model", SIMULATOR_MODEL];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  for (const line of lines) expect([line, line.length <= 100]).toEqual([line, true]);
  const text = lines.map((line) => line.split("│")[3]?.trim() ?? "").join(" ");
  expect(text).toContain(prefixes.join(" "));
  expect(text).toMatch(/sessions of street-tiny \(float32\) created/);
});
