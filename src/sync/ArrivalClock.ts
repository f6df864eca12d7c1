import { VirtualTimeScheduler } from "rxjs";

/** Half a nanosecond in the scheduler's milliseconds: nearer than this is the same instant. */
const SAME_INSTANT_MS = 0.5e-6;

/**
 * Test support: a scheduler whose time is when the messages of a schedule arrive. It stands still until `advanceTo`, so
 * that timers depend on nothing but the schedule. Its milliseconds count from the first `advanceTo`, which keeps
 * nanoseconds exact in a double for schedules of days.
 */
export class ArrivalClock extends VirtualTimeScheduler {
  #origin: bigint | undefined;

  /**
   * Runs the timers that are due before `arrival` (nanoseconds), then sets the time to it. Timers due at
   * that very instant run with the next advance, after the messages of that instant. An arrival in the past
   * changes nothing: a schedule that is not sorted does not turn time back.
   */
  advanceTo(arrival: bigint): void {
    this.#origin ??= arrival;
    const target = Number(arrival - this.#origin) / 1e6;
    if (target <= this.frame) return;
    this.maxFrames = target - SAME_INSTANT_MS;
    this.flush();
    this.frame = target;
  }
}
