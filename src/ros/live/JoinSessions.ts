import type { Observable } from "rxjs";
import { Subject, type Subscription } from "rxjs";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import { synchronize } from "../../sync/synchronize.js";
import type { Stamped, SyncedFrame } from "../../sync/types.js";

interface Session<C, I> {
  readonly clouds: Subject<Stamped<C>>;
  readonly images: ReadonlyMap<string, Subject<Stamped<I>>>;
  readonly resets: Subject<void>;
}

/**
 * The join of `synchronize` with options that may change while it runs: a change ends the running join, which
 * releases the clouds that wait as they are, and starts another with the same account. Nothing is lost but the
 * images that wait for clouds to come.
 */
export class JoinSessions<C, I> {
  readonly #frames = new Subject<SyncedFrame<C, I>>();
  readonly #ledger: SyncLedger;
  #session: Session<C, I>;
  #subscription: Subscription;
  /** Epochs count on from one join to the next. */
  #epoch = 0;

  constructor(options: SyncOptions, ledger: SyncLedger) {
    this.#ledger = ledger;
    [this.#session, this.#subscription] = this.#start(options);
  }

  /** Errors are those of the join, which are defects. */
  get frames(): Observable<SyncedFrame<C, I>> {
    return this.#frames.asObservable();
  }

  pushCloud(cloud: Stamped<C>): void {
    this.#session.clouds.next(cloud);
  }

  /** @param camera one of the options' cameras */
  pushImage(camera: string, image: Stamped<I>): void {
    this.#session.images.get(camera)!.next(image);
  }

  /** The clock jumped back: everything that waits is forgotten. */
  reset(): void {
    this.#session.resets.next();
  }

  /** @param options for the same cameras */
  restart(options: SyncOptions): void {
    this.#end();
    [this.#session, this.#subscription] = this.#start(options);
  }

  /** Releases what waits and completes the frames. */
  close(): void {
    this.#end();
    this.#frames.complete();
  }

  #end(): void {
    const { clouds, images, resets } = this.#session;
    for (const stream of images.values()) stream.complete();
    clouds.complete();
    resets.complete();
    this.#subscription.unsubscribe();
  }

  #start(options: SyncOptions): [Session<C, I>, Subscription] {
    const session: Session<C, I> = {
      clouds: new Subject(),
      images: new Map([...options.cameras.keys()].map((name) => [name, new Subject<Stamped<I>>()])),
      resets: new Subject(),
    };
    const base = this.#epoch;
    const subscription = synchronize({ ...session, options, ledger: this.#ledger }).subscribe({
      next: (frame) => {
        this.#epoch = base + frame.epoch;
        this.#frames.next({ ...frame, epoch: this.#epoch });
      },
      error: (cause: unknown) => {
        this.#frames.error(cause);
      },
    });
    return [session, subscription];
  }
}
