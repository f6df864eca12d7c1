import { asyncScheduler, Observable, type SchedulerLike, Subscription } from "rxjs";
import { Fault } from "../faults/Fault.js";
import { CloudImageJoin } from "./CloudImageJoin.js";
import { SyncLedger } from "./SyncLedger.js";
import type { SyncOptions } from "./SyncOptions.js";
import type { Stamped, SyncedFrame } from "./types.js";

export interface SyncInputs<C, I> {
  readonly clouds: Observable<Stamped<C>>;
  /** One stream per camera of the options, by name. */
  readonly images: ReadonlyMap<string, Observable<Stamped<I>>>;
  readonly options: SyncOptions;
  /** Emits when the node's clock jumped back or sim time was switched: everything that waits is forgotten. */
  readonly resets?: Observable<unknown>;
  /** Whose clock ends waits: the wall clock by default. */
  readonly scheduler?: SchedulerLike;
  /** Where the messages are accounted for, when someone wants to know. One per subscription. */
  readonly ledger?: SyncLedger;
}

/**
 * Joins each cloud with the images of the same moment. Emits one frame per accepted cloud, in stamp order
 * within an epoch, at the latest `maxWait` after the cloud arrived, and earlier when no camera that is
 * alive can still send a better image.
 *
 * A camera slower than the LiDAR lends one image to several clouds, as far as its tolerance and maximum age
 * allow. Clouds are never dropped for want of images; all drops are in the ledger.
 *
 * Completes when the clouds are over and none waits; when all cameras are over too, that is at once.
 * Throws a Fault `invalid-configuration` when the streams and the options name different cameras.
 */
export function synchronize<C, I>(inputs: SyncInputs<C, I>): Observable<SyncedFrame<C, I>> {
  const { clouds, images, options, resets, scheduler = asyncScheduler } = inputs;
  requireSameCameras(images, options);
  return new Observable((subscriber) => {
    const join = new CloudImageJoin<C, I>(
      options,
      inputs.ledger ?? new SyncLedger(),
      scheduler,
      // The frames of one message leave together with the end of the stream.
      (frame) => {
        subscriber.next(frame);
        completeWhenDone();
      },
    );
    const subscriptions = new Subscription();
    let cloudsEnded = false;
    let done = false;
    const completeWhenDone = () => {
      if (done || !cloudsEnded || join.waiting > 0) return;
      done = true;
      join.finish();
      subscriber.complete();
    };
    const error = (cause: unknown) => {
      subscriber.error(cause);
    };
    subscriptions.add(() => {
      join.dispose();
    });
    // Downstream may unsubscribe while sources emit at subscription.
    subscriber.add(subscriptions);
    if (resets !== undefined) {
      subscriptions.add(
        resets.subscribe({
          next: () => {
            join.reset();
            completeWhenDone();
          },
          error,
        }),
      );
    }
    for (const [camera, stream] of images) {
      subscriptions.add(
        stream.subscribe({
          next: (image) => {
            join.pushImage(camera, image);
          },
          complete: () => {
            join.endCamera(camera);
          },
          error,
        }),
      );
    }
    subscriptions.add(
      clouds.subscribe({
        next: (cloud) => {
          join.pushCloud(cloud);
        },
        complete: () => {
          cloudsEnded = true;
          completeWhenDone();
        },
        error,
      }),
    );
  });
}

function requireSameCameras(images: ReadonlyMap<string, unknown>, options: SyncOptions): void {
  const streams = [...images.keys()].sort();
  const configured = [...options.cameras.keys()].sort();
  if (streams.join() !== configured.join()) {
    throw new Fault(
      "invalid-configuration",
      `there are image streams of the cameras [${streams.join(", ")}], but options for [${configured.join(", ")}]`,
    );
  }
}
