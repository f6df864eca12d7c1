import { Fault } from "../faults/Fault.js";
import { frameName } from "../messages/frameName.js";
import type { TFMessage, TransformStamped } from "../messages/types.js";
import { compose, describeDistance, IDENTITY, inverse, normalized, toMatrix, type Pose } from "./Pose.js";
import {
  DynamicTransformCache,
  StaticTransformCache,
  type Missing,
  type Sample,
  type TransformCache,
} from "./TransformCache.js";
import { formatStamp, TransformFault } from "./TransformFault.js";

export interface TransformBufferOptions {
  /** Nanoseconds of dynamic transforms to keep per frame, counted from its newest; 10 s unless told. */
  readonly cacheLength?: bigint;
  /** Frames that are kept; 10,000 unless told. */
  readonly maxFrames?: number;
}

/** A time in nanoseconds, or the newest time for which the whole chain is known. */
export type LookupStamp = bigint | "latest";

const DEFAULT_CACHE_LENGTH = 10_000_000_000n;
/** Some drivers and trackers name a frame after each thing that they see. */
const DEFAULT_MAX_FRAMES = 10_000;
/** Conflicts that are kept until they are asked for. */
const MOST_CONFLICTS = 1000;
/** tf2's QUATERNION_NORMALIZATION_TOLERANCE (geometry2, buffer_core.cpp): of the squared norm. */
const NORMALIZATION_TOLERANCE = 10e-3;

/** The way from a frame up towards the root at one time. */
interface Climb {
  /** The frame itself first; `poses[i]` maps its coordinates to `frames[i]`. */
  readonly frames: string[];
  readonly poses: Pose[];
  /** Why the way ends before the root. */
  readonly failure?: TransformFault;
}

/**
 * The tree of coordinate frames with tf2's semantics (geometry2, tf2::BufferCore): samples of a frame are
 * interpolated, never extrapolated; a frame may change its parent from one sample to the next (between
 * the two the older parent holds). Frames expire: of more than `maxFrames`, those go that nothing was said of for the
 * longest time. Stricter than tf2: a transform that would close a loop is refused when
 * it arrives, quaternions are normalized, and infinities are refused like NaN. A leading "/" of a frame
 * name is ignored.
 */
export class TransformBuffer {
  readonly #cacheLength: bigint;
  readonly #maxFrames: number;
  /** By child frame; those that something was said of last are last. */
  readonly #caches = new Map<string, TransformCache>();
  /** Every name seen, roots included. */
  readonly #frames = new Set<string>();
  /** Frames of which it was told that they have several places. */
  readonly #contradicted = new Set<string>();
  #conflicts: Fault[] = [];

  constructor({
    cacheLength = DEFAULT_CACHE_LENGTH,
    maxFrames = DEFAULT_MAX_FRAMES,
  }: TransformBufferOptions = {}) {
    this.#cacheLength = cacheLength;
    this.#maxFrames = maxFrames;
  }

