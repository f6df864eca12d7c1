import { Fault } from "../faults/Fault.js";
import { pointCount } from "./pointCloud2.js";
import { readColumn } from "./pointColumns.js";
import type { TimeField } from "./pointLayout.js";
import type { PointCloud2 } from "./types.js";

/** When each point was measured. */
export interface PointTimes {
  /** The stamp of the cloud, nanoseconds. */
  readonly base: bigint;
  /** [N] nanoseconds after `base`, negative before it; NaN where the point has no time. */
  readonly offsets: Float64Array;
}

/** No scan takes as long, nanoseconds: what is further from the stamp is not a time of the scan. */
const LONGEST_SCAN = 1e9;

/** Units in which drivers count the time since the epoch, nanoseconds: s, ms, us, ns. */
const CLOCK_UNITS = [1e9, 1e6, 1e3, 1] as const;

/**
 * Times of all points, row by row. Double precision times since the epoch are subtracted without losing more
 * than they lost already (240 ns for seconds, 256 ns for nanoseconds); 0 there means none.
 * `out` is used when it has at least N elements.
 *
 * Throws Fault("malformed-message") when most times are further than 1 s from the stamp of the header: they are then of
 * another clock.
 */
export function readPointTimes(cloud: PointCloud2, time: TimeField, out?: Float64Array): PointTimes {
  const count = pointCount(cloud);
  const offsets = out !== undefined && out.length >= count ? out.subarray(0, count) : new Float64Array(count);
  readColumn(cloud, time.field, offsets);
  const base = cloud.header.stamp;
  if (time.origin === "stamp") {
    for (let i = 0; i < count; i++) offsets[i]! *= time.unit!;
  } else {
    fromClock(offsets, base);
  }
  let known = 0;
  let strays = 0;
  let stray = 0;
  for (let i = 0; i < count; i++) {
    const offset = offsets[i]!;
    if (Math.abs(offset) <= LONGEST_SCAN) known++;
    else {
      if (!Number.isNaN(offset)) {
        strays++;
        stray = offset;
      }
      offsets[i] = NaN;
    }
  }
  if (strays > known) {
    throw new Fault(
      "malformed-message",
      `sensor_msgs/msg/PointCloud2 field "${time.field}": most points are further than 1 s from the stamp of the ` +
        `header (${(stray / 1e9).toPrecision(6)} s); clocks of points and headers must agree`,
    );
  }
  return { base, offsets };
}

/** First and last offset of points that have one, nanoseconds; undefined when none has. */
export function timeSpan({ offsets }: PointTimes): readonly [first: number, last: number] | undefined {
  let first = Infinity;
  let last = -Infinity;
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i]!;
    if (offset < first) first = offset;
    if (offset > last) last = offset;
  }
  return first <= last ? [first, last] : undefined;
}

/** Values of a clock become nanoseconds after `base`, in place. */
function fromClock(values: Float64Array, base: bigint): void {
  const unit = clockUnit(values, base);
  if (unit === "since-stamp") {
    for (let i = 0; i < values.length; i++) values[i]! *= 1e9;
    return;
  }
  // The base in the values' own unit: a whole part near every value, so that the difference is exact, and a rest.
  const whole = base / BigInt(unit);
  const nearest = Number(whole);
  const rest = Number(base - BigInt(nearest) * BigInt(unit));
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    values[i] = value === 0 ? NaN : (value - nearest) * unit - rest;
  }
}

/** The unit that brings the first time closest to the stamp. */
function clockUnit(values: Float64Array, base: bigint): (typeof CLOCK_UNITS)[number] | "since-stamp" {
  const sample = values.find((value) => Number.isFinite(value) && value !== 0) ?? 0;
  const stamp = Number(base);
  const distance = (unit: number) => Math.abs(sample * unit - stamp);
  const best = CLOCK_UNITS.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  // A few drivers send double precision seconds from the stamp.
  return distance(best) > LONGEST_SCAN && Math.abs(sample) <= 1 ? "since-stamp" : best;
}
