import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { joinByStamp, type RecordedStamp } from "./joinByStamp.js";
import { dropsOf, expectBalanced } from "./marbleScenario.js";
import { SyncLedger } from "./SyncLedger.js";
import { syncOptions } from "./SyncOptions.js";
import type { CameraSyncOptions } from "./SyncOptions.js";

const START = 1_763_800_000_123_456_789n;
const at = (ms: number): bigint => START + BigInt(ms) * 1_000_000n;
const stamped = (ms: number, more: Partial<RecordedStamp<number>> = {}): RecordedStamp<number> => ({
  stamp: at(ms),
  payload: ms,
  epoch: 0,
  ...more,
});

function join(
  clouds: readonly RecordedStamp<number>[],
  front: readonly RecordedStamp<number>[],
  camera: Partial<CameraSyncOptions> = {},
) {
  const ledger = new SyncLedger();
  const options = syncOptions({ cameras: { front: { tolerance: 40_000_000n, ...camera } } });
  const frames = [...joinByStamp({ clouds, images: new Map([["front", front]]) }, options, ledger)];
  expectBalanced(ledger.statistics());
  return { frames, statistics: ledger.statistics() };
}

const pairs = ({ frames }: ReturnType<typeof join>) =>
  frames.map(({ cloud, images, missing }) => [cloud, images[0]?.image ?? missing[0]?.reason]);

describe("joinByStamp", () => {
  test("takes the nearest image within the tolerance, else an older one within the maximum age", () => {
    const clouds = [0, 100, 200, 300].map((ms) => stamped(ms));
    const images = [10, 95, 130, 245].map((ms) => stamped(ms));
    expect(pairs(join(clouds, images))).toEqual([
      [0, 10],
      [100, 95],
      [200, "no_match"],
      [300, "ended"],
    ]);
    expect(pairs(join(clouds, images, { maximumAge: 70_000_000n }))).toEqual([
      [0, 10],
      [100, 95],
      [200, 130],
      [300, 245],
    ]);
    expect(dropsOf(join(clouds, images).statistics.cameras.get("front")!)).toEqual({ no_match: 2 });
  });

  test("offsets count from the middle of each scan, not from that of the first", () => {
    const middle = 50_000_000n;
    const clouds = [stamped(0, { middle: 1_000_000n }), ...[100, 200].map((ms) => stamped(ms, { middle }))];
    const images = [0, 50, 100, 150, 200, 250].map((ms) => stamped(ms));
    const { frames } = join(clouds, images, { offset: 1_000_000n });
    expect(frames.map(({ images: [image] }) => [image!.image, image!.delta, image!.cloudTime])).toEqual([
      [0, -2_000_000n, at(-1)],
      [150, -1_000_000n, at(149)],
      [250, -1_000_000n, at(249)],
    ]);
    expect(pairs(join(clouds, images, { fromMiddle: false })).map(([, image]) => image)).toEqual([
      0, 100, 200,
    ]);
  });

  test("bad stamps and duplicates are dropped, epochs are not mixed", () => {
    const clouds = [stamped(0, { stamp: 0n }), stamped(100), stamped(100), stamped(50, { epoch: 1 })];
    const images = [stamped(55), stamped(100), stamped(100), stamped(45, { epoch: 1 })];
    const result = join(clouds, images);
    expect(pairs(result)).toEqual([
      [100, 100],
      [50, 45],
    ]);
    expect(result.frames.map(({ epoch }) => epoch)).toEqual([0, 1]);
    expect(result.statistics.jumps).toBe(1);
    expect(dropsOf(result.statistics.clouds)).toEqual({ bad_stamp: 1, duplicate: 1 });
  });

  test("the order of logging plays no part", () => {
    const stamps = fc.uniqueArray(fc.integer({ min: 1, max: 3000 }), { maxLength: 60 });
    const property = fc.property(
      stamps,
      stamps,
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 0, max: 200 }),
      (clouds, images, order, age) => {
        const shuffled = (values: readonly number[]) =>
          values
            .map((ms) => [order.next().value as number, ms] as const)
            .sort(([a], [b]) => a - b)
            .map(([, ms]) => stamped(ms));
        const sorted = (values: readonly number[]) =>
          values.toSorted((a, b) => a - b).map((ms) => stamped(ms));
        const camera = { maximumAge: 40_000_000n + BigInt(age) * 1_000_000n };
        const expected = join(sorted(clouds), sorted(images), camera);
        expect(join(shuffled(clouds), shuffled(images), camera)).toEqual(expected);
        // The best that hindsight has.
        for (const {
          stamp,
          images: [image],
        } of expected.frames) {
          const distances = images.map((ms) => Number(at(ms) - stamp) / 1e6);
          const near = distances
            .filter((ms) => Math.abs(ms) <= 40)
            .sort((a, b) => Math.abs(a) - Math.abs(b) || a - b);
          const old = distances.filter((ms) => ms <= 0 && -ms <= 40 + age).sort((a, b) => b - a);
          const best = near[0] ?? old[0];
          expect(image === undefined ? undefined : Number(image.delta) / 1e6).toBe(best);
        }
      },
    );
    fc.assert(property, { seed: 7, numRuns: 300 });
  });
});
