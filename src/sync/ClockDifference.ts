/** When messages were stamped, and when they were logged (or arrived), nanoseconds; in the same order. */
export interface DatedMessages {
  readonly stamps: ArrayLike<bigint>;
  readonly times: ArrayLike<bigint>;
}

/** What the stamps of one stream are against those of another at the same moment. */
export interface ClockDifference {
  /** Nanoseconds; positive when the stream's clock is ahead of the reference's. */
  readonly offset: bigint;
  /** Seconds per second by which the difference grows; 0 unless that is beyond doubt. */
  readonly drift: number;
  /** Nanoseconds by which single messages are off, typically: an offset that is not well above it says little. */
  readonly scatter: number;
  /** Whose stamps run at another rate than time, by far: they are in another unit. */
  readonly otherUnit?: OtherUnit;
}

export interface OtherUnit {
  readonly of: "reference" | "stream";
  /** Nanoseconds that its stamps, and its log times, cover. */
  readonly stamps: number;
  readonly times: number;
}

/** Messages that are looked at, evenly over the stream. */
const SAMPLES = 2000;
/** Fewer say nothing. */
const ENOUGH = 3;
/** What messages take from sensor to log may differ by this much from stream to stream, nanoseconds. */
const LEAST_OFFSET = 200e6;
/** The difference must have changed by this much, and by so many times its scatter, to be a drift. */
const LEAST_DRIFT = 50e6;
const DRIFT_SIGNIFICANCE = 6;
/** Stamps that cover less of the log than 1 / this, or this many times as much, are in another unit. */
const UNIT_RATIO = 2;
/** A shorter log, nanoseconds, does not tell. */
const LEAST_SPAN = 300e6;
/** Clocks are this far from a known difference, nanoseconds, when it is that one. */
const NEAR_KNOWN = 200e6;
/** TAI - UTC, GPS - UTC, TAI - GPS, seconds (since 2017). */
const KNOWN_SECONDS = [37, 18, 19];
const HALF_HOUR = 1800;

/**
 * Measures the difference of two streams' clocks by when their messages were logged: the delay of a message is a
 * fraction of a second, so what the streams' stamps are off beyond that are their clocks.
 *
 * A stream that was logged late has the same look, but its stamps run over the same time as the reference's while its
 * log times do not; that is no difference of clocks. Undefined when there is none to speak of.
 */
export function clockDifference(
  reference: DatedMessages,
  stream: DatedMessages,
): ClockDifference | undefined {
  const [a, b] = [samples(reference), samples(stream)];
  if (a.length < ENOUGH || b.length < ENOUGH) return undefined;
  const base = medianLag(a);
  const offset = medianLag(b) - base;
  const scatter = Math.hypot(lagScatter(a), lagScatter(b));
  const otherUnit = unitDifference(a, b);
  if (otherUnit !== undefined) return { offset, drift: 0, scatter, otherUnit };
  const drift = driftOf(b, base) - driftOf(a, base);
  if (Math.abs(Number(offset)) < LEAST_OFFSET && drift === 0) return undefined;
  if (drift === 0 && mismatch(a, b, ({ stamp }) => stamp) < mismatch(a, b, ({ time }) => time))
    return undefined;
  return { offset: drift === 0 ? wellKnown(offset) : offset, drift, scatter };
}

interface Sample {
  readonly stamp: bigint;
  readonly time: bigint;
}

function samples({ stamps, times }: DatedMessages): Sample[] {
  const readable: number[] = [];
  for (let i = 0; i < stamps.length; i++) if (stamps[i]! > 0n) readable.push(i);
  const step = Math.max(1, readable.length / SAMPLES);
  const chosen: Sample[] = [];
  for (let at = 0; at < readable.length; at += step) {
    const i = readable[Math.floor(at)]!;
    chosen.push({ stamp: stamps[i]!, time: times[i]! });
  }
  return chosen;
}

function medianLag(messages: readonly Sample[]): bigint {
  const lags = messages.map(({ stamp, time }) => stamp - time).sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  return lags[lags.length >> 1]!;
}

function lagScatter(messages: readonly Sample[]): number {
  const middle = medianLag(messages);
  return median(messages.map(({ stamp, time }) => Math.abs(Number(stamp - time - middle))));
}

/**
 * Whose stamps run at another rate than the log, while those of the other run at its rate. A recording that was played
 * at another speed has both alike; one whose messages were logged in a burst is told by the log times of the other.
 */