  /**
   * Takes all transforms of a message from /tf (`isStatic` false) or /tf_static (true). Returns how many were
   * ignored because they are older than the cache. Throws a "malformed-message" Fault for the first bad
   * transform, after the good ones of the message have been taken.
   */
  add(message: TFMessage, isStatic: boolean): number {
    let outdated = 0;
    let fault: Fault | undefined;
    for (const transform of message.transforms) {
      const problem = this.#problemWith(transform);
      if (problem !== undefined) fault ??= new Fault("malformed-message", problem);
      else if (!this.#insert(transform, isStatic)) outdated++;
    }
    if (fault !== undefined) throw fault;
    return outdated;
  }

  /**
   * Faults `transforms-conflict` that were found since the last call, one for each frame at the most: publishers
   * contradict each other about its place. A frame may move to another parent; one that comes back to the one before
   * within the length of the cache has two publishers.
   */
  takeConflicts(): readonly Fault[] {
    const conflicts = this.#conflicts;
    this.#conflicts = [];
    return conflicts;
  }

  /** Forgets dynamic transforms, as needed when time jumps backwards; static ones stay. */
  clear(): void {
    for (const cache of this.#caches.values()) cache.clear();
  }

  /** Forgets the dynamic transforms of every frame that has one at this time or later, nanoseconds. */
  forgetFrom(stamp: bigint): void {
    for (const cache of this.#caches.values()) {
      const latest = cache.isStatic ? undefined : cache.latest;
      if (latest !== undefined && latest.stamp >= stamp) cache.clear();
    }
  }

  has(frame: string): boolean {
    return this.#frames.has(frameName(frame));
  }

  /**
   * The frame above all others over a frame at a time; the frame itself where nothing is above it. Throws a TransformFault
   * where the way up is not known.
   */
  rootOf(frame: string, stamp: bigint): string {
    const { frames, failure } = this.#climb(frameName(frame), stamp);
    if (failure !== undefined) throw failure;
    return frames.at(-1)!;
  }

  /**
   * Maps coordinates in `source` to coordinates in `target` at one time: 16 doubles, column-major
   * (gl-matrix's mat4 layout). Throws a TransformFault when that is not known.
   */
  lookup(target: string, source: string, stamp: LookupStamp): Float64Array {
    return toMatrix(this.#lookup(frameName(target), frameName(source), stamp));
  }

  /**
   * Maps coordinates in `source` at `sourceStamp` to coordinates in `target` at `targetStamp`, for things
   * that stand still in `fixed` (usually odom). Throws a TransformFault when that is not known.
   */
  lookupThrough(
    target: string,
    targetStamp: LookupStamp,
    source: string,
    sourceStamp: LookupStamp,
    fixed: string,
  ): Float64Array {
    const middle = frameName(fixed);
    const toFixed = this.#lookup(middle, frameName(source), sourceStamp);
    const toTarget = this.#lookup(frameName(target), middle, targetStamp);
    return toMatrix(compose(toTarget, toFixed));
  }

  #lookup(target: string, source: string, stamp: LookupStamp): Pose {
    if (target === "" || source === "") {
      throw new TransformFault(
        "unknown-frame",
        `no transform from "${source}" to "${target}" at ${describeStamp(stamp)}: header.frame_id of a sensor is empty, ` +
          "so that nothing says where it is; set the frame id of its driver (the parameter is mostly called frame_id)",
      );
    }
    // A frame is where it is, whether or not anything is known of it.
    if (target === source) return IDENTITY;
    for (const frame of [target, source]) {
      if (this.#frames.has(frame)) continue;
      throw new TransformFault(
        "unknown-frame",
        `no transform from "${source}" to "${target}" at ${describeStamp(stamp)}: no transform ever ` +
          `named the frame "${frame}" (known: ${this.#knownFrames()})`,
      );
    }
    const time = stamp === "latest" ? this.#latestCommonTime(target, source) : stamp;
    const fromSource = this.#climb(source, time);
    const fromTarget = this.#climb(target, time);
    for (const [above, frame] of fromTarget.frames.entries()) {
      const meeting = fromSource.frames.indexOf(frame);
      if (meeting < 0) continue;
      return compose(inverse(fromTarget.poses[above]!), fromSource.poses[meeting]!);
    }
    const where = `no transform from "${source}" to "${target}" at ${describeStamp(stamp)}: `;
    const failure = fromSource.failure ?? fromTarget.failure;
    if (failure !== undefined) throw new TransformFault(failure.reason, where + failure.message);
    throw new TransformFault(
      "not-connected",
      `${where}they are in different trees, under "${fromSource.frames.at(-1)!}" and "${fromTarget.frames.at(-1)!}"`,
    );
  }

  #climb(frame: string, stamp: bigint): Climb {
    const frames = [frame];
    const poses = [IDENTITY];
    for (let current = frame; ;) {
      const located = this.#caches.get(current)?.at(stamp);
      if (located === undefined) return { frames, poses };
      if ("missing" in located) {
        const failure = new TransformFault(located.missing, describeMissing(current, located, stamp));
        return { frames, poses, failure };
      }
      // Samples of different times may disagree about parents, so a loop can show only now.
      if (frames.includes(located.parent)) {
        const loop = [...frames, located.parent].join('" in "');
        return { frames, poses, failure: new TransformFault("not-connected", `a loop: "${loop}"`) };
      }
      poses.push(compose(located.pose, poses.at(-1)!));
      frames.push(located.parent);
      current = located.parent;
    }
  }

  /** The oldest of the newest stamps along the way between two frames; any time if the way is static. */
  #latestCommonTime(target: string, source: string): bigint {
    const up = (frame: string): Map<string, bigint | undefined> => {
      // Ancestor to the oldest newest stamp on the way there.
      const ancestors = new Map<string, bigint | undefined>();
      let current: string | undefined = frame;
      let time: bigint | undefined;
      while (current !== undefined && !ancestors.has(current)) {
        ancestors.set(current, time);
        const cache: TransformCache | undefined = this.#caches.get(current);
        const latest = cache?.latest;
        if (cache?.isStatic === false && latest !== undefined) time = older(time, latest.stamp);
        current = latest?.parent;
      }
      return ancestors;
    };
    const fromSource = up(source);
    for (const [frame, time] of up(target)) {
      if (fromSource.has(frame)) return older(time, fromSource.get(frame)) ?? 0n;
    }
    return 0n;
  }

  #problemWith({ header, childFrameId, translation, rotation }: TransformStamped): string | undefined {
    const child = frameName(childFrameId);
    const parent = frameName(header.frameId);
    if (child === "") return `child_frame_id of a transform in "${parent}" is empty`;
    if (parent === "") return `header.frame_id of the transform of "${child}" is empty`;
    if (child === parent) return `the transform of "${child}" has the same frame as its parent`;
    const of = `the transform of "${child}" in "${parent}"`;
    if (![...translation, ...rotation].every(Number.isFinite)) {
      return `${of} must be finite, but is [${translation.join(", ")}], [${rotation.join(", ")}]`;
    }
    const squared = rotation.reduce((sum, value) => sum + value * value, 0);
    if (Math.abs(squared - 1) >= NORMALIZATION_TOLERANCE) {
      return `${of} has the quaternion [${rotation.join(", ")}] of squared norm ${squared}, not 1 within 0.01`;
    }
    const way = [child, parent];
    for (let above = this.#caches.get(parent)?.latest?.parent; above !== undefined;) {
      way.push(above);
      if (above === child) return `${of} would close a loop: "${way.join('" in "')}"`;
      above = way.indexOf(above) < way.length - 1 ? undefined : this.#caches.get(above)?.latest?.parent;
    }
    return undefined;
  }

