import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { RATE_WINDOW_MS, RateMeter } from "./RateMeter.js";

function metered(arrivals: readonly number[], bytes = 0): RateMeter {
  const meter = new RateMeter();
  for (const at of arrivals) meter.add(at, bytes);
  return meter;
}

function regular(hertz: number, seconds: number, start = 12_345.6): number[] {
  return Array.from({ length: Math.round(hertz * seconds) }, (_, i) => start + (i * 1000) / hertz);
}

describe("RateMeter", () => {
  test.each([0.5, 7.3, 10, 12, 400])(
    "measures %s Hz, once it has seen 10 s of it and while it goes on",
    (hertz) => {
      const arrivals = regular(hertz, 25);
      const { hertz: measured, bytesPerSecond } = metered(arrivals, 1000).rate(
        arrivals.at(-1)! + 500 / hertz,
      );
      expect(measured / hertz).toBeCloseTo(1, 6);
      expect(bytesPerSecond / (1000 * hertz)).toBeCloseTo(1, 6);
    },
  );

  test("falls with the time that passes when messages stop, down to nothing", () => {
    const arrivals = regular(10, 20);
    const meter = metered(arrivals);
    const rates = [0.1, 1, 3, 6, 9, 11].map((after) => meter.rate(arrivals.at(-1)! + after * 1000).hertz);
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect(rates[0]).toBeCloseTo(10, 6);
    expect(rates[2]).toBeLessThan(8);
    expect(rates.at(-1)).toBe(0);
  });

  test("takes a new rate over after 10 s, also behind a gap", () => {
    const before = regular(10, 20);
    const after = regular(25, 10.5, before.at(-1)! + 60_000);
    expect(metered([...before, ...after]).rate(after.at(-1)!).hertz).toBeCloseTo(25, 1);
  });

  test("one message is not a rate, but no silence either", () => {
    expect(metered([]).rate(1e6)).toEqual({ hertz: 0, bytesPerSecond: 0 });
    expect(metered([1e6], 500).rate(1e6 + 1)).toEqual({ hertz: 0.1, bytesPerSecond: 50 });
  });

  test("is what the arrivals of the window say, however irregular they are", () => {
    const gaps = fc.array(fc.oneof(fc.nat(40), fc.nat(900), fc.nat(30_000)), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(gaps, fc.nat(20_000), (steps, wait) => {
        const arrivals: number[] = [];
        for (const step of steps) arrivals.push((arrivals.at(-1) ?? 0) + step);
        const now = arrivals.at(-1)! + wait;
        // A slot is 500 ms: those of the last 10 s, the present one included.
        const start = (Math.floor(now / 500) + 1) * 500 - RATE_WINDOW_MS;
        const inside = arrivals.filter((at) => at >= start);
        const { hertz } = metered(arrivals).rate(now);
        if (inside.length < 2) {
          expect(hertz).toBe(inside.length / 10);
          return;
        }
        const interval = (inside.at(-1)! - inside[0]!) / (inside.length - 1);
        const span = Math.max(inside.at(-1)!, now - interval) - inside[0]!;
        if (span > 0) expect(hertz).toBeCloseTo(((inside.length - 1) / span) * 1000, 6);
      }),
    );
  });
});
