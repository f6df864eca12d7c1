import { DiagnosticLevel } from "../../messages/types.js";
import { DIAGNOSTIC_RULES, type DiagnosticRuleName } from "./diagnosticRules.js";
import type { SubjectReport } from "./DiagnosticFinding.js";

/**
 * What holds for a single report is often over before anyone could look: it is said when it holds again within this time,
 * milliseconds, and is over when it has not held for as long. In between may be reports of a period without a scan.
 */
const EPISODE_MS = 10_000;

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
  "stamp-unit",
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
  /** By subject and rule, which are a fixed number: when it held last, steady milliseconds, and whether that was said. */
  readonly #held = new Map<string, { readonly at: number; readonly isSaid: boolean }>();
  /** Steady milliseconds of the last line. */
  readonly #announcedAt = new Map<string, number>();

  constructor(options: FindingLogOptions) {
    this.#options = options;
  }

  /** @param now steady milliseconds */
  reported(now: number, reports: readonly SubjectReport[]): void {
    for (const { title, findings } of reports) {
      for (const { rule, sentence } of findings.filter((finding) => LOGGED.has(finding.rule))) {
        const key = `${title}\n${rule}`;
        const before = this.#held.get(key);
        const again = before !== undefined && now - before.at <= EPISODE_MS;
        if (again && !before.isSaid) this.#announce(now, key, rule, `${title}: ${sentence}`);
        this.#held.set(key, { at: now, isSaid: again });
      }
    }
  }

  #announce(now: number, key: string, rule: DiagnosticRuleName, text: string): void {
    const last = this.#announcedAt.get(key);
    if (last !== undefined && now - last < this.#options.intervalMs()) return;
    this.#announcedAt.set(key, now);
    this.#options.announce(DIAGNOSTIC_RULES[rule].level === DiagnosticLevel.ERROR ? "error" : "warn", text);
  }
}
