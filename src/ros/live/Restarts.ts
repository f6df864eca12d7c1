import { counted } from "../diagnostics/DiagnosticFinding.js";

export interface RestartOptions {
  /** As often is tried in a row. */
  readonly most: number;
  /** Before the first; twice as long before each further one. Milliseconds. */
  readonly firstDelayMs: number;
  /** Who has run for so long has not failed in a row: it is counted from the beginning again. Milliseconds. */
  readonly forgottenAfterMs: number;
}

export const RESTARTS: RestartOptions = { most: 5, firstDelayMs: 1000, forgottenAfterMs: 60_000 };

/**
 * Decides when what has failed is started again: after longer and longer delays, and not for ever when it fails again
 * and again, but every time when that is days apart.
 */
export class Restarts {
  readonly #options: RestartOptions;
  #inARow = 0;
  #total = 0;
  #givenUp = false;
  /** `performance.now()`; undefined while nothing runs. */
  #runningSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RestartOptions = RESTARTS) {
    this.#options = options;
  }

  /** Since the beginning. */
  get total(): number {
    return this.#total;
  }

  /** What is to be kept running has begun to run. After it was given up, by the user's hand: that counts as new. */
  started(): void {
    this.#runningSince = performance.now();
    if (this.#givenUp) this.#inARow = 0;
    this.#givenUp = false;
  }

  /** It runs no longer. */
  ended(): void {
    const { forgottenAfterMs } = this.#options;
    const since = this.#runningSince;
    if (since !== undefined && performance.now() - since >= forgottenAfterMs) this.#inARow = 0;
    this.#runningSince = undefined;
  }

  /**
   * Has it started after the delay that is due.
   * @returns what will be done, in words
   */
  schedule(start: () => void): string {
    const { most, firstDelayMs } = this.#options;
    if (this.#inARow >= most) {
      this.#givenUp = true;
      return `it failed again after ${counted(most, "restart")} and is not started any more: configure and activate it by hand`;
    }
    const delayMs = firstDelayMs * 2 ** this.#inARow;
    this.#inARow++;
    this.cancel();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#total++;
      start();
    }, delayMs);
    return `starting again in ${delayMs / 1000} s (${this.#inARow} of ${most} times in a row)`;
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
