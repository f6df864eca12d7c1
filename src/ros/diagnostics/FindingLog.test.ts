import { expect, test } from "@jest/globals";
import type { DiagnosticFinding } from "./DiagnosticFinding.js";
import { FindingLog } from "./FindingLog.js";

const SILENT: DiagnosticFinding = { rule: "cloud-silent", sentence: "no cloud on /points for 3.2 s" };

function log() {
  const lines: string[] = [];
  const findings = new FindingLog({
    announce: (level, text) => lines.push(`${level} ${text}`),
    intervalMs: () => 10_000,
  });
  const report = (seconds: number, ...found: DiagnosticFinding[]): void => {
    findings.reported(1000 * seconds, [{ title: "cloud lidar", summary: "", findings: found, values: [] }]);
  };
  return { lines, report };
}

test("says what two reports in a row have found, once while it holds", () => {
  const { lines, report } = log();
  report(0, SILENT);
  expect(lines).toEqual([]);
  for (let second = 1; second < 60; second++) report(second, SILENT);
  expect(lines).toEqual(["error cloud lidar: no cloud on /points for 3.2 s"]);
});

test("says it again when it comes back, but not more often than log_interval", () => {
  const { lines, report } = log();
  for (const second of [0, 3, 6, 9, 12, 15]) {
    report(second, SILENT);
    report(second + 1, SILENT);
    report(second + 2);
  }
  // At 1 and at 13 s; the others are within 10 s.
  expect(lines).toHaveLength(2);
});

test("what comes and goes from report to report, and what is no matter of an input, stays in diagnostics", () => {
  const { lines, report } = log();
  for (let second = 0; second < 20; second += 2) {
    report(second, SILENT, { rule: "latency-high", sentence: "slow" });
    report(second + 1, { rule: "latency-high", sentence: "slow" });
  }
  expect(lines).toEqual([]);
});

test("warnings are warnings", () => {
  const { lines, report } = log();
  const clock: DiagnosticFinding = { rule: "camera-clock", sentence: "37 s behind" };
  report(0, clock);
  report(1, clock);
  expect(lines).toEqual(["warn cloud lidar: 37 s behind"]);
});
