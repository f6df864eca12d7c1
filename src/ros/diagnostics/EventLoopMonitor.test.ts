import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { EventLoopMonitor } from "./EventLoopMonitor.js";

const BLOCK_MS = 400;
let monitor: EventLoopMonitor;

beforeEach(async () => {
  monitor = new EventLoopMonitor();
  await sleep(50);
});
afterEach(() => {
  monitor.close();
});

function block(): void {
  const end = performance.now() + BLOCK_MS;
  while (performance.now() < end);
}

test("tells how long the event loop was blocked, and forgets it in time", async () => {
  block();
  await sleep(50);
  const { p50, max } = monitor.read();
  expect(max).toBeGreaterThan(BLOCK_MS - 30);
  expect(p50).toBeLessThan(max);
  await sleep(50);
  monitor.read();
  await sleep(50);
  expect(monitor.read().max).toBeLessThan(BLOCK_MS - 30);
});

test("does not miss what is blocked by the report itself", async () => {
  monitor.read();
  block();
  await sleep(50);
  expect(monitor.read().max).toBeGreaterThan(BLOCK_MS - 30);
});
