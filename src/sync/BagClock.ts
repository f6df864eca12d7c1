import { VirtualTimeScheduler } from "rxjs";

/** Half a nanosecond in the scheduler's milliseconds: nearer than this is the same instant. */
const SAME_INSTANT_MS = 0.5e-6;

/**
 * A scheduler whose time is the log time of a recording: it stands still until `advanceTo`, so that timers
 * depend on nothing but the recording. Its milliseconds count from the first `advanceTo`, which keeps
 * nanoseconds exact in a double for recordings of days.
 */
export class BagClock extends VirtualTimeScheduler {
  #origin: bigint | undefined;

  /**
   * Runs the timers that are due before `logTime` (nanoseconds), then sets the time to it. Timers due at
   * that very instant run with the next advance, after the messages of that instant. A log time in the past
   * changes nothing: a recording that is not sorted does not turn time back.
   */
  advanceTo(logTime: bigint): void {
    this.#origin ??= logTime;
    const target = Number(logTime - this.#origin) / 1e6;
    if (target <= this.frame) return;
    this.maxFrames = target - SAME_INSTANT_MS;
    this.flush();
    this.frame = target;
  }
}
