import { expect, test } from "@jest/globals";
import { benchmarkGeometry } from "./benchmarkGeometry.js";

test("measures every phase of as many builds as asked for", () => {
  const { pointCount, runs, voxelCounts, phases, total } = benchmarkGeometry({
    pointCount: 6500,
    runs: 5,
    warmUpRuns: 1,
  });
  expect(pointCount).toBe(6464);
  expect(runs).toBe(5);
  expect(voxelCounts).toHaveLength(5);
  expect(voxelCounts.toSorted((a, b) => b - a)).toEqual(voxelCounts);
  for (const timing of [total, ...Object.values(phases)]) {
    expect(timing.medianMs).toBeGreaterThan(0);
    expect(timing.p95Ms).toBeGreaterThanOrEqual(timing.medianMs);
  }
  for (const phase of Object.values(phases)) expect(phase.medianMs).toBeLessThanOrEqual(total.p95Ms);
});
