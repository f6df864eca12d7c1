import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { DiagnosticLevel } from "../../messages/types.js";
import type { DiagnosticStatus } from "../../messages/types.js";
import { endMemoryNode, makeNode, until, type MemoryNode } from "./memoryNode.js";

const SECOND = 1_000_000_000n;
const START = 1_800_000_000n * SECOND;
const QUICK = { most: 1, firstDelayMs: 1, forgottenAfterMs: 3_600_000 };

/** The threads that got a message since the last kill, in that order. */
const workers = new Set<Worker>();

beforeEach(() => {
  const post = Object.getOwnPropertyDescriptor(Worker.prototype, "postMessage")!
    .value as Worker["postMessage"];
  jest.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, ...args) {
    workers.add(this);
    post.apply(this, args);
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  workers.clear();
  await endMemoryNode();
});

/** One of the threads behind the pipeline dies, as for want of memory. */
function kill(which: "first" | "last"): void {
  const all = [...workers];
  const victim = which === "first" ? all[0] : all.at(-1);
  workers.clear();
  void victim!.terminate();
}

function model({ robot }: MemoryNode): DiagnosticStatus | undefined {
  return robot.diagnosis("model");
}

function restarts(node: MemoryNode): string | undefined {
  return model(node)?.values.find(({ key }) => key === "Restarts")?.value;
}

/** Waits until the node has seen so many failures in all and is in the state again. */
async function restarted({ ros }: MemoryNode, failures: number, state = "active"): Promise<void> {
  const seen = (): number => ros.logLines.filter(({ severity }) => severity === "fatal").length;
  await until(() => seen() === failures && ros.state === state, `start ${failures}`);
}

async function label({ robot }: MemoryNode, stamp: bigint): Promise<void> {
  robot.sendCloud(stamp);
  await until(() => robot.labelled.at(-1)?.header.stamp === stamp, "a labelled cloud");
}

describe("a node whose workers die", () => {
  test("labels again a little later, and tells so", async () => {
    const one = makeNode({}, { restarts: { ...QUICK, firstDelayMs: 1300 } });
    await one.node.start();
    await label(one, START);
    kill("first");
    await until(() => one.ros.state === "unconfigured", "the end of the failed workers");
    // Diagnostics may have come between the failure and the plan to start again.
    await until(() => model(one)?.message.includes("starting again") === true, "the plan in diagnostics");
    expect(model(one)!.level).toBe(DiagnosticLevel.ERROR);
    expect(model(one)!.message).toMatch(
      /^labelling has failed: the (preparation|inference) worker ended with code 1; starting again in 1.3 s \(1 of 1 times in a row\)$/,
    );
    await until(() => one.ros.state === "active", "another start");
    await label(one, START + SECOND);
    await until(() => model(one)!.level === DiagnosticLevel.OK, "a healthy diagnosis");
    expect(restarts(one)).toBe("1");
    expect(one.ros.logLines.filter(({ severity }) => severity === "fatal")).toHaveLength(1);
    expect(one.ros.callbackErrors).toBe(0);
  });

  test("with scans under way loses those alone", async () => {
    const one = makeNode({}, { restarts: QUICK });
    await one.node.start();
    await label(one, START);
    for (const offset of [1n, 2n, 3n]) one.robot.sendCloud(START + offset * SECOND);
    kill("last");
    await restarted(one, 1);
    await label(one, START + 4n * SECOND);
    expect(one.ros.logLines.filter(({ severity }) => severity === "fatal")).toHaveLength(1);
    expect(one.ros.logLines.filter(({ text: line }) => line.startsWith("starting again"))).toHaveLength(1);
  });

  test("goes back to where it was: one that was inactive stays so", async () => {
    const one = makeNode({}, { restarts: QUICK });
    await one.node.start();
    await one.ros.changeState("deactivate");
    kill("last");
    await restarted(one, 1, "inactive");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(one.ros.state).toBe("inactive");
    await one.ros.changeState("activate");
    await label(one, START);
  });

  test("while it is being deactivated does not stay with the dead", async () => {
    const one = makeNode({}, { restarts: QUICK });
    await one.node.start();
    await label(one, START);
    one.robot.sendCloud(START + SECOND);
    kill("last");
    expect(await one.ros.changeState("deactivate")).toBe(false);
    await restarted(one, 1, "inactive");
    await one.ros.changeState("activate");
    await label(one, START + 2n * SECOND);
  });

  test("again and again is given up, and begins anew when the user says so", async () => {
    const one = makeNode({}, { restarts: QUICK });
    await one.node.start();
    kill("last");
    await restarted(one, 1);
    kill("last");
    await until(() => model(one)?.level === DiagnosticLevel.ERROR, "an error in diagnostics");
    await until(() => model(one)!.message.includes("not started any more"), "giving up");
    expect(model(one)!.message).toMatch(
      /^labelling has failed: .*; it failed again after 1 restart and is not started any more: configure and activate it by hand$/,
    );
    expect([one.ros.state, restarts(one)]).toEqual(["unconfigured", "1"]);
    expect(await one.ros.changeState("configure")).toBe(true);
    expect(await one.ros.changeState("activate")).toBe(true);
    kill("last");
    await restarted(one, 3);
  });

  test("after it has run well is started again every time", async () => {
    const one = makeNode({}, { restarts: { most: 1, firstDelayMs: 1, forgottenAfterMs: 0 } });
    await one.node.start();
    for (const attempt of [1, 2]) {
      kill("last");
      await restarted(one, attempt);
    }
    await until(() => restarts(one) === "2", "two restarts");
  });

  test("without autostart waits for the user, and says why", async () => {
    const one = makeNode({ autostart: { type: "bool", value: false } }, { restarts: QUICK });
    await one.ros.changeState("configure");
    kill("last");
    await until(() => one.ros.state === "unconfigured", "the end of the failed workers");
    await until(() => model(one)?.level === DiagnosticLevel.ERROR, "an error in diagnostics");
    expect(model(one)!.message).toMatch(/^labelling has failed: [^;]*$/);
    expect(one.ros.state).toBe("unconfigured");
  });

  test("whose model is gone by then tries it as often", async () => {
    const one = makeNode({}, { restarts: QUICK });
    await one.node.start();
    const { ModelBundle } = await import("../../model/ModelBundle.js");
    jest.spyOn(ModelBundle, "load").mockRejectedValue(new Error("out of memory"));
    kill("last");
    await until(() => (model(one)?.message ?? "").includes("not started any more"), "giving up");
    expect(model(one)!.message).toMatch(/^out of memory; it failed again after 1 restart /);
  });
});

test("a node that ends while it waits to start again starts nothing", async () => {
  const one = makeNode({}, { restarts: { ...QUICK, firstDelayMs: 50 } });
  await one.node.start();
  kill("last");
  await until(
    () => one.ros.logLines.some(({ text: line }) => line.startsWith("starting again")),
    "a failure",
  );
  await one.ros.changeState("shutdown");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(one.ros.state).toBe("finalized");
});
