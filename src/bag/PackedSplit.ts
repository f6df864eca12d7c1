import { Fault } from "../faults/Fault.js";
import type { DeclaredTimes } from "./rosbag2Metadata.js";
import type { BagMessage, BagReader, BagTopic, MessageFilter } from "./types.js";

/** Of the splits that nobody reads, keeps the last one unpacked until another one is wanted. */
export class UnpackedSplits {
  #idle: PackedSplit | undefined;

  /** Called before a split is unpacked. */
  async want(split: PackedSplit): Promise<void> {
    const idle = this.#idle;
    this.#idle = undefined;
    if (idle !== split) await idle?.pack();
  }

  /** Called when nobody reads the split any more. */
  async release(split: PackedSplit): Promise<void> {
    const before = this.#idle;
    this.#idle = split;
    if (before !== split) await before?.pack();
  }
}

/** What metadata.yaml says of a split before it is looked into. */
export interface DeclaredSplit {
  readonly times: DeclaredTimes;
  /** Of the whole recording. */
  readonly topics: readonly BagTopic[];
}

/**
 * A compressed file of a recording that has several. It is unpacked while somebody reads it, and its space is free
 * again when another one is read: the disk has to hold as many as are read at one time.
 */
export class PackedSplit implements BagReader {
  readonly path: string;
  readonly #open: (file: string) => Promise<BagReader>;
  readonly #unpacked: UnpackedSplits;
  readonly #declared: DeclaredSplit | undefined;
  #times: DeclaredTimes | undefined;
  #topics: readonly BagTopic[] | undefined;
  #reader: Promise<BagReader> | undefined;
  #readers = 0;
  readonly #warnings = new Map<string, Fault>();

  private constructor(
    path: string,
    open: (file: string) => Promise<BagReader>,
    unpacked: UnpackedSplits,
    declared: DeclaredSplit | undefined,
  ) {
    this.path = path;
    this.#open = open;
    this.#unpacked = unpacked;
    this.#declared = declared;
    this.#times = declared?.times;
  }

  /**
   * @param open unpacks and opens the file
   * @param unpacked shared by the splits of a recording
   * @param declared what is known of it; without that it is unpacked for a first look
   * @throws Fault `bag-unreadable` when that fails
   */
  static async open(
    path: string,
    open: (file: string) => Promise<BagReader>,
    unpacked: UnpackedSplits,
    declared: DeclaredSplit | undefined,
  ): Promise<PackedSplit> {
    const split = new PackedSplit(path, open, unpacked, declared);
    if (declared === undefined) {
      await split.#acquire();
      await split.#release();
    }
    return split;
  }

  /** Has it been looked into? */
  get isKnown(): boolean {
    return this.#topics !== undefined;
  }

  /** None before it has been looked into. */
  get topics(): readonly BagTopic[] {
    return this.#topics ?? [];
  }

  get startTime(): bigint | undefined {
    return this.#times?.startTime;
  }

  get endTime(): bigint | undefined {
    return this.#times?.endTime;
  }

  get warnings(): readonly Fault[] {
    return [...this.#warnings.values()];
  }

  async *messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    if (!this.#mayHave(filter)) return;
    let reader: BagReader;
    try {
      reader = await this.#acquire();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#warn(error);
      return;
    }
    try {
      yield* reader.messages(filter);
    } finally {
      reader.warnings.forEach((warning) => {
        this.#warn(warning);
      });
      await this.#release();
    }
  }

  async close(): Promise<void> {
    await this.pack();
  }

  /** Gives the space back, unless somebody reads. */
  async pack(): Promise<void> {
    if (this.#readers > 0) return;
    const reader = this.#reader;
    this.#reader = undefined;
    await (await reader)?.close();
  }

  #mayHave({ topics, startTime, endTime }: MessageFilter): boolean {
    if (this.#times === undefined) return false;
    if (startTime !== undefined && startTime > this.#times.endTime) return false;
    if (endTime !== undefined && endTime < this.#times.startTime) return false;
    if (topics === undefined || this.#topics === undefined) return true;
    return this.#topics.some(({ topic }) => topics.includes(topic));
  }

  async #acquire(): Promise<BagReader> {
    this.#readers++;
    try {
      await this.#unpacked.want(this);
      this.#reader ??= this.#open(this.path);
      const reader = await this.#reader;
      this.#lookInto(reader);
      return reader;
    } catch (error) {
      this.#readers--;
      this.#reader = undefined;
      throw error;
    }
  }

  async #release(): Promise<void> {
    this.#readers--;
    if (this.#readers === 0) await this.#unpacked.release(this);
  }

  #lookInto(reader: BagReader): void {
    reader.warnings.forEach((warning) => {
      this.#warn(warning);
    });
    if (this.#topics !== undefined) return;
    this.#topics = reader.topics;
    const { startTime, endTime } = reader;
    this.#times = startTime === undefined || endTime === undefined ? undefined : { startTime, endTime };
    if (this.#declared !== undefined) this.#compare(this.#declared, reader);
  }

  #compare({ times, topics }: DeclaredSplit, reader: BagReader): void {
    const differs = (what: string): void => {
      this.#warn(
        new Fault("bag-damaged", `${this.path} ${what}: \`ros2 bag reindex\` writes metadata.yaml anew`),
      );
    };
    const { startTime } = reader;
    if (startTime !== undefined && startTime < times.startTime) {
      differs(
        `starts at ${startTime} ns and not at ${times.startTime} ns, as metadata.yaml says, and is read late`,
      );
    }
    const isDeclared = (topic: BagTopic): boolean =>
      topics.some((declared) => declared.topic === topic.topic && declared.type === topic.type);
    const unknown = reader.topics.filter((topic) => topic.messageCount > 0 && !isDeclared(topic));
    if (unknown.length > 0) {
      differs(
        `has messages on ${unknown.map(({ topic }) => topic).join(", ")}, which metadata.yaml does not name`,
      );
    }
  }

  #warn(warning: Fault): void {
    if (!this.#warnings.has(warning.message)) this.#warnings.set(warning.message, warning);
  }
}
