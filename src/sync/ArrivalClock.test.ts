import { describe, expect, test } from "@jest/globals";
import { ArrivalClock } from "./ArrivalClock.js";

/** A real log time, where a double has steps of 256 ns. */
const START = 1_763_800_000_123_456_789n;

describe("ArrivalClock", () => {
  test("runs the timers that are due before the new time, in order", () => {
    const clock = new ArrivalClock();
    const fired: string[] = [];
    clock.advanceTo(START);
    clock.schedule(() => fired.push(`second at ${clock.now()}`), 20);
    clock.schedule(() => fired.push(`first at ${clock.now()}`), 10);
    clock.advanceTo(START + 10_000_001n);
    expect(fired).toEqual(["first at 10"]);
    clock.advanceTo(START + 1_000_000_000n);
    expect(fired).toEqual(["first at 10", "second at 20"]);
    expect(clock.now()).toBe(1000);
  });

  test("a message at the very nanosecond of a deadline comes before it, also after a day", () => {
    const clock = new ArrivalClock();
    clock.advanceTo(START);
    let now = START + 86_400_000_000_333n;
    for (let i = 0; i < 1000; i++) {
      clock.advanceTo(now);
      let fired = false;
      clock.schedule(() => {
        fired = true;
      }, 100.000007);
      now += 100_000_007n;
      clock.advanceTo(now);
      expect(fired).toBe(false);
      clock.advanceTo(now + 1n);
      expect(fired).toBe(true);
      now += 1n + BigInt(i * 7919);
    }
  });

  test("never turns back", () => {
    const clock = new ArrivalClock();
    clock.advanceTo(START);
    clock.advanceTo(START + 5_000_000n);
    clock.advanceTo(START + 1_000_000n);
    expect(clock.now()).toBe(5);
  });
});
