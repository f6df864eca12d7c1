import { describe, expect, test } from "@jest/globals";
import { SyncLedger } from "../../sync/SyncLedger.js";
import { syncOptions, type SyncOptions } from "../../sync/SyncOptions.js";
import type { SyncedFrame } from "../../sync/types.js";
import { JoinSessions } from "./JoinSessions.js";

const MILLISECOND = 1_000_000n;

function options(toleranceMs: bigint): SyncOptions {
  return syncOptions({ cameras: { front: { tolerance: toleranceMs * MILLISECOND } } });
}

function started(): {
  join: JoinSessions<string, string>;
  ledger: SyncLedger;
  frames: SyncedFrame<string, string>[];
} {
  const ledger = new SyncLedger();
  const join = new JoinSessions<string, string>(options(10n), ledger);
  const frames: SyncedFrame<string, string>[] = [];
  join.frames.subscribe((frame) => frames.push(frame));
  return { join, ledger, frames };
}

const at = (ms: bigint, payload: string): { stamp: bigint; payload: string } => ({
  stamp: ms * MILLISECOND,
  payload,
});

describe("JoinSessions", () => {
  test("releases the clouds that wait when the options change, and goes on with the new ones", () => {
    const { join, ledger, frames } = started();
    join.pushCloud(at(1000n, "a"));
    expect(frames).toHaveLength(0);
    join.restart(options(40n));
    expect(frames).toMatchObject([{ cloud: "a", images: [] }]);
    join.pushCloud(at(1100n, "b"));
    join.pushImage("front", at(1130n, "image"));
    expect(frames[1]).toMatchObject({ cloud: "b", images: [{ image: "image", delta: 30n * MILLISECOND }] });
    join.close();
    const { clouds, cameras } = ledger.statistics();
    expect(clouds).toMatchObject({ received: 2, delivered: 2, pending: 0 });
    expect(cameras.get("front")).toMatchObject({ received: 1, delivered: 1, pending: 0 });
  });

  test("counts epochs on over a change of options, and forgets what waits at a reset", () => {
    const { join, ledger, frames } = started();
    const pair = (ms: bigint): void => {
      join.pushCloud(at(ms, "cloud"));
      join.pushImage("front", at(ms, "image"));
    };
    pair(1_000_000n);
    pair(5000n);
    join.restart(options(10n));
    pair(5100n);
    join.pushCloud(at(5200n, "waiting"));
    join.reset();
    pair(100n);
    expect(frames.map(({ epoch }) => epoch)).toEqual([0, 1, 1, 2]);
    join.close();
    expect(ledger.statistics().clouds).toMatchObject({ received: 5, delivered: 4, pending: 0 });
    expect(ledger.statistics().clouds.dropped.reset).toBe(1);
  });

  test("completes its frames when it is closed", () => {
    const { join, frames } = started();
    let completed = false;
    join.frames.subscribe({ complete: () => (completed = true) });
    join.pushCloud(at(1000n, "last"));
    join.close();
    expect([completed, frames.length]).toEqual([true, 1]);
  });
});
