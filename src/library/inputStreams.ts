import type { InputSelection } from "../bag/labelling/InputSelection.js";
import type { StreamStatistics } from "../sync/SyncLedger.js";

/** Drops of one stream by cause, without the causes that did not occur. */
export function dropsOf({ dropped }: StreamStatistics): Record<string, number> {
  return Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0));
}

/** Further clouds are joined as cameras are, under the names of their topics. */
export function isCloud({ clouds }: InputSelection, name: string): boolean {
  return clouds.some(({ topic }) => topic === name);
}
