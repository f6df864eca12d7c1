import type { Sqlite3Database, SqlRow } from "./sqlite3Database.js";
import { reasonOf } from "./systemError.js";

/** The rows of the table `messages` in the order of their times, ties in that of their ids. */
export interface RowIndex {
  readonly ids: Float64Array;
  readonly topicIds: Float64Array;
  /** Nanoseconds. */
  readonly times: BigInt64Array;
  /** Messages by topic id. */
  readonly counts: ReadonlyMap<number, number>;
  /** What could not be read, one clause each. */
  readonly damages: readonly string[];
}

const SCAN =
  "SELECT id, topic_id, timestamp, length(data) AS size FROM messages NOT INDEXED WHERE id > ? ORDER BY id LIMIT 4096";

/** Ids are looked for up to here. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;
/** Damaged places that are searched around; behind more of them the file is given up. */
const MAX_GAPS = 1000;

/**
 * Reads the head of every row. Where the table's tree is damaged, the next id that can be reached is searched, so that
 * a damaged page costs its own rows only.
 *
 * @param topicIds rows of other topics cannot be named, and are left out
 * @param maxBytes larger messages are left out
 */
export async function indexMessages(
  database: Sqlite3Database,
  topicIds: ReadonlySet<number>,
  maxBytes: number,
): Promise<RowIndex> {
  const rows = new RowCollector(topicIds, maxBytes);
  for (let after = -1, gaps = 0; ;) {
    const { last, count, problem } = rows.scan(database, after);
    if (problem === undefined) {
      if (count === 0) break;
      after = last;
    } else {
      const next = ++gaps > MAX_GAPS ? undefined : nextReadable(database, last);
      rows.damages.push(
        next === undefined
          ? `the table of messages cannot be read behind id ${last} (${problem})`
          : `messages between the ids ${last} and ${next + 1} cannot be read (${problem})`,
      );
      if (next === undefined) break;
      after = next;
    }
    await new Promise(setImmediate);
  }
  return rows.index();
}

/** The smallest id behind `last` from which the table can be read on, less one; undefined when there is none. */
function nextReadable(database: Sqlite3Database, last: number): number | undefined {
  let bad = last;
  let good: number | undefined;
  for (let step = 1; good === undefined; step *= 2) {
    const candidate = Math.min(last + step, LARGEST_ID);
    if (isReadableAfter(database, candidate)) good = candidate;
    else if (candidate === LARGEST_ID) return undefined;
    else bad = candidate;
  }
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isReadableAfter(database, middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function isReadableAfter(database: Sqlite3Database, id: number): boolean {
  try {
    for (const row of database.rows(SCAN, [id])) return typeof row["id"] === "number" && row["id"] > id;
    return true;
  } catch {
    return false;
  }
}

class RowCollector {
  readonly damages: string[] = [];
  readonly #topicIds: ReadonlySet<number>;
  readonly #maxBytes: number;
  readonly #rows: { readonly id: number; readonly topicId: number; readonly time: bigint }[] = [];

  constructor(topicIds: ReadonlySet<number>, maxBytes: number) {
    this.#topicIds = topicIds;
    this.#maxBytes = maxBytes;
  }

  /** Takes the next rows behind an id. `problem` says why it had to stop. */
  scan(database: Sqlite3Database, after: number): { last: number; count: number; problem?: string } {
    let last = after;
    let count = 0;
    try {
      for (const row of database.rows(SCAN, [after])) {
        const { id } = row;
        // A damaged tree can lead back to where the scan has been.
        if (typeof id !== "number" || id <= last) return { last, count, problem: "ids do not ascend" };
        last = id;
        count++;
        this.#take(id, row);
      }
      return { last, count };
    } catch (error) {
      return { last, count, problem: reasonOf(error) };
    }
  }

  index(): RowIndex {
    const rows = this.#rows;
    const isSorted = rows.every((row, i) => i === 0 || rows[i - 1]!.time <= row.time);
    if (!isSorted) rows.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.id - b.id));
    const counts = new Map<number, number>();
    for (const { topicId } of rows) counts.set(topicId, (counts.get(topicId) ?? 0) + 1);
    return {
      ids: Float64Array.from(rows, ({ id }) => id),
      topicIds: Float64Array.from(rows, ({ topicId }) => topicId),
      times: BigInt64Array.from(rows, ({ time }) => time),
      counts,
      damages: this.damages,
    };
  }

  #take(id: number, { topic_id: topicId, timestamp, size }: SqlRow): void {
    if (typeof topicId !== "number" || !this.#topicIds.has(topicId)) {
      this.damages.push(
        `the message with id ${id} is on topic ${String(topicId)}, which the bag does not define`,
      );
    } else if (typeof timestamp !== "number" && typeof timestamp !== "bigint") {
      this.damages.push(`the message with id ${id} has no time`);
    } else if (typeof size !== "number" || size > this.#maxBytes) {
      this.damages.push(
        `the message with id ${id} has ${String(size)} bytes, more than the ${this.#maxBytes} that are read`,
      );
    } else {
      this.#rows.push({ id, topicId, time: BigInt(timestamp) });
    }
  }
}
