import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two samples; a sample is later than that by as much as the event loop was busy. */
const RESOLUTION = 10;

/** How late the event loop was, milliseconds. */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * How late the event loop of this thread comes to what is due. Two histograms, reset in turns, since a histogram
 * misses the delay that its own reset falls into: each reading covers the time since the reading before the last, and
 * no delay is missed.
 */
export class EventLoopMonitor {
  #older = startHistogram();
  #newer = startHistogram();

  /** The delays since the reading before the last; zeros when there was no sample. */
  read(): EventLoopDelay {
    const read = this.#older;
    const delay = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    const result =
      read.count === 0
        ? { p50: 0, p99: 0, max: 0 }
        : { p50: delay(read.percentile(50)), p99: delay(read.percentile(99)), max: delay(read.max) };
    read.reset();
    [this.#older, this.#newer] = [this.#newer, read];
    return result;
  }

  close(): void {
    this.#older.disable();
    this.#newer.disable();
  }
}

function startHistogram(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}
