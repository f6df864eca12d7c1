import { describe, expect, test } from "@jest/globals";
import { PeriodEstimator } from "./PeriodEstimator.js";

function estimatorOf(...stamps: bigint[]): PeriodEstimator {
  const estimator = new PeriodEstimator();
  for (const stamp of stamps) estimator.add(stamp);
  return estimator;
}

describe("PeriodEstimator", () => {
  test("knows nothing before three intervals", () => {
    const estimator = estimatorOf(0n, 100n, 200n);
    expect([estimator.median, estimator.shortest]).toEqual([undefined, undefined]);
    estimator.add(300n);
    expect([estimator.median, estimator.shortest]).toEqual([100n, 100n]);
  });

  test("a dropped message and a gap do not change the period", () => {
    const estimator = estimatorOf(0n, 100n, 201n, 400n, 500n, 90_000n, 90_100n);
    expect([estimator.median, estimator.shortest]).toEqual([101n, 100n]);
  });

  test("follows a new rate", () => {
    const estimator = estimatorOf(0n, 100n, 200n, 300n);
    for (let stamp = 350n; stamp <= 800n; stamp += 50n) estimator.add(stamp);
    expect([estimator.median, estimator.shortest]).toEqual([50n, 50n]);
  });

  test("a jump back is no interval, and what was learned stays", () => {
    const estimator = estimatorOf(1000n, 1100n, 1200n, 1300n);
    estimator.jump();
    estimator.add(0n);
    estimator.add(100n);
    expect([estimator.median, estimator.shortest]).toEqual([100n, 100n]);
  });
});
