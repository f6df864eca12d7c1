import type { BagMessage, BagReader } from "../types.js";
import type { IndexedTopic } from "./IndexedTopic.js";

/** Bytes of messages that are kept because they were logged before they are needed. */
const BUDGET = 256 * 1024 * 1024;
/** Topics whose messages are logged at about the same time after they are needed are read in one go; nanoseconds. */
const SAME_LAG = 2_000_000_000n;

/** A topic whose messages are wanted in an order of their own. */
export interface PlannedTopic {
  readonly index: IndexedTopic;
  /** Rows of the index in the order in which they are wanted. */
  readonly order: Uint32Array;
  /** Nanoseconds by which messages are typically logged after the time that they are wanted for. */
  readonly lag: bigint;
}

interface Kept<T> {
  readonly value: T;
  readonly bytes: number;
}

interface Cursor {
  readonly messages: AsyncGenerator<BagMessage, void, void>;
  /** Rows that were passed, by topic. */
  readonly passed: Map<string, number>;
  ended: boolean;
}

/**
 * Reads the messages of a bag in the order in which they are wanted, whatever the order in which they were logged.
 * It goes through the bag from start to end and keeps what it passes until it is wanted, as far as its budget allows;
 * what lies beyond is looked up by its log time. Topics that were logged at another time than the others (written one
 * after the other, or with seconds of delay) have cursors of their own.
 */
export class PlannedReader<T> {
  readonly #reader: BagReader;
  readonly #convert: (message: BagMessage) => T;
  readonly #budget: number;
  readonly #topics = new Map<string, { readonly plan: PlannedTopic; readonly ranks: Uint32Array }>();
  readonly #cursors = new Map<string, Cursor>();
  readonly #kept = new Map<string, Map<number, Kept<T>>>();
  #keptBytes = 0;
  /** Messages that were looked up out of order, for tests and for the curious. */
  lookups = 0;

  /** @param convert what is kept of a message; called once for each that is kept or given */
  constructor(
    reader: BagReader,
    topics: readonly PlannedTopic[],
    convert: (message: BagMessage) => T,
    budget = BUDGET,
  ) {
    this.#reader = reader;
    this.#convert = convert;
    this.#budget = budget;
    for (const plan of topics) {
      const ranks = new Uint32Array(plan.index.count);
      plan.order.forEach((row, rank) => {
        ranks[row] = rank + 1;
      });
      this.#topics.set(plan.index.topic, { plan, ranks });
      this.#kept.set(plan.index.topic, new Map());
    }
    for (const group of groupsOf(topics)) {
      const names = group.map(({ index }) => index.topic);
      const cursor: Cursor = {
        messages: reader.messages({ topics: names }),
        passed: new Map(names.map((name) => [name, 0])),
        ended: false,
      };
      for (const name of names) this.#cursors.set(name, cursor);
    }
  }

