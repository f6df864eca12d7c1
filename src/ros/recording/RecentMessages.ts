import { homedir } from "node:os";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";
import { MessageRing } from "./MessageRing.js";
import { StandingMessages } from "./StandingMessages.js";
import { writeRecording } from "./writeRecording.js";

export interface RecentMessagesOptions {
  /** Nanoseconds; with 0 nothing is kept. */
  readonly duration: bigint;
  readonly maxBytes: number;
  /** Of the recordings; by default $ROS_LOG_DIR, or ~/.ros/ditr_perception without it. */
  readonly directory?: string | undefined;
  /** Milliseconds that never go back. Default `performance.now`. */
  readonly clock?: () => number;
}

/** What a recording that was written holds. */
export interface SavedRecording {
  readonly path: string;
  /** From the first message to the last. */
  readonly seconds: number;
  readonly messages: number;
  /** Of the file. */
  readonly megabytes: number;
  /** Was there no memory for messages that would have been in time? */
  readonly shortened: boolean;
}

/**
 * The inputs and outputs of the last seconds, to be written as a bag when something went wrong. What was said once and
 * holds on (static transforms, LabelInfo, CameraInfo) is kept beyond that, so that the bag can be played.
 */
export class RecentMessages {
  readonly #options: RecentMessagesOptions;
  readonly #clock: () => number;
  readonly #ring: MessageRing;
  readonly #standing = new StandingMessages();
  #saving: Promise<SavedRecording> | undefined;

  constructor(options: RecentMessagesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#ring = new MessageRing({
      duration: Number(options.duration) / 1e6,
      maxBytes: options.maxBytes,
      onEvict: ({ topic, type, cdr }) => {
        this.#standing.add(topic, type, cdr);
      },
    });
  }

  /** Messages that were dropped for want of memory, since the start. */
  get droppedForSpace(): number {
    return this.#ring.droppedForSpace;
  }

  /**
   * Keeps a copy: `cdr` may be changed or transferred afterwards.
   *
   * @param topic fully qualified
   * @param type a type that `messageDefinition` knows
   * @param time ROS time, nanoseconds
   */
  add(topic: string, type: string, cdr: Uint8Array, time: bigint): void {
    if (this.#options.duration > 0n) this.#ring.add(topic, type, cdr, time, this.#clock());
  }

  /**
   * Writes what is kept to a new MCAP file. Who calls while a recording is being written gets that one.
   * @throws Fault `bag-unwritable`, also when there is nothing to write, or `invalid-configuration` when nothing is kept
   */
  save(): Promise<SavedRecording> {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Resolves when no recording is being written; who asked for it is told how it went. */
  async saved(): Promise<void> {
    await this.#saving?.catch(() => undefined);
  }

  async #save(): Promise<SavedRecording> {
    const { duration, directory = defaultDirectory() } = this.#options;
    if (duration === 0n) {
      throw new Fault("invalid-configuration", "recording.seconds is 0, so that nothing is kept to be saved");
    }
    const now = this.#clock();
    this.#ring.expire(now);
    const kept = this.#ring.messages().filter(({ cdr, byteLength }) => cdr.byteLength === byteLength);
    if (kept.length === 0) {
      const seconds = Number(duration) / 1e9;
      throw new Fault(
        "bag-unwritable",
        `no message came or went in the last ${seconds} s, so that there is nothing to save`,
      );
    }
    const shortened = this.#ring.isShortened(now);
    const seconds = (kept.at(-1)!.at - kept[0]!.at) / 1000;
    const file = path.join(directory, `ditr_perception_${timeInName(new Date())}.mcap`);
    for (const message of kept) message.held = true;
    const standing = this.#standing.messages();
    const fileBytes = await writeRecording(file, standing, kept);
    return {
      path: file,
      seconds,
      messages: standing.length + kept.length,
      megabytes: fileBytes / 1e6,
      shortened,
    };
  }
}

/** One sentence about a recording, for the answer of a service. */
export function savedSentence({
  path: file,
  seconds,
  messages,
  megabytes,
  shortened,
}: SavedRecording): string {
  const limit = shortened ? " (no more fits into recording.max_megabytes)" : "";
  return `${file}: ${seconds.toFixed(1)} s, ${messages} messages, ${megabytes.toFixed(1)} MB${limit}`;
}

function defaultDirectory(): string {
  const logs = process.env["ROS_LOG_DIR"];
  return logs === undefined || logs === "" ? path.join(homedir(), ".ros", "ditr_perception") : logs;
}

/** 2026-11-22T08-52-31-123Z: in the order of time, and allowed in file names everywhere. */
function timeInName(time: Date): string {
  return time.toISOString().replaceAll(/[:.]/g, "-");
}
