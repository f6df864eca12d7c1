import { expect, test } from "@jest/globals";
import type { Sqlite3Database, SqlRow } from "./sqlite3Database.js";
import { indexMessages } from "./sqlite3Index.js";

/** A Set holds no more. */
const LARGEST_SET = 2 ** 24;

test("more messages than a Set can hold are all indexed", async () => {
  const count = LARGEST_SET + 10;
  function* rows(_sql: string, [start]: number[]): Generator<SqlRow, void, void> {
    const row = { id: 0, topic_id: 7, timestamp: 0, size: 1 };
    for (let id = start!; id < count; id++) {
      row.id = id;
      row.timestamp = id;
      yield row;
    }
  }
  const database = { rows } as unknown as Sqlite3Database;
  const index = await indexMessages(database, new Set([7]), 1000, 100 * count);
  expect(index.damages).toEqual([]);
  expect([...index.counts]).toEqual([[7, count]]);
  expect([index.rows.length, index.rows.time(count - 1)]).toEqual([count, BigInt(count - 1)]);
}, 120_000);
