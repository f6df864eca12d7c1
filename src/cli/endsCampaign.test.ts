import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const campaign = fileURLToPath(new URL("../../test/campaign/ends.mjs", import.meta.url));

test("a run that is stopped, in each of the ways once, never aborts and loses nothing", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [campaign, "--runs", "9", "--seed", "20261127"],
    { encoding: "utf8" },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/\n9 runs, 0 failures, \d+ s\n$/);
}, 600_000);
