import type { DropCause, StreamStatistics, SyncStatistics } from "../../sync/SyncLedger.js";
import { DROP_CAUSES } from "../../sync/SyncLedger.js";
import { type DiagnosticFinding, formatCounts, keyValues, type SubjectReport } from "./DiagnosticFinding.js";

/**
 * What tells of trouble. Nobody's nearest images are normal, overtaken clouds have a rule of their own, and a reset
 * comes with a jump.
 */
const NOTEWORTHY: readonly DropCause[] = ["late", "queue_full", "bad_stamp", "out_of_order", "duplicate"];

/** Reports the account of the join, and what changed in it since the last report. */
export class SyncReporter {
  #dropped = new Map<DropCause, number>();
  #jumps = 0;

  restart(): void {
    this.#dropped.clear();
    this.#jumps = 0;
  }

  report(sync: SyncStatistics | undefined): SubjectReport {
    const title = "synchronization";
    if (sync === undefined) return { title, summary: "not active", findings: [], values: [] };
    const streams = [sync.clouds, ...sync.cameras.values()];
    const dropped = new Map(DROP_CAUSES.map((cause) => [cause, total(streams, (s) => s.dropped[cause])]));
    const findings = this.#findings(dropped, sync.jumps);
    this.#dropped = dropped;
    this.#jumps = sync.jumps;
    const delivered = total(streams, (stream) => stream.delivered);
    const received = total(streams, (stream) => stream.received);
    return {
      title,
      summary: `${delivered} of ${received} messages delivered`,
      findings,
      values: keyValues({
        Received: String(received),
        Delivered: String(delivered),
        Pending: String(total(streams, (stream) => stream.pending)),
        Dropped: formatCounts(dropped),
        Releases: formatCounts(Object.entries(sync.releases)),
        Jumps: String(sync.jumps),
      }),
    };
  }

  #findings(dropped: ReadonlyMap<DropCause, number>, jumps: number): DiagnosticFinding[] {
    const findings: DiagnosticFinding[] = [];
    const newlyDropped = NOTEWORTHY.map(
      (cause) => [cause, (dropped.get(cause) ?? 0) - (this.#dropped.get(cause) ?? 0)] as const,
    ).filter(([, count]) => count > 0);
    if (newlyDropped.length > 0) {
      findings.push({
        rule: "messages-dropped",
        sentence: `dropped in the last period: ${formatCounts(newlyDropped)}`,
      });
    }
    if (jumps > this.#jumps) {
      findings.push({ rule: "time-jumped", sentence: `time jumped back (${jumps} times since activation)` });
    }
    return findings;
  }
}

function total(streams: readonly StreamStatistics[], part: (stream: StreamStatistics) => number): number {
  return streams.reduce((sum, stream) => sum + part(stream), 0);
}
