import { DiagnosticLevel } from "../../messages/types.js";
import { DIAGNOSTIC_RULES, type DiagnosticRuleName } from "./diagnosticRules.js";
import type { SubjectReport } from "./DiagnosticFinding.js";

/** What holds for a single report is often over before anyone could look. */
const REPORTS_IN_A_ROW = 2;

/**
 * Rules whose sentences the log has too. Faults are there already, message by message; the others are about how well the
 * node runs and not about what is wrong with its inputs.
 */
const LOGGED: ReadonlySet<DiagnosticRuleName> = new Set<DiagnosticRuleName>([
  "cloud-silent",
  "cloud-stamp",
  "camera-silent",
  "camera-stamp",
  "camera-clock",
  "camera-missing",
]);

export interface FindingLogOptions {
  readonly announce: (level: "warn" | "error", text: string) => void;
  /** Shortest time between two lines of one rule about one subject, milliseconds; asked for each. */
  readonly intervalMs: () => number;
}

/** Says in the log what diagnostics have found, when it begins: not everyone who reads the log looks at diagnostics. */
export class FindingLog {
  readonly #options: FindingLogOptions;
  /** By subject and rule: reports in a row that had it. */
  #held = new Map<string, number>();
  /** Steady milliseconds of the last line. Subjects and rules are a fixed number. */
  readonly #announcedAt = new Map<string, number>();

  constructor(options: FindingLogOptions) {
    this.#options = options;
  }

  /** @param now steady milliseconds */
  reported(now: number, reports: readonly SubjectReport[]): void {
    const held = new Map<string, number>();
    for (const { title, findings } of reports) {
      for (const { rule, sentence } of findings.filter((finding) => LOGGED.has(finding.rule))) {
        const key = `${title}\n${rule}`;
        const times = (this.#held.get(key) ?? 0) + 1;
        held.set(key, times);
        if (times === REPORTS_IN_A_ROW) this.#announce(now, key, rule, `${title}: ${sentence}`);
      }
    }
    this.#held = held;
  }

  #announce(now: number, key: string, rule: DiagnosticRuleName, text: string): void {
    const last = this.#announcedAt.get(key);
    if (last !== undefined && now - last < this.#options.intervalMs()) return;
    this.#announcedAt.set(key, now);
    this.#options.announce(DIAGNOSTIC_RULES[rule].level === DiagnosticLevel.ERROR ? "error" : "warn", text);
  }
}
