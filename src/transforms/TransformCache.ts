import { interpolate, type Pose } from "./Pose.js";
import type { TransformFaultReason } from "./TransformFault.js";

/** A pose in the frame `parent`, known at `stamp` nanoseconds. */
export interface Sample {
  readonly stamp: bigint;
  readonly parent: string;
  readonly pose: Pose;
}

/** Why a frame's place at a time is not known, and the nearest stamp at which it is. */
export interface Missing {
  readonly missing: Extract<
    TransformFaultReason,
    "extrapolation-past" | "extrapolation-future" | "one-sample"
  >;
  readonly available: bigint;
}

/** Where a frame is at a time. */
export type Located = { readonly parent: string; readonly pose: Pose } | Missing;

/** What is known of one frame's place in its parent. */
export interface TransformCache {
  readonly isStatic: boolean;
  /** The newest sample, undefined when empty. */
  readonly latest: Sample | undefined;
  /** Of all samples. */
  parents(): Iterable<string>;
  /** False when the sample is too old to keep. */
  insert(sample: Sample): boolean;
  /** undefined when empty. */
  at(stamp: bigint): Located | undefined;
  /** Forgets what a backward jump in time makes wrong. */
  clear(): void;
}

/** Holds for all times; the last one received counts. */
export class StaticTransformCache implements TransformCache {
  readonly isStatic = true;
  latest: Sample | undefined;

  insert(sample: Sample): boolean {
    this.latest = sample;
    return true;
  }

  parents(): Iterable<string> {
    return this.latest === undefined ? [] : [this.latest.parent];
  }

  at(_stamp: bigint): Located | undefined {
    return this.latest;
  }

  /** A static transform survives a jump in time, as in tf2. */
  clear(): void {
    return;
  }
}

/** Samples of the last `length` nanoseconds before the newest one, in ascending stamp order. */
export class DynamicTransformCache implements TransformCache {
  readonly isStatic = false;
  readonly #length: bigint;
  #samples: Sample[] = [];
  /** Samples before this index are forgotten; they are cut off in batches. */
  #start = 0;

  constructor(length: bigint) {
    this.#length = length;
  }

  get latest(): Sample | undefined {
    return this.#samples.at(-1);
  }

  insert(sample: Sample): boolean {
    const latest = this.latest;
    if (latest !== undefined && sample.stamp < latest.stamp - this.#length) return false;
    if (latest === undefined || sample.stamp > latest.stamp) {
      this.#samples.push(sample);
      this.#forget(sample.stamp - this.#length);
      return true;
    }
    const index = this.#firstNotBefore(sample.stamp);
    // As in tf2, a stamp that is already there keeps its first sample.
    if (this.#samples[index]!.stamp !== sample.stamp) this.#samples.splice(index, 0, sample);
    return true;
  }

  parents(): Iterable<string> {
    return new Set(this.#samples.slice(this.#start).map(({ parent }) => parent));
  }

  at(stamp: bigint): Located | undefined {
    const latest = this.latest;
    if (latest === undefined) return undefined;
    if (stamp === latest.stamp) return latest;
    const earliest = this.#samples[this.#start]!;
    if (earliest === latest) return { missing: "one-sample", available: latest.stamp };
    if (stamp > latest.stamp) return { missing: "extrapolation-future", available: latest.stamp };
    if (stamp < earliest.stamp) return { missing: "extrapolation-past", available: earliest.stamp };
    const index = this.#firstNotBefore(stamp);
    const newer = this.#samples[index]!;
    if (newer.stamp === stamp) return newer;
    const older = this.#samples[index - 1]!;
    if (older.parent !== newer.parent) return older;
    const ratio = Number(stamp - older.stamp) / Number(newer.stamp - older.stamp);
    return { parent: older.parent, pose: interpolate(older.pose, newer.pose, ratio) };
  }

  clear(): void {
    this.#samples = [];
    this.#start = 0;
  }

  #forget(before: bigint): void {
    while (this.#samples[this.#start]!.stamp < before) this.#start++;
    if (this.#start > 64 && this.#start * 2 > this.#samples.length) {
      this.#samples.splice(0, this.#start);
      this.#start = 0;
    }
  }

  /** Index of the first kept sample at or after the stamp, which must not be after the newest. */
  #firstNotBefore(stamp: bigint): number {
    let low = this.#start;
    let high = this.#samples.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#samples[middle]!.stamp < stamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
