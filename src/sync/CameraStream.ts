import { PeriodEstimator } from "./PeriodEstimator.js";
import type { CameraLedger, DropCause } from "./SyncLedger.js";
import type { CameraSyncOptions } from "./SyncOptions.js";
import type { MatchedImage, MissingImage, MissingReason, Moment, Stamped } from "./types.js";

interface BufferedImage<I> extends Stamped<I> {
  /** Part of a released frame. */
  used: boolean;
  /** Came after the cloud that it belongs to had left. */
  readonly late: boolean;
}

/**
 * The images of one camera that clouds may still need, and whether the camera is worth waiting for.
 * All times are stamps in nanoseconds; a cloud's target is its stamp, or the middle of its scan, + the camera's offset.
 */
export class CameraStream<I> {
  readonly name: string;
  readonly #options: CameraSyncOptions;
  readonly #jumpThreshold: bigint;
  readonly #ledger: CameraLedger;
  readonly #period = new PeriodEstimator();
  /** Ascending stamps. */
  #images: BufferedImage<I>[] = [];
  #newest: bigint | undefined;
  /** Its stamps were near the clouds' since it last started or jumped; if not, it may have jumped before them. */
  #inStep = false;
  #closed = false;
  #missedClouds = 0;
  /** Target of the last cloud that left while this camera could still have sent its image. */
  #missedTarget: bigint | undefined;

  constructor(name: string, options: CameraSyncOptions, jumpThreshold: bigint, ledger: CameraLedger) {
    this.name = name;
    this.#options = options;
    this.#jumpThreshold = jumpThreshold;
    this.#ledger = ledger;
    ledger.period = options.period;
  }

  get active(): boolean {
    return this.#ledger.active;
  }

