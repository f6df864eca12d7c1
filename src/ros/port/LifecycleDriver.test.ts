import { describe, expect, test } from "@jest/globals";
import { LifecycleDriver } from "./LifecycleDriver.js";
import { MemoryStateMachine } from "./MemoryStateMachine.js";
import type { LifecycleCallbacks, TransitionResult } from "./RosNode.js";

const never = (): Promise<TransitionResult> => new Promise(() => undefined);
const done = (): Promise<TransitionResult> => Promise.resolve("success");

function drive(replace: Partial<LifecycleCallbacks>): { driver: LifecycleDriver; errors: string[] } {
  const errors: string[] = [];
  const callbacks = {
    onConfigure: done,
    onActivate: done,
    onDeactivate: done,
    onCleanup: done,
    onShutdown: done,
    onError: done,
    ...replace,
  };
  const report = (error: unknown): void => void errors.push(String(error));
  const driver = new LifecycleDriver({ machine: new MemoryStateMachine(), callbacks, report, limitMs: 20 });
  return { driver, errors };
}

describe("a transition that does not end", () => {
  test("is answered, leads through error processing, and can be tried again", async () => {
    let attempts = 0;
    const { driver, errors } = drive({ onConfigure: () => (++attempts === 1 ? never() : done()) });
    expect(await driver.change("configure")).toBe(false);
    expect([driver.state, errors]).toEqual(["unconfigured", ["Error: configure has not ended for 0.02 s"]]);
    await driver.ended();
    expect(await driver.change("configure")).toBe(true);
    expect(driver.state).toBe("inactive");
  });

  test("is told to error processing; when that does not end either, the node has ended", async () => {
    let told: unknown;
    const { driver } = drive({
      onDeactivate: never,
      onError: (error) => {
        told = error;
        return never();
      },
    });
    await driver.change("configure");
    await driver.change("activate");
    expect(await driver.change("deactivate")).toBe(false);
    expect(told).toMatchObject({ message: "deactivate has not ended for 0.02 s" });
    expect(driver.state).toBe("finalized");
  });
});
