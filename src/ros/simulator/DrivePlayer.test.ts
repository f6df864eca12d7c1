import { describe, expect, test } from "@jest/globals";
import { decodeHeader, encodeHeader } from "../../messages/header.js";
import type { TransformStamped } from "../../messages/types.js";
import { DrivePlayer, type DrivePlayerOptions, type PlayerClock } from "./DrivePlayer.js";
import type { DriveTurn } from "./DriveTurn.js";

const MS = 1_000_000n;
const START = 1_800_000_000_000_000_000n;

/** Virtual time: `runTo` calls what is due, in order. */
class VirtualClock implements PlayerClock {
  #now = START;
  readonly #alarms = new Set<{ time: bigint; callback: () => void }>();

  now(): bigint {
    return this.#now;
  }

  at(time: bigint, callback: () => void): () => void {
    const alarm = { time, callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Milliseconds after the start. */
  runTo(milliseconds: number): void {
    const end = START + BigInt(milliseconds) * MS;
    for (;;) {
      const due = [...this.#alarms].filter(({ time }) => time <= end).sort((a, b) => Number(a.time - b.time));
      const [alarm] = due;
      if (alarm === undefined) break;
      this.#alarms.delete(alarm);
      if (alarm.time > this.#now) this.#now = alarm.time;
      alarm.callback();
    }
    this.#now = end;
  }

  /** As if the computer slept. */
  sleep(milliseconds: number): void {
    this.#now += BigInt(milliseconds) * MS;
  }
}

function pose(x: number): TransformStamped {
  return {
    header: { stamp: 0n, frameId: "odom" },
    childFrameId: "base_link",
    translation: [x, 0, 0],
    rotation: [0, 0, 0, 1],
  };
}

/** An image 50 ms into the turn, a cloud, and poses every 50 ms; the robot drives 1 m per turn. */
function turn(index: number): DriveTurn {
  const cdr = encodeHeader({ stamp: 0n, frameId: String(index) });
  return {
    messages: [
      { topic: "/image", type: "image", offset: 50n * MS, cdr: cdr.slice() },
      { topic: "/points", type: "points", offset: 0n, cdr },
    ],
    poses: [
      { offset: 0n, transform: pose(index) },
      { offset: 50n * MS, transform: pose(index + 0.5) },
    ],
  };
}

/** Milliseconds from START. */
const since = (time: bigint): number => Number(time - START) / 1e6;

function play(options: Partial<DrivePlayerOptions> = {}) {
  const clock = new VirtualClock();
  const sent: { at: number; topic: string; frame: string; stamp: number }[] = [];
  const positions: { stamp: number; x: number }[] = [];
  const times: number[] = [];
  const player = new DrivePlayer({
    clock,
    period: 100n * MS,
    ownTime: false,
    outputs: {
      send: (topic, cdr) => {
        const { stamp, frameId } = decodeHeader(cdr);
        sent.push({ at: since(clock.now()), topic, frame: frameId, stamp: since(stamp) });
      },
      transform: ({ header, translation }) =>
        positions.push({ stamp: since(header.stamp), x: translation[0] }),
      time: (now) => times.push(since(now)),
    },
    ...options,
  });
  const points = () => sent.filter(({ topic }) => topic === "/points");
  return { clock, player, sent, positions, times, points };
}

describe("DrivePlayer", () => {
  test("sends each message at its time, and a cloud at the end of its turn", () => {
    const { clock, player, sent } = play();
    player.add(turn(0));
    clock.runTo(99);
    expect(sent).toEqual([{ at: 50, topic: "/image", frame: "0", stamp: 50 }]);
    clock.runTo(100);
    expect(sent[1]).toEqual({ at: 100, topic: "/points", frame: "0", stamp: 0 });
  });

  test("waits for a turn that is not there yet, without sending", () => {
    const { clock, player, sent, points } = play();
    player.add(turn(0));
    clock.runTo(2000);
    expect(sent).toHaveLength(2);
    player.add(turn(1));
    clock.runTo(3000);
    expect(points()).toEqual([
      { at: 100, topic: "/points", frame: "0", stamp: 0 },
      { at: 2100, topic: "/points", frame: "1", stamp: 2000 },
    ]);
  });

  test("repeats the drive at the period, and the robot goes on from where it was", () => {
    const { clock, player, points, positions } = play();
    for (const index of [0, 1, 2]) player.add(turn(index));
    player.complete(pose(3));
    clock.runTo(1000);
    expect(points().map(({ stamp }) => stamp)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(points().map(({ frame }) => frame)).toEqual(["0", "1", "2", "0", "1", "2", "0", "1", "2", "0"]);
    for (const { stamp, x } of positions) expect(x).toBeCloseTo(stamp / 100, 9);
    expect(positions.length).toBeGreaterThanOrEqual(20);
  });

  test("rests between turns when the rate is lower", () => {
    const { clock, player, points } = play({ period: 250n * MS });
    player.add(turn(0));
    player.complete(pose(1));
    clock.runTo(999);
    expect(points().map(({ at, stamp }) => [at, stamp])).toEqual([
      [100, 0],
      [350, 250],
      [600, 500],
      [850, 750],
    ]);
  });

  test("catches up nothing after a sleep: stamps are of now", () => {
    const { clock, player, points } = play();
    player.add(turn(0));
    player.complete(pose(1));
    clock.runTo(240);
    clock.sleep(60_000);
    clock.runTo(60_800);
    const late = points().filter(({ at }) => at > 60_400);
    expect(late.length).toBeGreaterThanOrEqual(3);
    for (const { at, stamp } of late) expect(at - stamp).toBe(100);
  });

  test("its own time has no gap where it waited", () => {
    const { clock, player, points, times } = play({ ownTime: true });
    player.add(turn(0));
    clock.runTo(5000);
    player.add(turn(1));
    clock.runTo(6000);
    expect(points().map(({ stamp }) => stamp)).toEqual([0, 100]);
    expect(times).toEqual([0, 50, 100, 100, 150, 200]);
  });

  test("sends nothing after stop", () => {
    const { clock, player, sent } = play();
    player.add(turn(0));
    player.complete(pose(1));
    clock.runTo(120);
    player.stop();
    const before = sent.length;
    clock.runTo(1000);
    expect(sent).toHaveLength(before);
  });
});
