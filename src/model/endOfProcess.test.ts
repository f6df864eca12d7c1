import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { GateShutError, NativeCallGate } from "./NativeCallGate.js";

const script = fileURLToPath(new URL("../../test/ends/threadEnds.mjs", import.meta.url));

/** In a process of its own: what goes wrong here ends the process. */
function end(way: string, delayMs = 0): { end: number | string | null; stdout: string } {
  const { status, signal, stdout } = spawnSync(process.execPath, [script, way, String(delayMs)], {
    encoding: "utf8",
  });
  return { end: signal ?? status, stdout };
}

describe("while the model is in a run", () => {
  test.each([
    ["return", 0],
    ["process.exit", 21],
    ["uncaught", 1],
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGTERM"],
  ])("%s ends the process as it should, without an abort", (way, expected) => {
    expect(end(way)).toMatchObject({ end: expected });
  });

  test.each(["preparation", "inference"])("the death of the %s thread is survived", (which) => {
    expect(end(which)).toEqual({
      end: 0,
      stdout: expect.stringMatching(
        new RegExp(`^the ${which} worker failed: .*; started again: labelled\n$`),
      ),
    });
  });
});

test("closing rejects the scans under way", () => {
  expect(end("close").stdout).toMatch(
    /^the (inference|preparation) worker was closed,the (inference|preparation) worker was closed\n$/,
  );
});

test("the process can end while the model is being loaded", () => {
  expect(end("exit while loading", 500).end).toBe(21);
});

test("a gate lets nobody in once it is shut, and says who is inside", async () => {
  const gate = new NativeCallGate();
  const sameGate = new NativeCallGate(gate.memory);
  expect(gate.waitUntilOutside(0)).toBe(true);
  let leave: () => void = () => undefined;
  const inside = sameGate.pass(
    () =>
      new Promise<void>((resolve) => {
        leave = resolve;
      }),
  );
  expect(gate.waitUntilOutside(10)).toBe(false);
  gate.shut();
  leave();
  await inside;
  expect(gate.waitUntilOutside(0)).toBe(true);
  await expect(sameGate.pass(() => Promise.resolve())).rejects.toThrow(GateShutError);
  expect(gate.waitUntilOutside(0)).toBe(true);
});