function unitDifference(a: readonly Sample[], b: readonly Sample[]): OtherUnit | undefined {
  const [reference, stream] = [spansOf(a), spansOf(b)];
  if (reference.times < LEAST_SPAN || stream.times < LEAST_SPAN) return undefined;
  if (!alike(reference.times, stream.times)) return undefined;
  const [first, second] = [reference, stream].map(({ stamps, times }) => alike(stamps, times));
  if (first === second) return undefined;
  const wrong = first ? stream : reference;
  // The step of a clock that was set is no rate.
  if (wrong.midway < 0.25 || wrong.midway > 0.75) return undefined;
  return { of: first ? "stream" : "reference", stamps: wrong.stamps, times: wrong.times };
}

/** Nanoseconds without a tenth of the messages at either end, and where half of the stamps are between those. */
function spansOf(messages: readonly Sample[]) {
  const at = (of: (sample: Sample) => bigint) => {
    const sorted = messages.map(of).sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
    const cut = Math.floor(sorted.length / 10);
    return [sorted[cut]!, sorted[sorted.length >> 1]!, sorted[sorted.length - 1 - cut]!] as const;
  };
  const [start, middle, end] = at(({ stamp }) => stamp);
  const [first, , last] = at(({ time }) => time);
  const stamps = Number(end - start);
  return {
    stamps,
    times: Number(last - first),
    midway: stamps === 0 ? 0.5 : Number(middle - start) / stamps,
  };
}

function alike(a: number, b: number): boolean {
  return a <= UNIT_RATIO * b && b <= UNIT_RATIO * a;
}

/** Seconds per second by which stamps run faster than the log; 0 where the scatter explains it. */
function driftOf(messages: readonly Sample[], base: bigint): number {
  const quarter = messages.length >> 2;
  if (quarter < ENOUGH) return 0;
  const lags = messages.map(({ stamp, time }) => Number(stamp - time - base));
  const [first, last] = [messages.slice(0, quarter), messages.slice(-quarter)];
  const middleTime = (part: readonly Sample[]) => Number(part[part.length >> 1]!.time - messages[0]!.time);
  const span = middleTime(last) - middleTime(first);
  const [start, end] = [lags.slice(0, quarter), lags.slice(-quarter)];
  const change = median(end) - median(start);
  const slope = change / span;
  // What is left of both parts when the drift is taken out.
  const scatter = Math.max(deviation(start), deviation(end));
  if (span <= 0 || Math.abs(change) < Math.max(LEAST_DRIFT, DRIFT_SIGNIFICANCE * scatter)) return 0;
  // A step, as of a clock that was set, is no drift: half of the way has half of the change.
  const half = lags.slice(
    (messages.length >> 1) - (quarter >> 1),
    (messages.length >> 1) + (quarter >> 1) + 1,
  );
  const midway = (median(half) - median(start)) / change;
  return midway > 0.25 && midway < 0.75 ? slope : 0;
}

/** How far apart two streams begin and end, nanoseconds. */
function mismatch(a: readonly Sample[], b: readonly Sample[], of: (sample: Sample) => bigint): number {
  const [aFirst, aLast] = range(a.map(of));
  const [bFirst, bLast] = range(b.map(of));
  return Math.abs(Number(aFirst - bFirst)) + Math.abs(Number(aLast - bLast));
}

function range(times: readonly bigint[]): readonly [bigint, bigint] {
  return times.reduce<readonly [bigint, bigint]>(
    ([low, high], time) => [time < low ? time : low, time > high ? time : high],
    [times[0]!, times[0]!],
  );
}

/** Differences that clocks have by definition are exact: the measured one has the delays of messages in it. */
function wellKnown(offset: bigint): bigint {
  const seconds = Math.abs(Number(offset)) / 1e9;
  const halfHours = Math.round(seconds / HALF_HOUR) * HALF_HOUR;
  // Clocks that count from their start are any time off.
  const zones = halfHours > 0 && halfHours <= 14 * 3600 ? [halfHours] : [];
  const known = [...KNOWN_SECONDS, ...zones].find((value) => Math.abs(seconds - value) * 1e9 < NEAR_KNOWN);
  if (known === undefined) return offset;
  return (offset < 0n ? -1n : 1n) * BigInt(known) * 1_000_000_000n;
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1]!;
}

/** Median of the distances from the median. */
function deviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}
