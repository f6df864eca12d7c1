import type { Fault, FaultCode, Severity } from "../../faults/Fault.js";
import { counted, type DiagnosticFinding, formatCounts, type SubjectReport } from "./DiagnosticFinding.js";

interface Tally {
  total: number;
  readonly period: Record<Severity, number>;
}

/** Counts faults by code: since the start, and since the last report. */
export class FaultMonitor {
  readonly #tallies = new Map<FaultCode, Tally>();
  /** The last of each severity that costs something. */
  readonly #last = new Map<Severity, { readonly at: number; readonly sentence: string }>();

  /** @param now steady milliseconds */
  faultRecorded(now: number, { code, severity, message }: Fault): void {
    const tally = this.#tallies.get(code) ?? { total: 0, period: { info: 0, warning: 0, error: 0 } };
    this.#tallies.set(code, tally);
    tally.total++;
    tally.period[severity]++;
    if (severity !== "info") this.#last.set(severity, { at: now, sentence: message });
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
      values: [
        ...this.#lastValue("Last error", "error", now),
        ...this.#lastValue("Last warning", "warning", now),
        ...values,
      ],
    };
  }

  #finding(severity: "warning" | "error"): DiagnosticFinding | undefined {
    const counts = [...this.#tallies].map(([code, { period }]) => [code, period[severity]] as const);
    const sum = counts.reduce((total, [, count]) => total + count, 0);
    if (sum === 0) return undefined;
    const { sentence: last } = this.#last.get(severity)!;
    return {
      rule: `faults-${severity}`,
      sentence: `${counted(sum, severity)} in the last period (${formatCounts(counts)}); the last: ${last}`,
    };
  }

  #lastValue(key: string, severity: Severity, now: number): SubjectReport["values"] {
    const last = this.#last.get(severity);
    if (last === undefined) return [];
    return [{ key, value: `${last.sentence} (${((now - last.at) / 1000).toFixed(0)} s ago)` }];
  }
}
