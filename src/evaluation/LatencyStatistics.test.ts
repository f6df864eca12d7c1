import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { LatencyStatistics } from "./LatencyStatistics.js";

function statisticsOf(durations: Iterable<number>): LatencyStatistics {
  const statistics = new LatencyStatistics();
  for (const duration of durations) statistics.add(duration);
  return statistics;
}

describe("LatencyStatistics", () => {
  test("a single duration is every percentile", () => {
    expect(statisticsOf([12.345]).summary()).toEqual({
      count: 1,
      mean: 12.345,
      p50: 12.345,
      p95: 12.345,
      p99: 12.345,
      max: 12.345,
    });
  });

  test("without durations there is no summary", () => {
    expect(new LatencyStatistics().summary()).toBeUndefined();
    expect(new LatencyStatistics().percentile(50)).toBeUndefined();
  });

  test("percentiles are by nearest rank: of 100 durations, p99 is the 99th", () => {
    const statistics = statisticsOf(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(statistics.percentile(50)).toBeCloseTo(50, 0);
    expect(statistics.percentile(99)! / 99).toBeCloseTo(1, 2);
    expect(statistics.percentile(100)! / 100).toBeCloseTo(1, 2);
  });

  test("zero, and durations beyond the histogram, count", () => {
    const statistics = statisticsOf([0, 1e9, 1e9]);
    expect(statistics.percentile(1)).toBeLessThanOrEqual(0.0005);
    expect(statistics.summary()).toMatchObject({ count: 3, max: 1e9 });
    expect(statistics.percentile(99)).toBeGreaterThan(71 * 60 * 1000 * 0.99);
  });

  test.each([-1, NaN, Infinity])("refuses a duration of %p ms", (duration) => {
    expect(() => statisticsOf([duration])).toThrow(`a duration of ${duration} ms`);
  });

  test.each([0, 101, NaN])("refuses the percentile %p", (percent) => {
    expect(() => statisticsOf([1]).percentile(percent)).toThrow(`${percent} % is not a percentile`);
  });

  test("every percentile is within 0.4 % or half a microsecond of the exact one", () => {
    const duration = fc.double({ min: -4, max: 6, noNaN: true }).map((exponent) => 10 ** exponent);
    const property = fc.property(
      fc.array(duration, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 100 }),
      (durations, percent) => {
        const exact = durations.toSorted((a, b) => a - b)[Math.ceil((percent * durations.length) / 100) - 1]!;
        const error = Math.abs(statisticsOf(durations).percentile(percent)! - exact);
        expect(error).toBeLessThanOrEqual(Math.max(exact * 0.004, 0.0005));
      },
    );
    // fast-check prints the seed when it fails.
    for (const seed of [1, 2, Date.now() & 0x7fffffff]) fc.assert(property, { seed });
  });
});

describeWithPython("LatencyStatistics against NumPy", () => {
  test("the percentiles of 20,000 skewed durations agree within 0.4 %", () => {
    const durations = Float64Array.from(
      fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed: 7, numRuns: 20_000 }),
      (u) => 20 + 30 * -Math.log(1 - 0.999_999 * u),
    );
    const percents = [1, 50, 95, 99, 99.9];
    const { percentiles, moments } = runReference(
      "latency_percentiles.py",
      { durations: { data: durations, shape: [durations.length] } },
      { percents },
    );
    const statistics = statisticsOf(durations);
    percents.forEach((percent, index) => {
      const exact = Number(percentiles!.data[index]);
      expect(Math.abs(statistics.percentile(percent)! / exact - 1)).toBeLessThanOrEqual(0.004);
    });
    const { count, mean, max } = statistics.summary()!;
    expect(count).toBe(Number(moments!.data[0]));
    expect(mean).toBeCloseTo(Number(moments!.data[1]), 9);
    expect(max).toBe(Number(moments!.data[2]));
  });
});
