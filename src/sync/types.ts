/** A message as the join sees it: when it was sensed, and what it is. */
export interface Stamped<T> {
  /** Nanoseconds since the epoch of the sender's clock (header stamp). */
  readonly stamp: bigint;
  readonly payload: T;
  /** Of a scan: nanoseconds from its stamp to its middle, from which offsets of cameras count; 0 where absent. */
  readonly middle?: bigint;
}

/** The moment of a cloud that messages of other streams are compared with. */
export interface Moment {
  readonly stamp: bigint;
  /** See Stamped; 0 where it has none. */
  readonly middle: bigint;
}

export function momentOf({
  stamp,
  middle = 0n,
}: {
  readonly stamp: bigint;
  readonly middle?: bigint;
}): Moment {
  return { stamp, middle };
}

/**
 * Why a cloud was released when it was:
 * - `complete`: every camera has its image;
 * - `early`: no live camera can still send a better image, but some camera has none;
 * - `timeout`: it had waited `maxWait`;
 * - `overflow`: more than `cloudQueueSize` clouds were waiting, so the oldest left with what it had;
 * - `ended`: a camera's stream is over and will not send its image.
 */
export const RELEASES = ["complete", "early", "timeout", "overflow", "ended"] as const;
export type Release = (typeof RELEASES)[number];

/** An image that belongs to a cloud. */
export interface MatchedImage<I> {
  readonly camera: string;
  readonly image: I;
  /** The image's own stamp, nanoseconds. */
  readonly stamp: bigint;
  /** The same moment on the clouds' clock: its stamp without the camera's offset, nanoseconds. */
  readonly cloudTime: bigint;
  /** image stamp - (cloud stamp + the scan's middle + the camera's offset), nanoseconds. */
  readonly delta: bigint;
}

/**
 * Why a camera gave no image to a cloud:
 * - `never_seen`: nothing came from it since the start or the last jump;
 * - `inactive`: it missed too many clouds and is not waited for until it comes back;
 * - `not_arrived`: its image did not come in time;
 * - `no_match`: it has passed the cloud, and no image is near enough;
 * - `ended`: its stream ended before the cloud.
 */
export type MissingReason = "never_seen" | "inactive" | "not_arrived" | "no_match" | "ended";

export interface MissingImage {
  readonly camera: string;
  readonly reason: MissingReason;
  /** `MatchedImage.delta` of the nearest image that is still known, however far; undefined if never seen. */
  readonly nearest: bigint | undefined;
}

/** One accepted cloud with the images that belong to it. */
export interface SyncedFrame<C, I> {
  readonly cloud: C;
  /** The cloud's stamp, nanoseconds; strictly increasing within an epoch. */
  readonly stamp: bigint;
  /** Counts the backward jumps of time before this cloud: whoever keeps time-dependent state clears it on a change. */
  readonly epoch: number;
  /** In the order of `SyncOptions.cameras`. */
  readonly images: readonly MatchedImage<I>[];
  readonly missing: readonly MissingImage[];
  readonly release: Release;
}
