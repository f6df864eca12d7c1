import type { Severity } from "../faults/Fault.js";

/** A fault on stderr, where it does not mix with results. */
export function printFault({ severity, text }: { readonly severity: Severity; readonly text: string }): void {
  console.error(`${severity}: ${text}`);
}
