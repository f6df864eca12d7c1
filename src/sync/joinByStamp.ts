import { targetOf } from "./CameraStream.js";
import type { CameraLedger, StreamLedger, SyncLedger } from "./SyncLedger.js";
import type { CameraSyncOptions, SyncOptions } from "./SyncOptions.js";
import { momentOf } from "./types.js";
import type { MatchedImage, MissingImage, Release, Stamped, SyncedFrame } from "./types.js";

/** A message of a complete recording. */
export interface RecordedStamp<T> extends Stamped<T> {
  /** How often time had jumped back in the recording before the message. */
  readonly epoch: number;
}

export interface RecordedStreams<C, I> {
  /** In the order in which they were logged, which decides only between messages of the same stamp. */
  readonly clouds: readonly RecordedStamp<C>[];
  /** One list per camera of the options, by name. */
  readonly images: ReadonlyMap<string, readonly RecordedStamp<I>[]>;
}

/**
 * Joins the clouds and images of a complete recording. Nothing is late there and nobody waits: what belongs together is
 * decided by stamps alone, so that the result does not depend on when, or in which order, messages were logged (except
 * that of several with one stamp the first counts).
 *
 * One frame per cloud, by epoch and stamp, each with the image of every camera that is nearest to the cloud's target
 * within the tolerance, or the nearest older one within the maximum age; of two equally near the earlier. Times of
 * waiting and sizes of queues in the options play no part. Drops are accounted for as the frames are taken.
 */
export function* joinByStamp<C, I>(
  { clouds, images }: RecordedStreams<C, I>,
  { cameras }: Pick<SyncOptions, "cameras">,
  ledger: SyncLedger,
): Generator<SyncedFrame<C, I>, void, undefined> {
  const accepted = inOrder(clouds, ledger.clouds);
  const streams = [...cameras].map(
    ([name, options]) =>
      new RecordedCamera(
        name,
        options,
        inOrder(images.get(name) ?? [], ledger.camera(name)),
        ledger.camera(name),
      ),
  );
  let epoch = accepted[0]?.epoch ?? 0;
  for (const cloud of accepted) {
    if (cloud.epoch !== epoch) ledger.jump();
    epoch = cloud.epoch;
    const matched: MatchedImage<I>[] = [];
    const missing: MissingImage[] = [];
    for (const stream of streams) {
      const taken = stream.take(cloud);
      if ("image" in taken) matched.push(taken);
      else missing.push(taken);
    }
    const release: Release =
      missing.length === 0
        ? "complete"
        : missing.some(({ reason }) => reason === "ended")
          ? "ended"
          : "early";
    ledger.release(release);
    const { payload, stamp } = cloud;
    yield { cloud: payload, stamp, epoch, images: matched, missing, release };
  }
  for (const stream of streams) stream.finish();
}

/** By epoch and stamp, without those that have no valid stamp or one that was there before. */
function inOrder<T>(
  messages: readonly RecordedStamp<T>[],
  ledger: StreamLedger,
): readonly RecordedStamp<T>[] {
  const sorted: RecordedStamp<T>[] = [];
  for (const message of messages) {
    ledger.receive();
    if (message.stamp <= 0n) ledger.drop(message.stamp, "bad_stamp");
    else sorted.push(message);
  }
  // Array.prototype.sort is stable: of the same stamp the first that was logged stays first.
  sorted.sort((a, b) => a.epoch - b.epoch || compare(a.stamp, b.stamp));
  return sorted.filter(({ stamp, epoch }, i) => {
    const before = sorted[i - 1];
    if (before?.stamp !== stamp || before.epoch !== epoch) return true;
    ledger.drop(stamp, "duplicate");
    return false;
  });
}

/** The images of one camera, of which each cloud takes the nearest. */
class RecordedCamera<I> {
  readonly #name: string;
  readonly #options: CameraSyncOptions;
  readonly #images: readonly RecordedStamp<I>[];
  readonly #used: Uint8Array;
  readonly #ledger: CameraLedger;
  /** Images before this one are accounted for. */
  #settled = 0;

  constructor(
    name: string,
    options: CameraSyncOptions,
    images: readonly RecordedStamp<I>[],
    ledger: CameraLedger,
  ) {
    this.#name = name;
    this.#options = options;
    this.#images = images;
    this.#used = new Uint8Array(images.length);
    this.#ledger = ledger;
    ledger.period = options.period ?? medianPeriod(images);
  }

  take(cloud: RecordedStamp<unknown>): MatchedImage<I> | MissingImage {
    const { tolerance, maximumAge } = this.#options;
    const target = targetOf(momentOf(cloud), this.#options);
    const after = this.#firstNotBefore(cloud.epoch, target);
    const [older, newer] = [this.#of(cloud.epoch, after - 1), this.#of(cloud.epoch, after)];
    const olderIsNearer =
      older !== undefined && (newer === undefined || target - older.stamp <= newer.stamp - target);
    const nearest = olderIsNearer ? older : newer;
    if (nearest === undefined) return { camera: this.#name, reason: "never_seen", nearest: undefined };
    const fits = (image: RecordedStamp<I> | undefined): image is RecordedStamp<I> =>
      image !== undefined && image.stamp - target <= tolerance && target - image.stamp <= maximumAge;
    // An older one may serve although a newer one, too new to serve, is nearer.
    const index = fits(nearest) ? (olderIsNearer ? after - 1 : after) : after - 1;
    const image = fits(nearest) ? nearest : older;
    if (!fits(image)) {
      const reason = newer === undefined ? "ended" : "no_match";
      return { camera: this.#name, reason, nearest: nearest.stamp - target };
    }
    this.#settle(index);
    if (this.#used[index] === 1) this.#ledger.reuse();
    else this.#ledger.deliver();
    this.#used[index] = 1;
    const { stamp } = image;
    const cloudTime = stamp - this.#options.offset;
    return { camera: this.#name, image: image.payload, stamp, cloudTime, delta: stamp - target };
  }

  finish(): void {
    this.#settle(this.#images.length);
  }

  /** Lets go of the unused images before this one. Later clouds take later ones, unless their middles vary wildly. */
  #settle(end: number): void {
    for (; this.#settled < end; this.#settled++) {
      if (this.#used[this.#settled] !== 1) this.#ledger.drop(this.#images[this.#settled]!.stamp, "no_match");
    }
  }

  #of(epoch: number, index: number): RecordedStamp<I> | undefined {
    const image = this.#images[index];
    // What was let go is not taken again.
    if (image?.epoch !== epoch || (index < this.#settled && this.#used[index] !== 1)) return undefined;
    return image;
  }

  #firstNotBefore(epoch: number, stamp: bigint): number {
    let low = 0;
    let high = this.#images.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const image = this.#images[middle]!;
      if (image.epoch < epoch || (image.epoch === epoch && image.stamp < stamp)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function medianPeriod(images: readonly RecordedStamp<unknown>[]): bigint | undefined {
  if (images.length < 2) return undefined;
  const periods = images.slice(1).flatMap((image, i) => {
    const before = images[i]!;
    return image.epoch === before.epoch ? [image.stamp - before.stamp] : [];
  });
  return periods.sort(compare)[periods.length >> 1];
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
