import { describe, expect, test } from "@jest/globals";
import { TransformWait } from "./TransformWait.js";

describe("TransformWait", () => {
  test("does not wait when nothing is awaited", async () => {
    const wait = new TransformWait();
    const start = performance.now();
    await wait.until(() => undefined, 10_000);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("ends with the transforms that bring what was awaited, for each frame that waits", async () => {
    const wait = new TransformWait();
    let arrived = 0;
    const ended: number[] = [];
    const waits = [1, 2].map(async (needed) => {
      await wait.until(() => (arrived >= needed ? undefined : "odom"), 10_000);
      ended.push(needed);
    });
    arrived = 1;
    wait.transformsCame();
    await waits[0];
    expect(ended).toEqual([1]);
    arrived = 2;
    wait.transformsCame();
    await Promise.all(waits);
    expect(ended).toEqual([1, 2]);
  });

  test("ends with the time-out, however often unrelated transforms come", async () => {
    const wait = new TransformWait();
    const timer = setInterval(() => {
      wait.transformsCame();
    }, 5);
    const start = performance.now();
    await wait.until(() => "odom", 60);
    clearInterval(timer);
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });
});
