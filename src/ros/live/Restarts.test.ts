import { afterEach, expect, jest, test } from "@jest/globals";
import { Restarts } from "./Restarts.js";

const OPTIONS = { most: 3, firstDelayMs: 1000, forgottenAfterMs: 60_000 };

jest.useFakeTimers();
afterEach(() => {
  jest.clearAllTimers();
});

/** Fails, is scheduled, and runs again for so long. */
function failAfter(restarts: Restarts, ranForMs: number): string {
  restarts.started();
  jest.advanceTimersByTime(ranForMs);
  restarts.ended();
  let starts = 0;
  const sentence = restarts.schedule(() => starts++);
  jest.advanceTimersByTime(100_000);
  expect(starts).toBe(sentence.startsWith("starting again") ? 1 : 0);
  return sentence;
}

test("waits longer each time, and gives up", () => {
  const restarts = new Restarts(OPTIONS);
  expect([1, 1, 59_999, 1].map((ran) => failAfter(restarts, ran))).toEqual([
    "starting again in 1 s (1 of 3 times in a row)",
    "starting again in 2 s (2 of 3 times in a row)",
    "starting again in 4 s (3 of 3 times in a row)",
    "it failed again after 3 restarts and is not started any more: configure and activate it by hand",
  ]);
  expect(restarts.total).toBe(3);
});

test("counts from the beginning when it has run well, or was started after it was given up", () => {
  const restarts = new Restarts(OPTIONS);
  const first = "starting again in 1 s (1 of 3 times in a row)";
  for (let day = 0; day < 10; day++) expect(failAfter(restarts, 86_400_000)).toBe(first);
  while (failAfter(restarts, 1).startsWith("starting again"));
  expect(failAfter(restarts, 1)).toBe(first);
});

test("what did not even start has not run well", () => {
  const restarts = new Restarts(OPTIONS);
  failAfter(restarts, 60_000);
  jest.advanceTimersByTime(86_400_000);
  expect(restarts.schedule(() => undefined)).toContain("(2 of 3 times in a row)");
});

test("is not started when that was taken back", () => {
  const restarts = new Restarts(OPTIONS);
  let starts = 0;
  restarts.schedule(() => starts++);
  restarts.cancel();
  jest.advanceTimersByTime(100_000);
  expect([starts, restarts.total]).toEqual([0, 0]);
});
