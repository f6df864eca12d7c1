import { Fault } from "../faults/Fault.js";

export interface CameraSyncOptions {
  /** Camera stamp minus cloud stamp when both see the same moment, nanoseconds (shutter or transport offset). */
  readonly offset: bigint;
  /** Does the offset count from the middle of a scan? Of cameras; further clouds are compared stamp with stamp. */
  readonly fromMiddle: boolean;
  /** An image matches when |image stamp - (cloud stamp + offset)| is at most this, nanoseconds. */
  readonly tolerance: bigint;
  /**
   * Without an image within the tolerance, the nearest older one is used if it is at most this much older
   * than cloud stamp + offset, nanoseconds. Equal to the tolerance: never. Larger: for cameras slower than
   * the LiDAR, whose images then serve several clouds without anyone waiting for them.
   */
  readonly maximumAge: bigint;
  /** Nanoseconds from image to image; learned from the stamps where undefined. */
  readonly period: bigint | undefined;
  /** At most this many images are kept for clouds to come; then the oldest goes. */
  readonly queueSize: number;
}

export interface SyncOptions {
  /** Every camera that may send images, by name; the order is the order of a frame's images. */
  readonly cameras: ReadonlyMap<string, CameraSyncOptions>;
  /** A cloud waits at most this long for its images, nanoseconds of the scheduler's clock. */
  readonly maxWait: bigint;
  /** A camera that misses clouds for this many of its periods is no longer waited for, until it comes back. */
  readonly inactiveAfter: number;
  /** At most this many clouds wait for images; then the oldest is released as it is. */
  readonly cloudQueueSize: number;
  /** A stamp more than this before the newest of its stream is a jump of time, not a late message; nanoseconds. */
  readonly jumpThreshold: bigint;
}

/** What a user may leave out; see `syncOptions` for the defaults. */
export type SyncSettings = Partial<Omit<SyncOptions, "cameras">> & {
  readonly cameras: Readonly<Record<string, Partial<CameraSyncOptions>>>;
};

const MILLISECOND = 1_000_000n;

/** Half the period of the usual 10 Hz LiDAR, nanoseconds. */
export const DEFAULT_TOLERANCE = 50n * MILLISECOND;

const DEFAULTS = {
  maxWait: 100n * MILLISECOND,
  inactiveAfter: 5,
  cloudQueueSize: 10,
  jumpThreshold: 1000n * MILLISECOND,
} satisfies Partial<SyncOptions>;

/**
 * Fills in the defaults (tolerance 50 ms, maximum age = tolerance, 15 images, wait 100 ms, inactive after 5
 * periods, 10 clouds, jump 1 s) and checks every value.
 * Throws a Fault `invalid-configuration` that names the option, its value and what is allowed.
 */
export function syncOptions({ cameras, ...settings }: SyncSettings): SyncOptions {
  const options = {
    ...DEFAULTS,
    ...settings,
    cameras: new Map(Object.entries(cameras).map(([name, camera]) => [name, cameraOptions(name, camera)])),
  };
  requireAtLeast("maxWait", options.maxWait, 0n);
  requireAtLeast("jumpThreshold", options.jumpThreshold, 1n);
  requireCount("inactiveAfter", options.inactiveAfter);
  requireCount("cloudQueueSize", options.cloudQueueSize);
  return options;
}

function cameraOptions(name: string, settings: Partial<CameraSyncOptions>): CameraSyncOptions {
  const tolerance = settings.tolerance ?? DEFAULT_TOLERANCE;
  const options = {
    offset: 0n,
    fromMiddle: true,
    maximumAge: tolerance,
    period: undefined,
    queueSize: 15,
    ...settings,
    tolerance,
  };
  const place = `cameras.${name}`;
  requireAtLeast(`${place}.tolerance`, tolerance, 0n);
  requireAtLeast(`${place}.maximumAge`, options.maximumAge, tolerance);
  if (options.period !== undefined) requireAtLeast(`${place}.period`, options.period, 1n);
  requireCount(`${place}.queueSize`, options.queueSize);
  return options;
}

function requireAtLeast(option: string, value: bigint, minimum: bigint): void {
  if (value < minimum) {
    throw new Fault(
      "invalid-configuration",
      `${option} is ${String(value)} ns, but at least ${String(minimum)} ns is needed`,
    );
  }
}

function requireCount(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Fault(
      "invalid-configuration",
      `${option} is ${value}, but a whole number of at least 1 is needed`,
    );
  }
}
