import { describe, expect, test } from "@jest/globals";
import { EMPTY, NEVER, of, Subject, throwError, VirtualTimeScheduler } from "rxjs";
import { dropsOf, runScenario } from "./marbleScenario.js";
import { SyncLedger } from "./SyncLedger.js";
import { type SyncSettings, syncOptions } from "./SyncOptions.js";
import { synchronize } from "./synchronize.js";
import type { Stamped, SyncedFrame } from "./types.js";

const stamped = (stamp: bigint): Stamped<string> => ({ stamp, payload: String(stamp) });

/** A live join with one camera, driven by hand, under a clock that stands still unless it is flushed. */
function handDriven(settings: Partial<SyncSettings> = {}) {
  const clouds = new Subject<Stamped<string>>();
  const front = new Subject<Stamped<string>>();
  const resets = new Subject<void>();
  const clock = new VirtualTimeScheduler();
  const ledger = new SyncLedger();
  const frames: SyncedFrame<string, string>[] = [];
  const subscription = synchronize({
    clouds,
    images: new Map([["front", front]]),
    options: syncOptions({ cameras: { front: { tolerance: 5n } }, ...settings }),
    resets,
    scheduler: clock,
    ledger,
  }).subscribe((frame) => frames.push(frame));
  return { clouds, front, resets, clock, ledger, frames, subscription };
}