  /**
   * The message of a row, which may be asked for again until a later one of the topic's order is. Throws what the
   * conversion throws.
   */
  async get(topic: string, row: number): Promise<T> {
    const { ranks } = this.#topics.get(topic)!;
    const kept = this.#kept.get(topic)!;
    this.#forget(topic, ranks[row]!);
    const known = kept.get(row);
    if (known !== undefined) return known.value;
    const cursor = this.#cursors.get(topic)!;
    while (cursor.passed.get(topic)! <= row && !cursor.ended && this.#mayAdvance(cursor, topic, row)) {
      await this.#advance(cursor, topic, row);
    }
    return (kept.get(row) ?? (await this.#lookUp(topic, row))).value;
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(this.#cursors.values())].map(({ messages }) => messages.return()));
  }

  /** With a full budget only what comes next in a topic is read on for; beyond it would be much that is wanted later. */
  #mayAdvance(cursor: Cursor, topic: string, row: number): boolean {
    if (this.#keptBytes < this.#budget) return true;
    const { ranks } = this.#topics.get(topic)!;
    const asked = ranks[row]!;
    for (let skipped = cursor.passed.get(topic)!; skipped < row; skipped++) {
      if (ranks[skipped]! > asked) return false;
    }
    return true;
  }

  async #advance(cursor: Cursor, wantedTopic: string, wantedRow: number): Promise<void> {
    const next = await cursor.messages.next();
    if (next.done === true) {
      cursor.ended = true;
      return;
    }
    const message = next.value;
    const { topic } = message;
    const row = cursor.passed.get(topic)!;
    cursor.passed.set(topic, row + 1);
    const rank = this.#topics.get(topic)!.ranks[row] ?? 0;
    const isWanted = topic === wantedTopic && row === wantedRow;
    // 0: nobody wants it; below what was asked for last: it was wanted before.
    if (!isWanted && (rank === 0 || rank < (this.#asked.get(topic) ?? 0))) return;
    this.#keep(topic, row, message);
    while (this.#keptBytes > this.#budget && this.#dropLastWanted(isWanted ? topic : undefined, row));
  }

  /** Makes room: the message that is wanted last is looked up when it is its turn. */
  #dropLastWanted(askedTopic: string | undefined, askedRow: number): boolean {
    let last: { topic: string; row: number; wait: number } | undefined;
    for (const [topic, kept] of this.#kept) {
      const { ranks } = this.#topics.get(topic)!;
      const asked = this.#asked.get(topic) ?? 0;
      for (const row of kept.keys()) {
        // Topics run over about the same time, at rates of their own.
        const wait = (ranks[row]! - asked) / ranks.length;
        if ((last === undefined || wait > last.wait) && !(topic === askedTopic && row === askedRow))
          last = { topic, row, wait };
      }
    }
    // What was given last is kept, since it may be asked for again.
    if (last === undefined || last.wait <= 0) return false;
    const kept = this.#kept.get(last.topic)!;
    this.#keptBytes -= kept.get(last.row)!.bytes;
    return kept.delete(last.row);
  }

  readonly #asked = new Map<string, number>();

  #keep(topic: string, row: number, message: BagMessage): Kept<T> {
    const entry = { value: this.#convert(message), bytes: message.data.byteLength };
    const kept = this.#kept.get(topic)!;
    if (!kept.has(row)) this.#keptBytes += entry.bytes;
    kept.set(row, entry);
    return entry;
  }

  async #lookUp(topic: string, row: number): Promise<Kept<T>> {
    this.lookups++;
    const { index } = this.#topics.get(topic)!.plan;
    const logTime = index.logTimes[row]!;
    let place = index.placeAmongEqual(row);
    for await (const message of this.#reader.messages({
      topics: [topic],
      startTime: logTime,
      endTime: logTime,
    })) {
      if (place-- === 0) return this.#keep(topic, row, message);
    }
    throw new Error(
      `${this.#reader.path} changed while it was read: ${topic} at ${logTime.toString()} is gone`,
    );
  }

  #forget(topic: string, before: number): void {
    this.#asked.set(topic, before);
    const { ranks } = this.#topics.get(topic)!;
    const kept = this.#kept.get(topic)!;
    for (const [row, { bytes }] of kept) {
      if (ranks[row]! >= before) continue;
      kept.delete(row);
      this.#keptBytes -= bytes;
    }
  }
}

/** Topics of about the same lag together. */
function groupsOf(topics: readonly PlannedTopic[]): PlannedTopic[][] {
  const sorted = [...topics].sort((a, b) => (a.lag < b.lag ? -1 : a.lag > b.lag ? 1 : 0));
  const groups: PlannedTopic[][] = [];
  for (const topic of sorted) {
    const group = groups.at(-1);
    if (group !== undefined && topic.lag - group[0]!.lag <= SAME_LAG) group.push(topic);
    else groups.push([topic]);
  }
  return groups;
}
