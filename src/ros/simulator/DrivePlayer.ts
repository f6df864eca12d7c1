import type { TransformStamped } from "../../messages/types.js";
import { TURN, type DriveTurn } from "./DriveTurn.js";
import { EndlessPose } from "./EndlessPose.js";
import { setHeaderStamp } from "./stamps.js";

/** The robot's time and its alarm clock; a test has its own. */
export interface PlayerClock {
  /** Nanoseconds since the epoch. */
  now(): bigint;
  /** Calls back at a time, or at once when that is over. Returns how to cancel it. */
  at(time: bigint, callback: () => void): () => void;
}

export interface PlayerOutputs {
  /** Each message of a turn, with its new stamp. The bytes are used again in the next repetition. */
  readonly send: (topic: string, cdr: Uint8Array<ArrayBuffer>) => void;
  /** odom to base_link */
  readonly transform: (transform: TransformStamped) => void;
  /** Simulated time, at every event. */
  readonly time: (now: bigint) => void;
}

export interface DrivePlayerOptions {
  readonly clock: PlayerClock;
  readonly outputs: PlayerOutputs;
  /** Nanoseconds from the start of a scan to that of the next, at least a turn. */
  readonly period: bigint;
  /** Stamps follow each other without gaps although turns may be late, as time of /clock does. */
  readonly ownTime: boolean;
}

/** Further behind than this (nanoseconds), it starts again at the clock's time: the computer slept, or was too slow. */
const LATE = 500_000_000n;

interface Event {
  /** Nanoseconds after the start of the turn when it happens. */
  readonly due: bigint;
  readonly run: (start: bigint) => void;
}

/**
 * Sends the turns of a drive at their times, over and over, with stamps of now. It starts with the first turn that
 * there is and waits where the next is not there yet; the robot then stands still, also in its transforms.
 */
export class DrivePlayer {
  readonly #options: DrivePlayerOptions;
  readonly #turns: DriveTurn[] = [];
  readonly #pose = new EndlessPose();
  #end: TransformStamped | undefined;
  #next = 0;
  /** Start of the next turn on the clock, and what its stamps say then. */
  #start: bigint | undefined;
  #stamp = 0n;
  #cancel: (() => void) | undefined;
  #waiting = true;

  constructor(options: DrivePlayerOptions) {
    this.#options = options;
  }

  /** How many turns were given. */
  get turnCount(): number {
    return this.#turns.length;
  }

  add(turn: DriveTurn): void {
    this.#turns.push(turn);
    if (this.#waiting) this.#startTurn();
  }

  /** No turn comes after it: from now on the drive repeats. */
  complete(end: TransformStamped): void {
    this.#end = end;
    if (this.#waiting) this.#startTurn();
  }

  stop(): void {
    this.#cancel?.();
    this.#turns.length = 0;
    this.#waiting = true;
  }

  #startTurn(): void {
    const turn = this.#nextTurn();
    this.#waiting = turn === undefined;
    if (turn === undefined) return;
    const { clock, ownTime } = this.#options;
    const now = clock.now();
    const expected = this.#start;
    const start = expected === undefined || now - expected > LATE || expected - now > LATE ? now : expected;
    if (expected === undefined || !ownTime) this.#stamp = start;
    this.#start = start;
    this.#run(this.#events(turn), 0);
  }

  #nextTurn(): DriveTurn | undefined {
    if (this.#next === this.#turns.length && this.#end !== undefined) {
      this.#pose.repeat(this.#turns[0]!.poses[0]!.transform, this.#end);
      this.#next = 0;
    }
    const turn = this.#turns[this.#next];
    if (turn !== undefined) this.#next++;
    return turn;
  }

  #events({ messages, poses }: DriveTurn): Event[] {
    const { send, transform } = this.#options.outputs;
    const events = poses.map(({ offset, transform: pose }): Event => {
      const run = (start: bigint): void => {
        const header = { ...pose.header, stamp: start + offset };
        transform({ ...pose, header, ...this.#pose.place(pose) });
      };
      return { due: offset, run };
    });
    messages.forEach(({ topic, offset, cdr }, index) => {
      const run = (start: bigint): void => {
        setHeaderStamp(cdr, start + offset);
        send(topic, cdr);
      };
      // A scan is there once the LiDAR has turned.
      events.push({ due: index === messages.length - 1 ? TURN : offset, run });
    });
    return events.sort((a, b) => Number(a.due - b.due));
  }

  #run(events: readonly Event[], first: number): void {
    const { clock, outputs, period } = this.#options;
    const event = events[first];
    if (event === undefined) {
      this.#start = this.#start! + period;
      this.#stamp += period;
      this.#cancel = clock.at(this.#start, () => {
        this.#startTurn();
      });
      return;
    }
    this.#cancel = clock.at(this.#start! + event.due, () => {
      outputs.time(this.#stamp + event.due);
      let index = first;
      for (; events[index]?.due === event.due; index++) events[index]!.run(this.#stamp);
      this.#run(events, index);
    });
  }
}
