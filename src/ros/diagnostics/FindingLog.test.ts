import { expect, test } from "@jest/globals";
import type { DiagnosticFinding } from "./DiagnosticFinding.js";
import { FindingLog } from "./FindingLog.js";

const SILENT: DiagnosticFinding = { rule: "cloud-silent", sentence: "no cloud on /points for 3.2 s" };

function log() {
  const lines: string[] = [];
  const findings = new FindingLog({
    announce: (level, text) => lines.push(`${level} ${text}`),
    intervalMs: () => 20_000,
  });
  const report = (seconds: number, ...found: DiagnosticFinding[]): void => {
    findings.reported(1000 * seconds, [{ title: "cloud lidar", summary: "", findings: found, values: [] }]);
  };
  return { lines, report };
}

test("says what a second report has found too, once while it holds", () => {
  const { lines, report } = log();
  report(0, SILENT);
  expect(lines).toEqual([]);
  for (let second = 1; second < 60; second++) report(second, SILENT);
  expect(lines).toEqual(["error cloud lidar: no cloud on /points for 3.2 s"]);
});

test("what holds now and then, as of scans that are seconds apart, is said once", () => {
  const { lines, report } = log();
  for (let second = 0; second < 60; second += 4) {
    report(second, SILENT);
    for (const pause of [1, 2, 3]) report(second + pause);
  }
  expect(lines).toHaveLength(1);
});

test("says it again when it comes back, but not more often than log_interval", () => {
  const { lines, report } = log();
  for (const second of [0, 15, 40]) {
    report(second, SILENT);
    report(second + 1, SILENT);
  }
  // At 1 and at 41 s; 16 s is too soon.
  expect(lines).toHaveLength(2);
});

test("what is over at the next report, and what is no matter of an input, stays in diagnostics", () => {
  const { lines, report } = log();
  report(0, SILENT);
  for (let second = 1; second < 20; second++) report(second, { rule: "latency-high", sentence: "slow" });
  report(20, SILENT);
  expect(lines).toEqual([]);
});

test("warnings are warnings", () => {
  const { lines, report } = log();
  const clock: DiagnosticFinding = { rule: "camera-clock", sentence: "37 s behind" };
  report(0, clock);
  report(1, clock);
  expect(lines).toEqual(["warn cloud lidar: 37 s behind"]);
});
