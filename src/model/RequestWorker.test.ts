import { Worker, type WorkerOptions } from "node:worker_threads";
import { afterEach, expect, test } from "@jest/globals";
import { RequestWorker, type RequestWorkerOptions } from "./RequestWorker.js";

interface Message {
  readonly id: number;
}

let worker: RequestWorker<Message, Message>;
afterEach(async () => {
  await worker.close();
});

/** @param onMessage body of what the worker does with each `message` */
function start(
  onMessage: string,
  options: WorkerOptions = {},
  ends: RequestWorkerOptions = {},
): RequestWorker<Message, Message> {
  const code = `
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", (message) => { ${onMessage} });`;
  worker = new RequestWorker(new Worker(code, { ...options, eval: true }), "example", ends);
  return worker;
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof Error)) throw new Error("it did not reject with an Error");
  return error.message;
}

test("each request gets the answer with its id, in whatever order they come", async () => {
  const one = start(`
    globalThis.first ??= message;
    if (message !== first) { parentPort.postMessage(message); parentPort.postMessage(first); }`);
  const requests = [{ id: 7 }, { id: 8 }];
  expect(await Promise.all(requests.map((request) => one.ask(request, [])))).toEqual(requests);
});

test("what a worker throws rejects all that was asked and all that will be", async () => {
  const one = start(`if (message.id === 1) throw new TypeError("a defect");`);
  const asked = [one.ask({ id: 0 }, []), one.ask({ id: 1 }, [])].map(reasonOf);
  const reason = "the example worker failed: a defect";
  expect(await Promise.all(asked)).toEqual([reason, reason]);
  expect(await reasonOf(one.ask({ id: 2 }, []))).toBe(reason);
  const failure = await one.failed;
  expect(failure.message).toBe(reason);
  expect(failure.cause).toMatchObject({ name: "TypeError" });
});

test("a worker that ends, or runs out of memory, has failed", async () => {
  const ended = start(`process.exit(3);`);
  expect(await reasonOf(ended.ask({ id: 0 }, []))).toBe("the example worker ended with code 3");
  await ended.close();
  const greedy = start(`const kept = []; for (;;) kept.push(Array.from({ length: 1000 }, String));`, {
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  });
  void greedy.ask({ id: 0 }, []).catch(() => undefined);
  expect((await greedy.failed).message).toMatch(/^the example worker failed: .*memory/);
});

test("an answer that nobody asked for is a failure", async () => {
  const one = start(`parentPort.postMessage({ id: 99 });`);
  expect(await reasonOf(one.ask({ id: 0 }, []))).toBe("the example worker answered what nobody asked");
});

test("closing rejects what was not answered, and is no failure", async () => {
  const one = start("");
  let failed = false;
  void one.failed.then(() => {
    failed = true;
  });
  const asked = reasonOf(one.ask({ id: 0 }, []));
  await one.close();
  expect(await asked).toBe("the example worker was closed");
  expect(failed).toBe(false);
});

test("a worker that is asked to end does so by itself, when it has done what it was doing", async () => {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const one = start(
    `const { workerData } = require("node:worker_threads");
     if (message === "end") parentPort.close();
     else {
       Atomics.wait(workerData, 0, 0, 300);
       Atomics.store(workerData, 0, 1);
     }`,
    { workerData: shared },
    { endMessage: "end" },
  );
  const asked = reasonOf(one.ask({ id: 0 }, []));
  await one.close();
  expect(await asked).toBe("the example worker was closed");
  expect(Atomics.load(shared, 0)).toBe(1);
  await one.close();
});

test("a worker that does not answer in time has failed, and only then", async () => {
  const one = start(`if (message.id !== 1) parentPort.postMessage(message);`);
  await one.ask({ id: 0 }, [], { withinMs: 60_000 });
  const reason = "the example worker has not answered for 0.05 s";
  expect(await reasonOf(one.ask({ id: 1 }, [], { withinMs: 50 }))).toBe(reason);
  expect((await one.failed).message).toBe(reason);
  expect(await reasonOf(one.ask({ id: 2 }, []))).toBe(reason);
});
