import { expect, test } from "@jest/globals";
import { benchmarkIntake, INTAKES } from "./benchmarkIntake.js";

test.each(INTAKES)("measures frames that are %s", async (intake) => {
  const result = await benchmarkIntake(intake, { seconds: 0.5, cameras: 1, pointCount: 1000 });
  expect(result.scans).toBeGreaterThan(0);
  expect(result.medianMs).toBeGreaterThan(0);
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.medianMs);
  expect(result.delayMaxMs).toBeGreaterThanOrEqual(result.delayP99Ms);
  if (process.platform === "linux") expect(result.cpuMs).toBeGreaterThan(0);
  expect(result.rss).toBeGreaterThan(0);
});
