import type { PlayerClock } from "./DrivePlayer.js";

const MILLISECOND = 1_000_000n;

/** The computer's clock and Node's timers, which are right to about a millisecond. */
export const systemClock: PlayerClock = {
  now: () => BigInt(Date.now()) * MILLISECOND,
  at: (time, callback) => {
    const delay = Number(time / MILLISECOND) - Date.now();
    const timer = setTimeout(callback, Math.max(0, delay));
    return () => {
      clearTimeout(timer);
    };
  },
};