  /** No image will come any more. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Takes an image in. `lastReleased` is the moment of the last released cloud. Returns whether the camera's
   * newest stamp moved on, which is when waiting clouds may be settled.
   */
  accept(image: Stamped<I>, lastReleased: Moment | undefined): boolean {
    const { stamp } = image;
    this.#ledger.receive();
    if (stamp <= 0n) {
      this.#ledger.drop(stamp, "bad_stamp");
      return false;
    }
    if (this.#newest !== undefined && stamp < this.#newest - this.#jumpThreshold) this.clear();
    if (stamp === this.#newest || this.#images.some((buffered) => buffered.stamp === stamp)) {
      this.#ledger.drop(stamp, "duplicate");
      return false;
    }
    const isNewest = this.#newest === undefined || stamp > this.#newest;
    if (isNewest) {
      this.#newest = stamp;
      this.#period.add(stamp);
      this.#ledger.period = this.#options.period ?? this.#period.median;
    }
    const late = this.#missedTarget !== undefined && stamp <= this.#missedTarget + this.#options.tolerance;
    if (this.#isUseless(stamp, lastReleased)) {
      this.#ledger.drop(stamp, isNewest ? unusedCause(late) : "out_of_order");
      return isNewest;
    }
    const place = this.#images.findLastIndex((buffered) => buffered.stamp < stamp) + 1;
    this.#images.splice(place, 0, { stamp, payload: image.payload, used: false, late });
    if (this.#images.length > this.#options.queueSize) {
      this.#letGo(this.#images.shift()!, "queue_full");
    }
    return isNewest;
  }

  /**
   * Whether no later image can be a better match for the cloud: the camera has reached the cloud's target
   * (later images are only farther), or, as far as its period is known, the next image will not be nearer.
   */
  isSettled(cloud: Moment): boolean {
    if (this.#closed) return true;
    if (this.#newest === undefined) return false;
    const target = this.#target(cloud);
    if (this.#newest >= target) return true;
    const shortestPeriod = this.#options.period ?? this.#period.shortest;
    if (shortestPeriod === undefined) return false;
    const next = this.#newest + shortestPeriod;
    const { tolerance } = this.#options;
    return target - this.#newest <= tolerance
      ? next - target >= target - this.#newest
      : next > target + tolerance;
  }

  /**
   * The image nearest to the cloud's target within the tolerance or the maximum age, or why there is none.
   * An image may be taken by several clouds; of two that are equally near, the earlier is taken.
   */
  take(cloud: Moment): MatchedImage<I> | MissingImage {
    const target = this.#target(cloud);
    const image = this.#nearest(target);
    if (image === undefined) {
      return { camera: this.name, reason: this.#whyMissing(cloud), nearest: this.#nearestDelta(target) };
    }
    if (image.used) this.#ledger.reuse();
    else this.#ledger.deliver();
    image.used = true;
    const { stamp } = image;
    const cloudTime = stamp - this.#options.offset;
    return { camera: this.name, image: image.payload, stamp, cloudTime, delta: stamp - target };
  }

  /** A cloud left while this camera could still have sent a better image, which will now be late. */
  missCloud(cloud: Moment): void {
    this.#missedTarget = this.#target(cloud);
  }

  /**
   * A cloud waited for this camera to the end and in vain. When that has lasted `inactiveAfter` periods of the
   * camera, it is no longer waited for. `cloudPeriod` is undefined while unknown; then clouds are counted.
   */
  countVainWait(cloudPeriod: bigint | undefined, inactiveAfter: number): void {
    this.#missedClouds++;
    const period = this.#options.period ?? this.#period.median;
    const missedPeriods =
      cloudPeriod === undefined || period === undefined
        ? this.#missedClouds
        : Number(BigInt(this.#missedClouds) * cloudPeriod) / Number(period);
    if (missedPeriods >= inactiveAfter) this.#ledger.active = false;
  }

  /** The camera is in time (again): clouds wait for it. */
  activate(): void {
    this.#missedClouds = 0;
    this.#ledger.active = true;
  }

  /** Lets go of the images that no cloud after `lastReleased` can use. */
  prune(lastReleased: Moment): void {
    if (!this.#isFarBehind(lastReleased)) this.#inStep = this.#newest !== undefined;
    this.#filter((image) => !this.#isUseless(image.stamp, lastReleased), "no_match");
  }

  /**
   * The clouds jumped back to this one: what is from before the jump goes. A camera that jumped before the
   * clouds did keeps its first images of the new time.
   */
  rewind(cloud: Moment): void {
    const limit = this.#target(cloud) + this.#jumpThreshold;
    if (this.#inStep || (this.#newest !== undefined && this.#newest > limit)) this.clear();
    this.#missedTarget = undefined;
    this.activate();
  }

  /** Time jumped back: everything goes. */
  clear(): void {
    this.#filter(() => false, "reset");
    this.#newest = undefined;
    this.#inStep = false;
    this.#missedTarget = undefined;
    this.#period.jump();
  }

  /** No cloud will come any more. */
  finish(): void {
    this.#filter(() => false, "no_match");
  }

  #target(cloud: Moment): bigint {
    return targetOf(cloud, this.#options);
  }

  #nearest(target: bigint): BufferedImage<I> | undefined {
    let nearest: BufferedImage<I> | undefined;
    for (const image of this.#images) {
      if (image.stamp > target + this.#options.tolerance) break;
      if (image.stamp < target - this.#options.maximumAge) continue;
      if (nearest === undefined || distance(image.stamp, target) < distance(nearest.stamp, target)) {
        nearest = image;
      }
    }
    return nearest;
  }

  #nearestDelta(target: bigint): bigint | undefined {
    let nearest = this.#newest;
    for (const { stamp } of this.#images) {
      if (nearest === undefined || distance(stamp, target) < distance(nearest, target)) nearest = stamp;
    }
    return nearest === undefined ? undefined : nearest - target;
  }

  #whyMissing(cloud: Moment): MissingReason {
    if (this.#newest === undefined) return "never_seen";
    if (this.#closed && this.#newest < this.#target(cloud)) return "ended";
    if (this.isSettled(cloud)) return "no_match";
    return this.active ? "not_arrived" : "inactive";
  }

  #isUseless(stamp: bigint, lastReleased: Moment | undefined): boolean {
    if (lastReleased === undefined) return false;
    // A camera far behind the clouds may be the first to have jumped back; its images wait for the clouds.
    if (this.#isFarBehind(lastReleased)) return false;
    return stamp + this.#options.maximumAge <= this.#target(lastReleased);
  }

  #isFarBehind(lastReleased: Moment): boolean {
    const target = this.#target(lastReleased);
    return this.#newest !== undefined && this.#newest < target - this.#jumpThreshold;
  }

  #filter(keep: (image: BufferedImage<I>) => boolean, cause: DropCause): void {
    const gone = this.#images.filter((image) => !keep(image));
    if (gone.length === 0) return;
    this.#images = this.#images.filter(keep);
    for (const image of gone) this.#letGo(image, cause);
  }

  #letGo(image: BufferedImage<I>, cause: DropCause): void {
    if (image.used) return;
    this.#ledger.drop(image.stamp, cause === "reset" ? cause : unusedCause(image.late, cause));
  }
}

/** The stamp of the image that would fit a cloud exactly. */
export function targetOf(
  { stamp, middle }: Moment,
  { offset, fromMiddle }: Pick<CameraSyncOptions, "offset" | "fromMiddle">,
): bigint {
  return stamp + offset + (fromMiddle ? middle : 0n);
}

function unusedCause(late: boolean, otherwise: DropCause = "no_match"): DropCause {
  return late ? "late" : otherwise;
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}