  #insert({ header, childFrameId, translation, rotation }: TransformStamped, isStatic: boolean): boolean {
    const child = frameName(childFrameId);
    const parent = frameName(header.frameId);
    this.#frames.add(child).add(parent);
    let cache = this.#caches.get(child);
    const sample = { stamp: header.stamp, parent, pose: { translation, rotation: normalized(rotation) } };
    if (cache !== undefined && !this.#contradicted.has(child)) {
      const conflict = conflictOf(child, cache, sample, isStatic);
      if (conflict !== undefined) {
        this.#contradicted.add(child);
        // Whoever does not ask for them costs no memory for it.
        if (this.#conflicts.length >= MOST_CONFLICTS) this.#conflicts.shift();
        this.#conflicts.push(new Fault("transforms-conflict", `${conflict}; leave one publisher of it`));
      }
    }
    if (cache?.isStatic !== isStatic) {
      // As in tf2: who changes from static to dynamic or back starts anew.
      cache = isStatic ? new StaticTransformCache() : new DynamicTransformCache(this.#cacheLength);
    }
    this.#caches.delete(child);
    this.#caches.set(child, cache);
    if (this.#caches.size > this.#maxFrames) this.#expire();
    return cache.insert(sample);
  }

  /** Forgets a tenth of the frames at once, so that it is seldom. Static ones, which are said once, go last. */
  #expire(): void {
    const surplus = this.#caches.size - Math.floor(0.9 * this.#maxFrames);
    const entries = [...this.#caches];
    const oldest = [
      ...entries.filter(([, { isStatic }]) => !isStatic),
      ...entries.filter(([, { isStatic }]) => isStatic),
    ];
    for (const [child] of oldest.slice(0, surplus)) {
      this.#caches.delete(child);
      this.#contradicted.delete(child);
    }
    this.#frames.clear();
    for (const [child, cache] of this.#caches) {
      this.#frames.add(child);
      for (const parent of cache.parents()) this.#frames.add(parent);
    }
  }

  #knownFrames(): string {
    const names = [...this.#frames].sort();
    const shown = names.slice(0, 20).join(", ");
    return names.length === 0 ? "none" : names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
  }
}

/** What of a new sample contradicts what is known of the frame. */
function conflictOf(
  child: string,
  cache: TransformCache,
  sample: Sample,
  isStatic: boolean,
): string | undefined {
  const { latest } = cache;
  const { parent } = sample;
  if (latest === undefined) return undefined;
  if (cache.isStatic !== isStatic) {
    const [fixed, moving] = isStatic ? [parent, latest.parent] : [latest.parent, parent];
    return `the frame '${child}' has several places: static in '${fixed}' and moving in '${moving}'; the last that comes holds`;
  }
  if (isStatic) {
    if (parent !== latest.parent) {
      return `the frame '${child}' has several places: static in '${latest.parent}' and in '${parent}'; the last holds`;
    }
    const apart = describeDistance(latest.pose, sample.pose);
    return (
      apart && `the static frame '${child}' has several places in '${parent}', ${apart} apart; the last holds`
    );
  }
  if (parent === latest.parent || sample.stamp <= latest.stamp) return undefined;
  for (const before of cache.parents()) {
    if (before === parent) {
      return (
        `the frame '${child}' has several places: in '${parent}', then in '${latest.parent}', then in '${parent}' ` +
        "again; the last holds"
      );
    }
  }
  return undefined;
}

function older(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function describeMissing(frame: string, { missing, available }: Missing, wanted: bigint): string {
  const seconds = Math.abs(Number(wanted - available)) / 1e9;
  const at = `${formatStamp(available)}, ${seconds.toFixed(3)} s ${wanted < available ? "after" : "before"} that`;
  switch (missing) {
    case "extrapolation-past":
      return `extrapolation into the past, the earliest sample of "${frame}" is at ${at}`;
    case "extrapolation-future":
      return `extrapolation into the future, the latest sample of "${frame}" is at ${at}`;
    case "one-sample":
      return `the only sample of "${frame}" is at ${at}`;
  }
}

function describeStamp(stamp: LookupStamp): string {
  return stamp === "latest" ? "the latest common time" : formatStamp(stamp);
}
