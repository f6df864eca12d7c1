import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const campaign = fileURLToPath(new URL("../../test/campaign/faults.mjs", import.meta.url));

/** The seed of a failure is in what is printed. */
test.each([20261122, Date.now() % 2 ** 31])(
  "the fault campaign with seed %s: no crash, no hang, nothing undamaged lost",
  (seed) => {
    const args = [campaign, "--cases", "300", "--seed", String(seed)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect({ status, stderr, seed }).toEqual({ status: 0, stderr: "", seed });
    expect(stdout).toMatch(/\n3\d\d cases, 0 failures, \d+ s, peak RSS \d+ MB\n$/);
  },
  120_000,
);
