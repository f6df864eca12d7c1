import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import type { BagMessage, BagReader } from "../types.js";

/** Is this channel copied? Of a topic that has several, each is asked for. */
export type CopiedChannels = (channel: CopiedChannel) => boolean;

export interface CopiedChannel {
  readonly topic: string;
  readonly type: string;
  readonly messageEncoding: string;
}

/**
 * Copies channels from one bag to another, whatever their encoding and as they are, in step with what else is written,
 * so that the new bag stays nearly sorted by log time and the same input gives the same bytes.
 */
export class BagCopy {
  readonly #messages: AsyncIterator<BagMessage>;
  readonly #reader: BagReader;
  readonly #writer: McapBagWriter;
  readonly #isCopied: CopiedChannels;
  #next: BagMessage | undefined;
  #ended: boolean;

  constructor(reader: BagReader, writer: McapBagWriter, isCopied: CopiedChannels) {
    this.#reader = reader;
    this.#writer = writer;
    this.#isCopied = isCopied;
    const topics = [...new Set(reader.topics.filter(isCopied).map(({ topic }) => topic))];
    this.#messages = reader.messages({ topics, anyEncoding: true });
    this.#ended = topics.length === 0;
  }

  /**
   * Copies everything that was logged up to and including this time, nanoseconds.
   * @param isStopped asked before each message: is the rest left out?
   */
  async upTo(logTime: bigint, isStopped = () => false): Promise<void> {
    for (;;) {
      const message = await this.#peek();
      if (message === undefined || message.logTime > logTime || isStopped()) return;
      this.#next = undefined;
      const { channel, publishTime, data } = message;
      await this.#writer.copy(channel, { logTime: message.logTime, publishTime }, data);
    }
  }

  /** See `upTo`. */
  async rest(isStopped?: () => boolean): Promise<void> {
    const end = this.#reader.endTime;
    if (end !== undefined) await this.upTo(end, isStopped);
  }

  async #peek(): Promise<BagMessage | undefined> {
    while (this.#next === undefined && !this.#ended) {
      const result = await this.#messages.next();
      if (result.done === true) this.#ended = true;
      else if (this.#isCopied(result.value.channel)) this.#next = result.value;
    }
    return this.#next;
  }
}
