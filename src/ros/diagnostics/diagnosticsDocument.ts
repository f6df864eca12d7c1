import {
  DIAGNOSTIC_RULES,
  type DiagnosticRule,
  type DiagnosticRuleName,
  type Subject,
  SUBJECTS,
} from "./diagnosticRules.js";
import { DIAGNOSTIC_VALUES } from "./diagnosticValues.js";

const LEVEL_NAMES = ["OK", "WARN", "ERROR", "STALE"] as const;

/** The text of docs/diagnostics.md. */
export function diagnosticsDocument(): string {
  return [INTRODUCTION, ...SUBJECTS.map(section)].join("\n");
}

function section(subject: Subject): string {
  const rules = (Object.entries(DIAGNOSTIC_RULES) as [DiagnosticRuleName, DiagnosticRule][])
    .filter(([, rule]) => rule.subject === subject)
    .map(
      ([name, { level, when, remedy }]) => `- **${LEVEL_NAMES[level]}** \`${name}\`: ${when}\n  ${remedy}`,
    );
  const values = Object.entries(DIAGNOSTIC_VALUES[subject]).map(
    ([key, meaning]: [string, string]) => `- \`${key}\`: ${meaning}`,
  );
  return `## ${TITLES[subject]}\n\n${rules.join("\n")}\n\nValues:\n\n${values.join("\n")}\n`;
}

const TITLES: Readonly<Record<Subject, string>> = {
  model: "`ditr_perception: model`",
  cloud: "`ditr_perception: cloud <name>`",
  camera: "`ditr_perception: camera <name>`",
  synchronization: "`ditr_perception: synchronization`",
  labelling: "`ditr_perception: labelling`",
  host: "`ditr_perception: host`",
  faults: "`ditr_perception: faults`",
};

const INTRODUCTION = `# Diagnostics

The node publishes \`diagnostic_msgs/msg/DiagnosticArray\` on \`/diagnostics\` once a second, in the shape of
diagnostic_updater, so that rqt_robot_monitor, Foxglove and diagnostic_aggregator show it. Each status below is OK
unless one of its rules holds; its message is then the sentences of all rules that hold, the worst first. "The last
period" is the time since the report before. While the node is not active its inputs are not judged.

This page is made from \`src/ros/diagnostics/diagnosticRules.ts\` and \`diagnosticValues.ts\` by
\`node test/writeDiagnosticsDocument.mjs\`.
`;
