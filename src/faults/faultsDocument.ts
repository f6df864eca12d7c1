import type { FaultDescription } from "./faultTable.js";
import { FAULTS } from "./faultTable.js";

/** The text of docs/faults.md. */
export function faultsDocument(): string {
  const sections = Object.entries<FaultDescription>(FAULTS).map(
    ([code, { severity, meaning, remedy }]) =>
      `## \`${code}\`\n\n**${severity}**: ${meaning}\n\nWhat to do: ${remedy}\n`,
  );
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# Faults

Everything that can go wrong with an input has one of these codes. Each occurrence is counted; the first is printed at
once and later ones of the same code and topic at most every 10 s, with their number. The summary of \`ditr run --json\`
has, under \`faults\`, the code, severity and count of each, and its first three messages with topic, stamp and value.

- **info**: nothing was lost that was needed;
- **warning**: a message was lost, or a result is degraded;
- **error**: a scan was lost, or the input or set-up is wrong. A \`malformed-message\` is an error where the message is a
  cloud.

This page is made from \`src/faults/faultTable.ts\` by \`node test/writeFaultsDocument.mjs\`.
`;