describe("synchronize", () => {
  test("gives stamps, differences and the nearest image of a camera that has none", () => {
    const { clouds, front, frames } = handDriven({
      cameras: { front: { tolerance: 5n, offset: 100n } },
    });
    front.next(stamped(1103n));
    clouds.next(stamped(1000n));
    front.next(stamped(2120n));
    clouds.next(stamped(2000n));
    expect(frames).toEqual([
      {
        cloud: "1000",
        stamp: 1000n,
        epoch: 0,
        images: [{ camera: "front", image: "1103", stamp: 1103n, cloudTime: 1003n, delta: 3n }],
        missing: [],
        release: "complete",
      },
      {
        cloud: "2000",
        stamp: 2000n,
        epoch: 0,
        images: [],
        missing: [{ camera: "front", reason: "no_match", nearest: 20n }],
        release: "early",
      },
    ]);
  });

  test("offsets count from the middle of each scan, of cameras that are compared so", () => {
    for (const fromMiddle of [true, false]) {
      const { clouds, front, frames } = handDriven({
        cameras: { front: { tolerance: 5n, offset: 100n, fromMiddle } },
      });
      for (const stamp of [1101n, 1151n, 2101n, 2151n, 3300n]) front.next(stamped(stamp));
      clouds.next({ ...stamped(1000n), middle: 1n });
      clouds.next({ ...stamped(2000n), middle: 50n });
      expect(frames.map(({ images: [image] }) => [image?.stamp, image?.delta])).toEqual(
        fromMiddle
          ? [
              [1101n, 0n],
              [2151n, 1n],
            ]
          : [
              [1101n, 1n],
              [2101n, 1n],
            ],
      );
    }
  });

  test("without cameras every cloud leaves at once", () => {
    runScenario({
      clouds: "  a-b-c|",
      images: {},
      expected: "a-b-c|",
      frames: { a: "a complete", b: "b complete", c: "c complete" },
    });
  });

  test("ends when the clouds are over and the last one has its image", () => {
    runScenario({
      clouds: "         a---b|---",
      images: { front: "A------B-" },
      stamps: { B: 4 },
      expected: "       a------b-",
      frames: { a: "a A complete", b: "b B complete, |" },
    });
  });

  test("releases what waits when the streams end, and counts the images that are left", () => {
    const statistics = runScenario({
      clouds: "         a---b|",
      images: { front: "A--X---|", left: "A--|" },
      tolerance: 0,
      expected: "       a------b",
      frames: { a: "a A A complete", b: "b -ended -ended ended, |" },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ no_match: 1 });
    expect(statistics.cameras.get("front")!.pending).toBe(0);
  });

  test("a clock that is not yet published: complete frames leave, and waiting clouds stay bounded", () => {
    const { clouds, front, frames, ledger } = handDriven({ cloudQueueSize: 2 });
    for (const stamp of [100n, 200n]) {
      clouds.next(stamped(stamp));
      front.next(stamped(stamp));
    }
    for (const stamp of [300n, 400n, 500n, 600n]) clouds.next(stamped(stamp));
    expect(frames.map(({ stamp, release }) => [stamp, release])).toEqual([
      [100n, "complete"],
      [200n, "complete"],
      [300n, "overflow"],
      [400n, "overflow"],
    ]);
    expect(ledger.statistics().clouds).toMatchObject({ received: 6, delivered: 4, pending: 2 });
  });

  test("a dead camera costs no wait either when the clock stands still", () => {
    const { clouds, frames, ledger } = handDriven({ cloudQueueSize: 1, inactiveAfter: 2 });
    for (const stamp of [100n, 200n, 300n, 400n]) clouds.next(stamped(stamp));
    expect(frames.map(({ stamp, release }) => [stamp, release])).toEqual([
      [100n, "overflow"],
      [200n, "overflow"],
      [300n, "early"],
      [400n, "early"],
    ]);
    expect(ledger.statistics().cameras.get("front")).toMatchObject({ active: false });
  });

  test("a reset forgets what waits and counts a new epoch", () => {
    const { clouds, front, resets, clock, frames, ledger } = handDriven();
    front.next(stamped(90n));
    clouds.next(stamped(100n));
    resets.next();
    expect(clock.actions).toHaveLength(0);
    clouds.next(stamped(50n));
    front.next(stamped(50n));
    expect(frames.map(({ stamp, epoch }) => [stamp, epoch])).toEqual([[50n, 1]]);
    const statistics = ledger.statistics();
    expect(dropsOf(statistics.clouds)).toEqual({ reset: 1 });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ reset: 1 });
    expect(statistics.jumps).toBe(1);
  });

  test("names every dropped message as it is dropped", () => {
    const { clouds, front, ledger } = handDriven();
    const drops: unknown[] = [];
    ledger.drops.subscribe((drop) => drops.push(drop));
    clouds.next(stamped(0n));
    front.next(stamped(-3n));
    expect(drops).toEqual([
      { camera: undefined, stamp: 0n, cause: "bad_stamp" },
      { camera: "front", stamp: -3n, cause: "bad_stamp" },
    ]);
  });

  test("leaves no timer behind when nobody listens any more", () => {
    const { clouds, clock, frames, subscription } = handDriven();
    clouds.next(stamped(100n));
    expect(clock.actions).toHaveLength(1);
    subscription.unsubscribe();
    expect(clock.actions).toHaveLength(0);
    clock.flush();
    expect(frames).toEqual([]);
    expect(clouds.observed).toBe(false);
  });

  test("the memory of a clock that stands still is bounded: at most 2 timers per place in the queue", () => {
    const { clouds, front, clock } = handDriven({ cloudQueueSize: 3 });
    for (let stamp = 100n; stamp < 10_000n; stamp += 100n) {
      clouds.next(stamped(stamp));
      front.next(stamped(stamp));
    }
    expect(clock.actions).toHaveLength(6);
  });

  test("an error of a stream is the error of the join", () => {
    const failure = new Error("subscription lost");
    const errors: unknown[] = [];
    synchronize({
      clouds: NEVER,
      images: new Map([["front", throwError(() => failure)]]),
      options: syncOptions({ cameras: { front: {} } }),
    }).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([failure]);
  });

  test("uses the wall clock by default", async () => {
    const frame = await new Promise<SyncedFrame<string, never>>((resolve) => {
      const clouds = new Subject<Stamped<string>>();
      synchronize<string, never>({
        clouds,
        images: new Map([["front", NEVER]]),
        options: syncOptions({ maxWait: 5_000_000n, cameras: { front: {} } }),
      }).subscribe(resolve);
      clouds.next(stamped(1n));
    });
    expect(frame.release).toBe("timeout");
  });

  test("refuses image streams that the options do not know", () => {
    expect(() =>
      synchronize({
        clouds: of(stamped(1n)),
        images: new Map([["left", EMPTY]]),
        options: syncOptions({ cameras: { front: {} } }),
      }),
    ).toThrow("there are image streams of the cameras [left], but options for [front]");
  });
});

describe("syncOptions", () => {
  test.each([
    [{ maxWait: -1n }, "maxWait is -1 ns, but at least 0 ns is needed"],
    [{ jumpThreshold: 0n }, "jumpThreshold is 0 ns, but at least 1 ns is needed"],
    [{ inactiveAfter: 0 }, "inactiveAfter is 0, but a whole number of at least 1 is needed"],
    [{ cloudQueueSize: 1.5 }, "cloudQueueSize is 1.5, but a whole number of at least 1 is needed"],
    [
      { cameras: { left: { tolerance: -5n } } },
      "cameras.left.tolerance is -5 ns, but at least 0 ns is needed",
    ],
    [
      { cameras: { left: { tolerance: 5n, maximumAge: 4n } } },
      "cameras.left.maximumAge is 4 ns, but at least 5 ns is needed",
    ],
    [{ cameras: { left: { period: 0n } } }, "cameras.left.period is 0 ns, but at least 1 ns is needed"],
    [{ cameras: { left: { queueSize: 0 } } }, "cameras.left.queueSize is 0, but a whole number"],
  ])("refuses %p", (settings, message) => {
    expect(() => syncOptions({ cameras: {}, ...settings })).toThrow(message);
  });
});
