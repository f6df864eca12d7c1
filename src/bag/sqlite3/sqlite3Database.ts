import { copyFile, mkdtemp, realpath, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sqlite3 from "node-sqlite3-wasm";
import { Fault } from "../../faults/Fault.js";
import { isSystemError, reasonOf } from "../../files/systemError.js";

export type SqlValue = number | bigint | string | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

const MESSAGE_DATA = "SELECT data FROM messages WHERE id = ?";

/** Read-only queries on an open file. They throw errors of the library where the file is damaged. */
export class Sqlite3Database {
  readonly #database: InstanceType<typeof sqlite3.Database>;
  #messageData: InstanceType<typeof sqlite3.Statement> | undefined;

  constructor(database: InstanceType<typeof sqlite3.Database>) {
    this.#database = database;
  }

  /** All of a small table. */
  table(name: "topics" | "message_definitions"): readonly SqlRow[] {
    return this.#database.all(`SELECT * FROM ${name}`) as SqlRow[];
  }

  /** Rows as they are read; what came before an error is good. */
  *rows(sql: string, values: number[]): Generator<SqlRow, void, void> {
    const statement = this.#database.prepare(sql);
    try {
      for (const row of statement.iterate(values)) yield row as SqlRow;
    } finally {
      finalize(statement);
    }
  }

  /** The data of a message, alone in their buffer. */
  messageData(id: number): Uint8Array<ArrayBuffer> {
    this.#messageData ??= this.#database.prepare(MESSAGE_DATA);
    let row;
    try {
      row = this.#messageData.get(id);
    } catch (error) {
      // After an error a statement refuses to start again.
      finalize(this.#messageData);
      this.#messageData = undefined;
      throw error;
    }
    const data = row?.["data"];
    if (!(data instanceof Uint8Array)) throw new Error("the row has no data");
    return data as Uint8Array<ArrayBuffer>;
  }

  close(): void {
    if (!this.#database.isOpen) return;
    if (this.#messageData !== undefined) finalize(this.#messageData);
    this.#messageData = undefined;
    this.#database.close();
  }
}

/** Finalizing repeats the error of the last step, which has been thrown already. */
function finalize(statement: InstanceType<typeof sqlite3.Statement>): void {
  try {
    statement.finalize();
  } catch (error) {
    if (!(error instanceof sqlite3.SQLite3Error)) throw error;
  }
}

/**
 * Opens an SQLite file without writing beside it: the library locks a file with a folder next to it, and wants a
 * write-ahead log to be writable, so it is given a link and a copy of the log in a folder that is gone afterwards.
 *
 * @param file for messages; where its write-ahead log may lie
 * @param target what is opened: the file, or `/dev/fd/N`
 * @throws Fault `bag-unreadable`
 */
export async function openDatabase(file: string, target: string): Promise<Sqlite3Database> {
  const folder = await mkdtemp(path.join(tmpdir(), "ditr-sqlite-"));
  let database: InstanceType<typeof sqlite3.Database> | undefined;
  try {
    const link = path.join(folder, "bag.db3");
    await symlink(target === file ? await realpath(file) : target, link);
    if (await hasContent(`${file}-wal`)) await copyFile(`${file}-wal`, `${link}-wal`);
    database = new sqlite3.Database(link, { readOnly: true });
    // Exclusive: without shared memory, which the library lacks. Writable schema: a file that was cut off can be read.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON",
    );
    // The first query opens the log, after which the names are not needed any more.
    database.get("SELECT count(*) FROM sqlite_master");
    return new Sqlite3Database(database);
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (!(error instanceof sqlite3.SQLite3Error) && !isSystemError(error)) throw error;
    throw new Fault("bag-unreadable", `${file} cannot be opened as an SQLite file: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function hasContent(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size > 0;
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return false;
    throw error;
  }
}
