import { Subject } from "rxjs";
import { BagClock } from "./BagClock.js";
import { SyncLedger } from "./SyncLedger.js";
import type { SyncOptions } from "./SyncOptions.js";
import { synchronize } from "./synchronize.js";
import type { Stamped, SyncedFrame } from "./types.js";

/** One message of a recording, in the order in which it was logged. */
export type LoggedMessage<C, I> = {
  /** When it was logged, nanoseconds; this is the time that passes while clouds wait. */
  readonly logTime: bigint;
} & (
  | { readonly kind: "cloud"; readonly message: Stamped<C> }
  | { readonly kind: "image"; readonly camera: string; readonly message: Stamped<I> }
  /** Any other message: time passes. */
  | { readonly kind: "other" }
);

/**
 * Joins the clouds and images of a recording, on log time: the same recording gives the same frames every
 * time. At its end all waiting clouds are released.
 *
 * It reads on only when the consumer asks for the next frame, so that nothing is dropped for a slow consumer
 * and memory stays bounded: at most `cloudQueueSize` clouds, `queueSize` images per camera, and the frames of
 * the last message. Consume it with `for await`, or with `mapInOrder` to overlap the stages of a pipeline; do
 * not turn it into an observable, which would read the whole recording ahead.
 */
export async function* synchronizeRecording<C, I>(
  messages: AsyncIterable<LoggedMessage<C, I>> | Iterable<LoggedMessage<C, I>>,
  options: SyncOptions,
  ledger = new SyncLedger(),
): AsyncGenerator<SyncedFrame<C, I>, void, undefined> {
  const clock = new BagClock();
  const clouds = new Subject<Stamped<C>>();
  const images = new Map([...options.cameras.keys()].map((camera) => [camera, new Subject<Stamped<I>>()]));
  const released: SyncedFrame<C, I>[] = [];
  let failure: { readonly cause: unknown } | undefined;
  const subscription = synchronize({ clouds, images, options, scheduler: clock, ledger }).subscribe({
    next: (frame) => released.push(frame),
    error: (cause: unknown) => {
      failure = { cause };
    },
  });
  try {
    for await (const message of messages) {
      clock.advanceTo(message.logTime);
      switch (message.kind) {
        case "cloud":
          clouds.next(message.message);
          break;
        case "image": {
          const stream = images.get(message.camera);
          if (stream === undefined) {
            throw new TypeError(`camera ${message.camera} is not one of the options' cameras`);
          }
          stream.next(message.message);
          break;
        }
        case "other":
          break;
      }
      if (failure !== undefined) throw failure.cause;
      yield* released.splice(0);
    }
    clouds.complete();
    for (const stream of images.values()) stream.complete();
    yield* released.splice(0);
  } finally {
    subscription.unsubscribe();
  }
}
