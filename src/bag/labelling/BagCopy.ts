import type { McapBagWriter } from "../mcap/McapBagWriter.js";
import type { BagMessage, BagReader } from "../types.js";

/**
 * Copies topics from one bag to another in step with what else is written, so that the new bag stays nearly
 * sorted by log time and the same input gives the same bytes.
 */
export class BagCopy {
  readonly #messages: AsyncIterator<BagMessage>;
  readonly #reader: BagReader;
  readonly #writer: McapBagWriter;
  readonly #announced = new Set<string>();
  #next: BagMessage | undefined;
  #ended: boolean;

  constructor(reader: BagReader, writer: McapBagWriter, topics: readonly string[]) {
    this.#reader = reader;
    this.#writer = writer;
    this.#messages = reader.messages({ topics });
    this.#ended = topics.length === 0;
  }

  /** Copies everything that was logged up to and including this time, nanoseconds. */
  async upTo(logTime: bigint): Promise<void> {
    for (;;) {
      const message = await this.#peek();
      if (message === undefined || message.logTime > logTime) return;
      this.#next = undefined;
      await this.#announce(message.topic);
      const { topic, type, publishTime, data } = message;
      await this.#writer.write(topic, type, { logTime: message.logTime, publishTime }, data);
    }
  }

  async rest(): Promise<void> {
    const end = this.#reader.endTime;
    if (end !== undefined) await this.upTo(end);
  }

  async #peek(): Promise<BagMessage | undefined> {
    if (this.#next === undefined && !this.#ended) {
      const result = await this.#messages.next();
      if (result.done === true) this.#ended = true;
      else this.#next = result.value;
    }
    return this.#next;
  }

  /** The copy keeps the schema and quality of service of the original. */
  async #announce(topic: string): Promise<void> {
    if (this.#announced.has(topic)) return;
    this.#announced.add(topic);
    const source = this.#reader.topics.find((candidate) => candidate.topic === topic)!;
    const [qos] = source.offeredQos;
    await this.#writer.addTopic(topic, source.type, {
      ...(source.schema && { schema: source.schema }),
      ...(qos && { qos }),
    });
  }
}
