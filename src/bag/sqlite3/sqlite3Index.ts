import { MessageRows } from "./MessageRows.js";
import type { Sqlite3Database, SqlRow } from "./sqlite3Database.js";
import { reasonOf } from "../../files/systemError.js";

/** The rows of the table `messages`. */
export interface RowIndex {
  /** In the order of their times, ties in that of their ids. */
  readonly rows: MessageRows;
  /** Messages by topic id. */
  readonly counts: ReadonlyMap<number, number>;
  /** What could not be read, one clause each. */
  readonly damages: readonly string[];
}

/** With ">=" the search for an id goes to its own leaf of the tree; with ">" to that of the id before. */
const SCAN =
  "SELECT id, topic_id, timestamp, length(data) AS size FROM messages NOT INDEXED WHERE id >= ? ORDER BY id";

/** What is found by an id, as a message is read later. */
const LOOK_UP = "SELECT timestamp FROM messages NOT INDEXED WHERE id = ?";
/** In front of a damaged place, so many rows are looked at for one whose id can be believed. */
const MAX_UNBELIEVABLE = 64;

/** Ids are looked for up to here. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;
/** Damaged places that are searched around; behind more of them the file is given up. */
const MAX_GAPS = 1000;
/** Rows after which other work of the thread gets its turn. */
const ROWS_PER_TURN = 4096;
/** Damaged trees can have loops; no row takes less than this. */
const MIN_ROW_BYTES = 8;
const KEPT_DAMAGES = 100;

/**
 * Reads the head of every row. Where the table's tree is damaged, the next id that can be reached is searched, so that
 * a damaged page costs its own rows only.
 *
 * @param topicIds rows of other topics cannot be named, and are left out
 * @param maxBytes larger messages are left out
 * @param fileBytes bounds the number of rows
 */
export async function indexMessages(
  database: Sqlite3Database,
  topicIds: ReadonlySet<number>,
  maxBytes: number,
  fileBytes: number,
): Promise<RowIndex> {
  const rows = new RowCollector(topicIds, maxBytes, fileBytes / MIN_ROW_BYTES);
  let start = 0;
  for (let gaps = 1; ; gaps++) {
    const problem = await rows.scan(database, start);
    if (problem === undefined) break;
    const from = Math.max(start, rows.nextId(database));
    const next = gaps > MAX_GAPS ? undefined : nextReadable(database, from);
    rows.damaged(
      next === undefined
        ? `the table of messages cannot be read from id ${from} on (${problem})`
        : `messages from id ${from} to ${next - 1} cannot be read (${problem})`,
    );
    if (next === undefined) break;
    start = next;
  }
  return rows.index(database);
}

/** The smallest id behind `from` at which the table can be read; undefined when there is none. */
function nextReadable(database: Sqlite3Database, from: number): number | undefined {
  let bad = from;
  let good: number | undefined;
  for (let step = 1; good === undefined; step *= 2) {
    const candidate = Math.min(from + step, LARGEST_ID);
    if (isReadableAt(database, candidate)) good = candidate;
    else if (candidate === LARGEST_ID) return undefined;
    else bad = candidate;
  }
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isReadableAt(database, middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** True behind the last row too: there the scan ends without an error. */
function isReadableAt(database: Sqlite3Database, id: number): boolean {
  try {
    for (const row of database.rows(SCAN, [id])) return typeof row["id"] === "number" && row["id"] >= id;
    return true;
  } catch {
    return false;
  }
}

class RowCollector {
  readonly #topicIds: ReadonlySet<number>;
  readonly #maxBytes: number;
  readonly #maxRows: number;
  readonly #rows = new MessageRows();
  readonly #damages: string[] = [];

  constructor(topicIds: ReadonlySet<number>, maxBytes: number, maxRows: number) {
    this.#topicIds = topicIds;
    this.#maxBytes = maxBytes;
    this.#maxRows = maxRows;
  }

  /** One clause; only so many are kept. */
  damaged(clause: string): void {
    if (this.#damages.length < KEPT_DAMAGES) this.#damages.push(clause);
  }

  /** Takes the rows from an id on; returns why it had to stop before the end. */
  async scan(database: Sqlite3Database, start: number): Promise<string | undefined> {
    const found = database.rows(SCAN, [start]);
    for (let count = 1; ; count++) {
      let next;
      try {
        next = found.next();
      } catch (error) {
        return reasonOf(error);
      }
      if (next.done === true) return undefined;
      this.#take(next.value);
      if (count > this.#maxRows) {
        found.return();
        return "it has more rows than fit into the file";
      }
      if (count % ROWS_PER_TURN === 0) await new Promise(setImmediate);
    }
  }

  /** Behind the last row that is found by its id: a damaged id may be any other, far behind what cannot be read. */
  nextId(database: Sqlite3Database): number {
    const { length } = this.#rows;
    for (let row = length - 1; row >= Math.max(0, length - MAX_UNBELIEVABLE); row--) {
      if (this.#isFound(database, row)) return this.#rows.id(row) + 1;
    }
    return length === 0 ? 0 : this.#rows.id(length - 1) + 1;
  }

  index(database: Sqlite3Database): RowIndex {
    const repeated = this.#rows.leaveOutRepeated((row) => this.#isFound(database, row));
    for (const id of repeated) this.damaged(`${nameOf(id)} comes twice`);
    this.#rows.sortByTime();
    return { rows: this.#rows, counts: this.#rows.counts(), damages: this.#damages };
  }

  #isFound(database: Sqlite3Database, row: number): boolean {
    try {
      for (const { timestamp } of database.rows(LOOK_UP, [this.#rows.id(row)])) {
        return (
          (typeof timestamp === "number" || typeof timestamp === "bigint") &&
          BigInt(timestamp) === this.#rows.time(row)
        );
      }
      return false;
    } catch {
      return false;
    }
  }

  #take({ id, topic_id: topicId, timestamp, size }: SqlRow): void {
    const name = nameOf(id);
    if (typeof id !== "number") this.damaged(`${name} cannot be found again`);
    else if (typeof topicId !== "number" || !this.#topicIds.has(topicId)) {
      this.damaged(`${name} is on topic ${String(topicId)}, which the bag does not define`);
    } else if (typeof timestamp !== "number" && typeof timestamp !== "bigint") {
      this.damaged(`${name} has no time`);
    } else if (typeof size !== "number" || size > this.#maxBytes) {
      this.damaged(`${name} has ${String(size)} bytes, more than the ${this.#maxBytes} that are read`);
    } else {
      this.#rows.push(id, topicId, BigInt(timestamp));
    }
  }
}

function nameOf(id: SqlRow[string] | undefined): string {
  return `the message with id ${String(id)}`;
}
