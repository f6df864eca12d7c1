import type { Fault, FaultCode } from "./Fault.js";

/** How many messages of one code are kept: enough to see what is wrong, bounded however long it goes on. */
const KEPT_MESSAGES_PER_CODE = 3;

export interface FaultSummary {
  readonly code: FaultCode;
  readonly count: number;
  /** The first messages of this code. */
  readonly messages: readonly string[];
}

/** Counts faults by code and keeps the first messages of each. */
export class FaultLog {
  readonly #byCode = new Map<FaultCode, { count: number; messages: string[] }>();
  readonly #onFirst: ((fault: Fault) => void) | undefined;

  /** @param onFirst told of the first fault of each code, so that a flood of one cause makes one line */
  constructor(onFirst?: (fault: Fault) => void) {
    this.#onFirst = onFirst;
  }

  record(fault: Fault): void {
    const entry = this.#byCode.get(fault.code) ?? { count: 0, messages: [] };
    this.#byCode.set(fault.code, entry);
    entry.count++;
    if (entry.messages.length < KEPT_MESSAGES_PER_CODE) entry.messages.push(fault.message);
    if (entry.count === 1) this.#onFirst?.(fault);
  }

  get total(): number {
    let total = 0;
    for (const { count } of this.#byCode.values()) total += count;
    return total;
  }

  summary(): FaultSummary[] {
    return [...this.#byCode].map(([code, { count, messages }]) => ({ code, count, messages: [...messages] }));
  }
}
