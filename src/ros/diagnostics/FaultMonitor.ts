import type { Fault, FaultCode, Severity } from "../../faults/Fault.js";
import { counted, type DiagnosticFinding, formatCounts, type SubjectReport } from "./DiagnosticFinding.js";

interface Tally {
  total: number;
  readonly period: Record<Severity, number>;
}

/** Counts faults by code: since the start, and since the last report. */
export class FaultMonitor {
  readonly #tallies = new Map<FaultCode, Tally>();
  #lastError: { readonly at: number; readonly sentence: string } | undefined;

  /** @param now steady milliseconds */
  faultRecorded(now: number, { code, severity, message }: Fault): void {
    const tally = this.#tallies.get(code) ?? { total: 0, period: { info: 0, warning: 0, error: 0 } };
    this.#tallies.set(code, tally);
    tally.total++;
    tally.period[severity]++;
    if (severity === "error") this.#lastError = { at: now, sentence: message };
  }

  report(now: number): SubjectReport {
    const findings = [this.#finding("error") ?? this.#finding("warning")].filter((f) => f !== undefined);
    const values = [...this.#tallies].map(([code, { total, period }]) => ({
      key: code,
      value: `${total} (${period.info + period.warning + period.error} in the last period)`,
    }));
    for (const { period } of this.#tallies.values()) period.info = period.warning = period.error = 0;
    const count = [...this.#tallies.values()].reduce((sum, { total }) => sum + total, 0);
    return {
      title: "faults",
      summary: `none in the last period, ${count} since the start`,
      findings,
      values: [...this.#lastErrorValue(now), ...values],
    };
  }

  #finding(severity: "warning" | "error"): DiagnosticFinding | undefined {
    const counts = [...this.#tallies].map(([code, { period }]) => [code, period[severity]] as const);
    const sum = counts.reduce((total, [, count]) => total + count, 0);
    if (sum === 0) return undefined;
    const last = severity === "error" ? `; the last: ${this.#lastError!.sentence}` : "";
    return {
      rule: `faults-${severity}`,
      sentence: `${counted(sum, severity)} in the last period (${formatCounts(counts)})${last}`,
    };
  }

  #lastErrorValue(now: number): SubjectReport["values"] {
    if (this.#lastError === undefined) return [];
    const { at, sentence } = this.#lastError;
    return [{ key: "Last error", value: `${sentence} (${((now - at) / 1000).toFixed(0)} s ago)` }];
  }
}
