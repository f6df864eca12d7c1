import { homedir } from "node:os";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";
import { MessageRing } from "./MessageRing.js";
import { RecordingFolder, type RecordingQuota } from "./RecordingFolder.js";
import { StandingMessages } from "./StandingMessages.js";
import { writeRecording } from "./writeRecording.js";

export interface RecentMessagesOptions {
  /** Nanoseconds; with 0 nothing is kept. */
  readonly duration: bigint;
  readonly maxBytes: number;
  /** Of the recordings; by default $ROS_LOG_DIR, or ~/.ros/ditr_perception without it. */
  readonly directory?: string | undefined;
  /** Default: no limit. */
  readonly quota?: RecordingQuota;
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
  /** Messages that are not in it, since the node ended or the disk took too long; those that came last. */
  readonly missing: number;
}

const NO_QUOTA: RecordingQuota = { maxRecordings: Infinity, maxTotalBytes: Infinity, minFreeBytes: 0 };
/** Who asks for a recording gets an answer, whatever the disk does: then it is finished with what it has. */
const LONGEST_WRITING_MS = 60_000;
/** A node that ends waits so long for a recording before it is finished with what it has. */
const LAST_WRITING_MS = 1000;
/** Of MCAP's own, for each message. */
const OVERHEAD_BYTES = 100;

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
  /** Of the recording that is being written. */
  #enough = new AbortController();
  #closed = false;

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

  /**
   * No recording begins any more. Resolves when the one that is being written is finished: after a second with what it
   * has then. Who asked for it is told how it went.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const limit = setTimeout(() => {
      this.#enough.abort();
    }, LAST_WRITING_MS);
    await this.#saving?.catch(() => undefined);
    clearTimeout(limit);
  }

  async #save(): Promise<SavedRecording> {
    const { duration, directory = defaultDirectory(), quota = NO_QUOTA } = this.#options;
    if (this.#closed)
      throw new Fault("bag-unwritable", "the node is ending, and begins no recording any more");
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
    for (const message of kept) message.held = true;
    const standing = this.#standing.messages();
    this.#enough = new AbortController();
    const limit = setTimeout(() => {
      this.#enough.abort();
    }, LONGEST_WRITING_MS);
    try {
      const all = [...standing, ...kept];
      const bytes = all.reduce((sum, { cdr }) => sum + cdr.byteLength + OVERHEAD_BYTES, 0);
      const file = await new RecordingFolder(directory, quota).place(bytes);
      const { fileBytes, messages } = await writeRecording(file, standing, kept, this.#enough.signal);
      const written = kept.slice(0, messages);
      return {
        path: file,
        seconds: written.length === 0 ? 0 : (written.at(-1)!.at - written[0]!.at) / 1000,
        messages: standing.length + messages,
        megabytes: fileBytes / 1e6,
        shortened,
        missing: kept.length - messages,
      };
    } finally {
      for (const message of kept) message.held = false;
      clearTimeout(limit);
    }
  }
}

/** One sentence about a recording, for the answer of a service. */
export function savedSentence({
  path: file,
  seconds,
  messages,
  megabytes,
  shortened,
  missing,
}: SavedRecording): string {
  const limit =
    (shortened ? " (no more fits into recording.max_megabytes)" : "") +
    (missing > 0 ? ` (finished early: the last ${missing} messages are missing)` : "");
  return `${file}: ${seconds.toFixed(1)} s, ${messages} messages, ${megabytes.toFixed(1)} MB${limit}`;
}

function defaultDirectory(): string {
  const logs = process.env["ROS_LOG_DIR"];
  return logs === undefined || logs === "" ? path.join(homedir(), ".ros", "ditr_perception") : logs;
}
