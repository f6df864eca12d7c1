import { Observable, type OperatorFunction } from "rxjs";
import type { SyncLedger } from "./SyncLedger.js";
import type { SyncedFrame } from "./types.js";

export interface ProcessNewestOptions {
  /**
   * Frames that are processed at the same time: 1, or the number of stages of a pipeline whose stages each
   * take one frame at a time (prepare and infer: 2).
   */
  readonly concurrency: number;
  /** The ledger of the `synchronize` above, where superseded clouds are counted. */
  readonly ledger: SyncLedger;
}

/**
 * Live mode's consumer: processes frames as fast as `process` can, and lets the newest frame win. While
 * `concurrency` frames are under way, one more waits; a newer one takes its place and it is counted as
 * superseded. Results come in the order of the frames. An error of `process` ends the stream.
 */
export function processNewest<C, I, R>(
  process: (frame: SyncedFrame<C, I>) => Promise<R>,
  { concurrency, ledger }: ProcessNewestOptions,
): OperatorFunction<SyncedFrame<C, I>, R> {
  return (frames) =>
    new Observable((subscriber) => {
      const account = ledger.clouds;
      let held: SyncedFrame<C, I> | undefined;
      let underWay = 0;
      let ended = false;
      let lastResult: Promise<void> = Promise.resolve();

      const start = (frame: SyncedFrame<C, I>) => {
        underWay++;
        // The constructor turns an error thrown before the first await into a rejection.
        const result = new Promise<R>((resolve) => {
          resolve(process(frame));
        });
        const previous = lastResult;
        lastResult = (async () => {
          const [value] = await Promise.all([result, previous]);
          underWay--;
          subscriber.next(value);
          if (held !== undefined && !subscriber.closed) {
            const next = held;
            held = undefined;
            account.deliver();
            start(next);
          }
          if (ended && underWay === 0) subscriber.complete();
        })();
        lastResult.catch((cause: unknown) => {
          subscriber.error(cause);
        });
      };

      const subscription = frames.subscribe({
        next: (frame) => {
          if (underWay < concurrency) {
            start(frame);
            return;
          }
          account.hold();
          if (held !== undefined) account.drop(held.stamp, "superseded");
          held = frame;
        },
        error: (cause: unknown) => {
          subscriber.error(cause);
        },
        complete: () => {
          ended = true;
          if (underWay === 0) subscriber.complete();
        },
      });
      return () => {
        subscription.unsubscribe();
        if (held !== undefined) account.drop(held.stamp, "superseded");
        held = undefined;
      };
    });
}
