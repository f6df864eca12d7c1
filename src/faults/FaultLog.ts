import type { Fault, FaultCode, Severity } from "./Fault.js";
import { FAULTS, SEVERITIES } from "./faultTable.js";

/** How many messages of one code are kept: enough to see what is wrong, bounded however long it goes on. */
const KEPT_MESSAGES_PER_CODE = 3;
/** Topics that are told apart in announcements; beyond them, faults of one code share one rate. */
const MAX_STREAMS = 1000;

export interface FaultSummary {
  readonly code: FaultCode;
  /** The worst that occurred. */
  readonly severity: Severity;
  readonly count: number;
  /** The first messages of this code. */
  readonly messages: readonly string[];
}

export interface FaultAnnouncement {
  readonly severity: Severity;
  readonly code: FaultCode;
  /** The latest fault's sentence and, when there were more since the last announcement, how many. */
  readonly text: string;
}

export interface FaultLogOptions {
  /**
   * Told of the first fault of each code and topic at once, and of later ones at most once per interval, so that
   * a flood of one cause makes a few lines. Faults of severity `info` are only counted.
   */
  readonly announce?: (announcement: FaultAnnouncement) => void;
  /** Told of every fault, also those of severity `info`. */
  readonly onRecord?: (fault: Fault) => void;
  /** Shortest time between announcements of the same code and topic, milliseconds. Default 10 s. */
  readonly intervalMs?: number;
  /** Milliseconds that never go back. Default `performance.now`. */
  readonly clock?: () => number;
}

interface Stream {
  announcedAt: number;
  /** Faults since then. */
  silent: number;
}

interface Entry {
  severity: Severity;
  count: number;
  readonly messages: string[];
}

/** Counts faults by code, keeps the first messages of each, and announces them at a bounded rate. */
export class FaultLog {
  readonly #byCode = new Map<FaultCode, Entry>();
  readonly #streams = new Map<string, Stream>();
  readonly #announce: (announcement: FaultAnnouncement) => void;
  readonly #onRecord: (fault: Fault) => void;
  readonly #clock: () => number;

  /** See FaultLogOptions; may change at any time. */
  intervalMs: number;

  constructor({
    announce,
    onRecord,
    intervalMs = 10_000,
    clock = () => performance.now(),
  }: FaultLogOptions = {}) {
    this.#announce = announce ?? (() => undefined);
    this.#onRecord = onRecord ?? (() => undefined);
    this.intervalMs = intervalMs;
    this.#clock = clock;
  }

  record(fault: Fault): void {
    const { code, severity, message } = fault;
    const entry = this.#byCode.get(code) ?? { severity, count: 0, messages: [] };
    this.#byCode.set(code, entry);
    entry.count++;
    entry.severity = worse(entry.severity, severity);
    if (entry.messages.length < KEPT_MESSAGES_PER_CODE) entry.messages.push(message);
    this.#onRecord(fault);
    if (severity !== "info") this.#announceInTime(fault);
  }

  /** Faults that cost something: those of severity `info` are not among them. */
  get total(): number {
    let total = 0;
    for (const { severity, count } of this.#byCode.values()) if (severity !== "info") total += count;
    return total;
  }

  /** Is something wrong that cost a result? */
  get hasErrors(): boolean {
    return [...this.#byCode.values()].some(({ severity }) => severity === "error");
  }

  /** In the order of the table, worst severity first. */
  summary(): FaultSummary[] {
    const rank = ({ severity }: FaultSummary): number => SEVERITIES.indexOf(severity);
    return (Object.keys(FAULTS) as FaultCode[])
      .flatMap((code) => {
        const entry = this.#byCode.get(code);
        return entry === undefined ? [] : [{ code, ...entry, messages: [...entry.messages] }];
      })
      .sort((a, b) => rank(b) - rank(a));
  }

  #announceInTime({ code, severity, message, place }: Fault): void {
    const now = this.#clock();
    const key = this.#streams.size < MAX_STREAMS ? `${code}\n${place?.topic ?? ""}` : code;
    const stream = this.#streams.get(key);
    if (stream !== undefined && now - stream.announcedAt < this.intervalMs) {
      stream.silent++;
      return;
    }
    const silent = stream?.silent ?? 0;
    this.#streams.set(key, { announcedAt: now, silent: 0 });
    const text = silent === 0 ? message : `${message} (and ${silent} more like it since the last line)`;
    this.#announce({ severity, code, text });
  }
}

function worse(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}
