import { expect, test } from "@jest/globals";
import { clockDifference, type DatedMessages } from "./ClockDifference.js";

const START = 1_763_800_000_000_000_000n;
const SECOND = 1_000_000_000n;

interface Stream {
  readonly count?: number;
  readonly period?: number;
  /** Seconds: what the clock shows at a time of the log. */
  readonly clock?: (time: number) => number;
  /** Seconds from stamp to log. */
  readonly delay?: (index: number) => number;
}

function stream({
  count = 300,
  period = 0.1,
  clock = (time) => time,
  delay = () => 0.02,
}: Stream): DatedMessages {
  const stamps: bigint[] = [];
  const times: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const taken = i * period;
    stamps.push(START + BigInt(Math.round(clock(taken) * 1e9)));
    times.push(START + BigInt(Math.round((taken + delay(i)) * 1e9)));
  }
  return { stamps, times };
}

const jitter = (index: number): number => 0.02 + ((index * 7919) % 100) / 2000;

test("delays of fractions of a second are no difference of clocks", () => {
  expect(clockDifference(stream({}), stream({ delay: jitter }))).toBeUndefined();
  expect(clockDifference(stream({}), stream({ delay: (i) => jitter(i) + 0.15 }))).toBeUndefined();
});

test("TAI, GPS and hours are exact; other offsets are measured", () => {
  const ahead = (seconds: number) => stream({ clock: (time) => time + seconds, delay: jitter });
  expect(clockDifference(stream({}), ahead(37))).toMatchObject({ offset: 37n * SECOND, drift: 0 });
  expect(clockDifference(ahead(37), stream({}))).toMatchObject({ offset: -37n * SECOND, drift: 0 });
  expect(clockDifference(stream({}), ahead(7200))).toMatchObject({ offset: 7200n * SECOND, drift: 0 });
  expect(Number(clockDifference(stream({}), ahead(-2.5))!.offset) / 1e9).toBeCloseTo(-2.5, 1);
  // A clock that counts from its start.
  const sinceStart = Number(START / SECOND) - 100;
  expect(Number(clockDifference(stream({}), ahead(-sinceStart))!.offset) / 1e9).toBeCloseTo(-sinceStart, 1);
});

test("a drift has its rate; a clock that was set has none", () => {
  const drifting = stream({ clock: (time) => time * 1.01, delay: jitter });
  expect(clockDifference(stream({}), drifting)!.drift).toBeCloseTo(0.01, 3);
  expect(clockDifference(drifting, stream({}))!.drift).toBeCloseTo(-0.01, 3);
  const set = stream({ clock: (time) => (time < 20 ? time : time + 1), delay: jitter });
  expect(clockDifference(stream({}), set)).toBeUndefined();
});

test("stamps in another unit are told from a drift, whichever stream has them", () => {
  const epoch = Number(START) / 1e9;
  for (const count of [8, 300]) {
    const sound = stream({ count, delay: jitter });
    // Microseconds and milliseconds that were written as nanoseconds.
    for (const factor of [1e-3, 1e-6, 1e3]) {
      const other = stream({ count, clock: (time) => (epoch + time) * factor - epoch, delay: jitter });
      expect(clockDifference(sound, other)).toMatchObject({ drift: 0, otherUnit: { of: "stream" } });
      expect(clockDifference(other, sound)).toMatchObject({ drift: 0, otherUnit: { of: "reference" } });
      expect(clockDifference(other, other)).toBeUndefined();
    }
    // Played at a quarter of the speed.
    const slow = stream({ count, clock: (time) => time / 4 });
    expect(clockDifference(slow, slow)).toBeUndefined();
  }
  const set = stream({ count: 9, clock: (time) => (time < 0.4 ? time : time + 3600) });
  expect(clockDifference(stream({ count: 9 }), set)?.otherUnit).toBeUndefined();
});

test("what was logged late covers the same time by its stamps and is no difference", () => {
  const late = stream({ delay: () => 3 });
  expect(clockDifference(stream({}), late)).toBeUndefined();
  expect(clockDifference(late, stream({}))).toBeUndefined();
  // All at the end of the file.
  const stamps = Array.from(stream({}).stamps);
  expect(
    clockDifference(stream({}), { stamps, times: stamps.map(() => START + 31n * SECOND) }),
  ).toBeUndefined();
});

test("a few messages say nothing, and stamps of 0 do not count", () => {
  const zeros = stream({ count: 100, clock: () => -Number(START / SECOND) });
  expect(clockDifference(stream({}), zeros)).toBeUndefined();
  expect(clockDifference(stream({}), stream({ count: 2, clock: (time) => time + 37 }))).toBeUndefined();
});
