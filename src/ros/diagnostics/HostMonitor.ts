import { type DiagnosticFinding, keyValues, type SubjectReport } from "./DiagnosticFinding.js";
import { BLOCKED_MS } from "./diagnosticRules.js";
import type { EventLoopDelay } from "./EventLoopMonitor.js";
import type { ValuesOf } from "./diagnosticValues.js";

/** What a report needs of the process. */
export interface HostReading {
  readonly eventLoop: EventLoopDelay;
  /** Bytes. */
  readonly residentMemory: number;
  /** Microseconds of processor time since the start, user and system. */
  readonly processorTime: number;
}

/** Reports on the process, and how much of the machine it used since the last report. */
export class HostMonitor {
  #last: { readonly now: number; readonly processorTime: number } | undefined;

  /** @param now steady milliseconds */
  report(now: number, { eventLoop, residentMemory, processorTime }: HostReading): SubjectReport {
    const findings: DiagnosticFinding[] = [];
    if (eventLoop.max > BLOCKED_MS) {
      findings.push({
        rule: "event-loop-blocked",
        sentence: `the main thread was busy for ${eventLoop.max.toFixed(0)} ms at a time`,
      });
    }
    const cores =
      this.#last === undefined || now <= this.#last.now
        ? undefined
        : (processorTime - this.#last.processorTime) / 1000 / (now - this.#last.now);
    this.#last = { now, processorTime };
    const megabytes = (residentMemory / 1e6).toFixed(0);
    const values: ValuesOf<"host"> = {
      "Event loop delay p50 (ms)": eventLoop.p50.toFixed(1),
      "Event loop delay p99 (ms)": eventLoop.p99.toFixed(1),
      "Event loop delay max (ms)": eventLoop.max.toFixed(1),
      "Resident memory (MB)": megabytes,
      "CPU (cores)": cores?.toFixed(2),
    };
    return {
      title: "host",
      summary: `event loop up to ${eventLoop.max.toFixed(1)} ms late, ${megabytes} MB`,
      findings,
      values: keyValues(values),
    };
  }
}
