import { describe, expect, test } from "@jest/globals";
import { Subject } from "rxjs";
import { expectBalanced } from "./marbleScenario.js";
import { processNewest } from "./processNewest.js";
import { SyncLedger } from "./SyncLedger.js";
import type { SyncedFrame } from "./types.js";

/** A consumer whose work ends when the test says so. */
function manualConsumer(concurrency: number) {
  const frames = new Subject<SyncedFrame<string, never>>();
  const ledger = new SyncLedger();
  const started: string[] = [];
  const results: string[] = [];
  const errors: unknown[] = [];
  let completed = false;
  const work = new Map<string, { finish: () => void; fail: (cause: unknown) => void }>();
  const process = (frame: SyncedFrame<string, never>) =>
    new Promise<string>((resolve, reject) => {
      started.push(frame.cloud);
      work.set(frame.cloud, {
        finish: () => {
          resolve(frame.cloud.toUpperCase());
        },
        fail: reject,
      });
    });
  const subscription = frames.pipe(processNewest(process, { concurrency, ledger })).subscribe({
    next: (result) => results.push(result),
    error: (cause: unknown) => errors.push(cause),
    complete: () => {
      completed = true;
    },
  });
  return {
    started,
    results,
    errors,
    ledger,
    subscription,
    isCompleted: () => completed,
    end: () => {
      frames.complete();
    },
    push: (cloud: string) => {
      ledger.clouds.receive();
      ledger.release("complete");
      frames.next({
        cloud,
        stamp: BigInt(cloud.charCodeAt(0)),
        epoch: 0,
        images: [],
        missing: [],
        release: "complete",
      });
      expectBalanced(ledger.statistics());
    },
    finish: async (cloud: string) => {
      work.get(cloud)!.finish();
      await settle();
      expectBalanced(ledger.statistics());
    },
    fail: async (cloud: string, cause: unknown) => {
      work.get(cloud)!.fail(cause);
      await settle();
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("processNewest", () => {
  test("while it is busy the newest frame wins, and those it overtakes are counted", async () => {
    const consumer = manualConsumer(1);
    for (const cloud of ["a", "b", "c", "d"]) consumer.push(cloud);
    expect(consumer.started).toEqual(["a"]);
    expect(consumer.ledger.statistics().clouds).toMatchObject({
      received: 4,
      delivered: 1,
      pending: 1,
      dropped: { superseded: 2 },
    });
    await consumer.finish("a");
    await consumer.finish("d");
    expect(consumer.results).toEqual(["A", "D"]);
    expect(consumer.ledger.statistics().clouds).toMatchObject({ received: 4, delivered: 2, pending: 0 });
  });

  test("results keep the order of the frames when a later one is ready first", async () => {
    const consumer = manualConsumer(2);
    for (const cloud of ["a", "b", "c"]) consumer.push(cloud);
    await consumer.finish("b");
    expect(consumer.results).toEqual([]);
    await consumer.finish("a");
    expect(consumer.results).toEqual(["A", "B"]);
    expect(consumer.started).toEqual(["a", "b", "c"]);
  });

  test("the last frame is processed before the end", async () => {
    const consumer = manualConsumer(1);
    consumer.push("a");
    consumer.push("b");
    consumer.end();
    await consumer.finish("a");
    expect(consumer.isCompleted()).toBe(false);
    await consumer.finish("b");
    expect(consumer.results).toEqual(["A", "B"]);
    expect(consumer.isCompleted()).toBe(true);
  });

  test("an error of the work ends the stream, and the frame that waited is accounted for", async () => {
    const consumer = manualConsumer(1);
    consumer.push("a");
    consumer.push("b");
    const failure = new Error("worker lost");
    await consumer.fail("a", failure);
    expect(consumer.errors).toEqual([failure]);
    expect(consumer.started).toEqual(["a"]);
    expect(consumer.ledger.statistics().clouds).toMatchObject({ pending: 0, dropped: { superseded: 1 } });
  });

  test("nothing starts after nobody listens any more", async () => {
    const consumer = manualConsumer(1);
    consumer.push("a");
    consumer.push("b");
    consumer.subscription.unsubscribe();
    await consumer.finish("a");
    expect(consumer.started).toEqual(["a"]);
    expect(consumer.results).toEqual([]);
  });
});
