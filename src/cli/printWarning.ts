/** A warning on stderr, where it does not mix with results. */
export function printWarning(message: string): void {
  console.error(`warning: ${message}`);
}
