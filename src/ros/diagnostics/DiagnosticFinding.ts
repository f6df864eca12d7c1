import { DiagnosticLevel, type KeyValue } from "../../messages/types.js";
import { DIAGNOSTIC_RULES, type DiagnosticRuleName } from "./diagnosticRules.js";

/** A rule that holds now. */
export interface DiagnosticFinding {
  readonly rule: DiagnosticRuleName;
  /** What is so, with its numbers, without a full stop. */
  readonly sentence: string;
}

/** What one part of the node has to say about itself. */
export interface SubjectReport {
  /** `model`, `camera front`: the status is named "<node>: <title>". */
  readonly title: string;
  /** Shown when nothing was found. */
  readonly summary: string;
  readonly findings: readonly DiagnosticFinding[];
  readonly values: readonly KeyValue[];
}

export function levelOf(findings: readonly DiagnosticFinding[]): DiagnosticLevel {
  const levels = findings.map(({ rule }) => DIAGNOSTIC_RULES[rule].level);
  return levels.includes(DiagnosticLevel.ERROR) ? DiagnosticLevel.ERROR : (levels[0] ?? DiagnosticLevel.OK);
}

/** The sentences of what was found, worst first, or the summary. */
export function messageOf({ findings, summary }: Pick<SubjectReport, "findings" | "summary">): string {
  if (findings.length === 0) return summary;
  return findings
    .toSorted((a, b) => DIAGNOSTIC_RULES[b.rule].level - DIAGNOSTIC_RULES[a.rule].level)
    .map(({ sentence }) => sentence)
    .join("; ");
}

/** The values that are known, as key-value list. */
export function keyValues(values: Readonly<Partial<Record<string, string>>>): KeyValue[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
}

/** `late: 3, duplicate: 1`, without zeros; `none`. */
export function formatCounts(counts: Iterable<readonly [name: string, count: number]>): string {
  const shown = [...counts].filter(([, count]) => count > 0).map(([name, count]) => `${name}: ${count}`);
  return shown.length === 0 ? "none" : shown.join(", ");
}

/** "1 publisher", "2 publishers". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
