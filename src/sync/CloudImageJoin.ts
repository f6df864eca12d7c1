import type { SchedulerLike, Subscription } from "rxjs";
import { CameraStream } from "./CameraStream.js";
import { PeriodEstimator } from "./PeriodEstimator.js";
import type { SyncLedger } from "./SyncLedger.js";
import type { SyncOptions } from "./SyncOptions.js";
import { momentOf } from "./types.js";
import type { MatchedImage, MissingImage, Moment, Release, Stamped, SyncedFrame } from "./types.js";

interface WaitingCloud<C> extends Moment {
  readonly payload: C;
  /** Ends the cloud's wait; also runs on after an early release, to know what a wait would have brought. */
  deadline: Subscription | undefined;
}

/**
 * The cloud-driven join: one frame per accepted cloud, in stamp order. It compares stamps with stamps only,
 * never with a clock, so that sensors with clocks of their own and a clock that stands still do no harm;
 * the scheduler only ends waits. `synchronize` is this with observables around it.
 */
export class CloudImageJoin<C, I> {
  readonly #options: SyncOptions;
  readonly #ledger: SyncLedger;
  readonly #scheduler: SchedulerLike;
  readonly #emit: (frame: SyncedFrame<C, I>) => void;
  readonly #cameras: readonly CameraStream<I>[];
  readonly #cloudPeriod = new PeriodEstimator();
  /** Ascending stamps. */
  #waiting: WaitingCloud<C>[] = [];
  /** Clouds whose deadline has not come, waiting or released, in order of arrival. */
  #withinDeadline: WaitingCloud<C>[] = [];
  #newestCloud: bigint | undefined;
  #lastReleased: Moment | undefined;
  #epoch = 0;

  constructor(
    options: SyncOptions,
    ledger: SyncLedger,
    scheduler: SchedulerLike,
    emit: (frame: SyncedFrame<C, I>) => void,
  ) {
    this.#options = options;
    this.#ledger = ledger;
    this.#scheduler = scheduler;
    this.#emit = emit;
    this.#cameras = [...options.cameras].map(
      ([name, camera]) => new CameraStream<I>(name, camera, options.jumpThreshold, ledger.camera(name)),
    );
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  pushCloud(cloud: Stamped<C>): void {
    const { stamp, payload } = cloud;
    const moment = momentOf(cloud);
    const account = this.#ledger.clouds;
    account.receive();
    if (stamp <= 0n) {
      account.drop(stamp, "bad_stamp");
      return;
    }
    if (this.#newestCloud !== undefined && stamp < this.#newestCloud - this.#options.jumpThreshold) {
      this.#restart(this.#newestCloud - stamp);
      for (const camera of this.#cameras) camera.rewind(moment);
    }
    if (stamp === this.#lastReleased?.stamp || this.#waiting.some((cloud) => cloud.stamp === stamp)) {
      account.drop(stamp, "duplicate");
      return;
    }
    if (this.#lastReleased !== undefined && stamp < this.#lastReleased.stamp) {
      account.drop(stamp, "out_of_order");
      return;
    }
    if (this.#newestCloud === undefined || stamp > this.#newestCloud) {
      this.#newestCloud = stamp;
      this.#cloudPeriod.add(stamp);
    }
    const place = this.#waiting.findLastIndex((cloud) => cloud.stamp < stamp) + 1;
    this.#waiting.splice(place, 0, this.#startWait({ ...moment, payload, deadline: undefined }));
    this.#releaseSettled();
    if (this.#waiting.length > this.#options.cloudQueueSize) {
      this.#release(this.#waiting.shift()!, "overflow");
      this.#releaseSettled();
    }
  }

  /** Throws a TypeError for a camera that is not in the options. */
  pushImage(name: string, image: Stamped<I>): void {
    const camera = this.#camera(name);
    if (!camera.accept(image, this.#lastReleased)) return;
    if (!camera.active && this.#withinDeadline.some((cloud) => camera.isSettled(cloud))) {
      camera.activate();
    }
    this.#releaseSettled();
  }

  /** The camera's stream is over: nobody waits for it any more. */
  endCamera(name: string): void {
    this.#camera(name).close();
    this.#releaseSettled();
  }

  /** Time was reset from outside (a clock jump): forget everything that waits. */
  reset(): void {
    this.#restart();
    for (const camera of this.#cameras) {
      camera.clear();
      camera.activate();
    }
  }

  /** No cloud will come any more, and none waits: the images that are left match nothing. */
  finish(): void {
    this.dispose();
    for (const camera of this.#cameras) camera.finish();
  }

  /** Stops the timers. */
  dispose(): void {
    for (const cloud of this.#withinDeadline) cloud.deadline?.unsubscribe();
    this.#withinDeadline = [];
  }

  #camera(name: string): CameraStream<I> {
    const camera = this.#cameras.find((stream) => stream.name === name);
    if (camera === undefined) throw new TypeError(`camera ${name} is not one of the join's cameras`);
    return camera;
  }

  #startWait(cloud: WaitingCloud<C>): WaitingCloud<C> {
    this.#withinDeadline.push(cloud);
    if (this.#withinDeadline.length > 2 * this.#options.cloudQueueSize) {
      // Only where the scheduler's clock stands still or maxWait spans many clouds: forget the oldest
      // released one. At most cloudQueueSize + 1 of them wait, so there is one.
      const oldest = this.#withinDeadline.findIndex((known) => !this.#waiting.includes(known));
      this.#withinDeadline.splice(oldest, 1)[0]!.deadline?.unsubscribe();
    }
    cloud.deadline = this.#scheduler.schedule(
      () => {
        this.#expire(cloud);
      },
      Number(this.#options.maxWait) / 1e6,
    );
    return cloud;
  }

  #expire(cloud: WaitingCloud<C>): void {
    this.#withinDeadline.splice(this.#withinDeadline.indexOf(cloud), 1);
    // Older clouds that arrived later leave with it: no cloud waits longer than maxWait, and order holds.
    while (this.#waiting.includes(cloud)) this.#release(this.#waiting.shift()!, "timeout");
    this.#releaseSettled();
  }

  #releaseSettled(): void {
    for (;;) {
      const cloud = this.#waiting[0];
      if (cloud === undefined) return;
      if (this.#cameras.some((camera) => camera.active && !camera.isSettled(cloud))) return;
      this.#waiting.shift();
      this.#release(cloud, "early");
    }
  }

  /** `early` stands for all releases without force; what came decides between `complete`, `early` and `ended`. */
  #release(cloud: WaitingCloud<C>, trigger: Exclude<Release, "complete" | "ended">): void {
    const images: MatchedImage<I>[] = [];
    const missing: MissingImage[] = [];
    for (const camera of this.#cameras) {
      const taken = camera.take(cloud);
      if ("image" in taken) images.push(taken);
      else missing.push(taken);
    }
    for (const camera of this.#cameras) {
      if (camera.isSettled(cloud)) {
        camera.activate();
        continue;
      }
      camera.missCloud(cloud);
      if (trigger === "timeout" || trigger === "overflow") {
        camera.countVainWait(this.#cloudPeriod.median, this.#options.inactiveAfter);
      }
    }
    let release: Release = trigger;
    if (trigger === "early") {
      if (missing.length === 0) release = "complete";
      else if (missing.some(({ reason }) => reason === "ended")) release = "ended";
    }
    this.#lastReleased = momentOf(cloud);
    for (const camera of this.#cameras) camera.prune(cloud);
    this.#ledger.release(release);
    this.#emit({
      cloud: cloud.payload,
      stamp: cloud.stamp,
      epoch: this.#epoch,
      images,
      missing,
      release,
    });
  }

  /** @param by how far the stamps went back */
  #restart(by?: bigint): void {
    for (let cloud = this.#waiting.shift(); cloud !== undefined; cloud = this.#waiting.shift()) {
      this.#ledger.clouds.drop(cloud.stamp, "reset");
    }
    this.dispose();
    this.#newestCloud = undefined;
    this.#lastReleased = undefined;
    this.#cloudPeriod.jump();
    this.#epoch++;
    this.#ledger.jump(by);
  }
}
