import type { FileHandle } from "node:fs/promises";
import { Fault } from "../../faults/Fault.js";
import { isKnownMessageType, messageDefinition } from "../../messages/messageDefinition.js";
import {
  chunkDecompressors,
  decompressZstdFrame,
  isZstdFrame,
  MAX_CHUNK_BYTES,
} from "../mcap/chunkCompression.js";
import { parseOfferedQos } from "../qosProfile.js";
import { indexMessages, type RowIndex } from "./sqlite3Index.js";
import { openDatabase, type Sqlite3Database } from "./sqlite3Database.js";
import { reasonOf } from "../systemError.js";
import type { BagMessage, BagReader, BagSchema, BagTopic, MessageFilter } from "../types.js";

interface Topic {
  readonly name: string;
  readonly type: string;
  readonly encoding: string;
  readonly qos: string;
}

const MAY_YIELD_AFTER = 64;

/**
 * One file of rosbag2's sqlite3 storage. Its rows are indexed when it is opened (24 bytes of memory each), and their
 * data are read one by one. What is damaged costs the damaged rows and a warning, not the rest.
 */
export class Sqlite3File implements BagReader {
  readonly path: string;
  readonly topics: readonly BagTopic[];
  readonly #handle: FileHandle;
  readonly #database: Sqlite3Database;
  readonly #topicsById: ReadonlyMap<number, Topic>;
  readonly #index: RowIndex;
  readonly #warnings: Fault[] = [];
  /** Topics of which one unreadable message has been reported. */
  readonly #reported = new Set<string>();

  private constructor(
    path: string,
    handle: FileHandle,
    database: Sqlite3Database,
    topicsById: ReadonlyMap<number, Topic>,
    index: RowIndex,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#database = database;
    this.#topicsById = topicsById;
    this.#index = index;
    const definitions = readDefinitions(database);
    this.topics = [...topicsById]
      .map(([id, topic]): BagTopic => describe(topic, index.counts.get(id) ?? 0, definitions))
      .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
  }

  /**
   * @param path for messages
   * @param handle of a file that starts as SQLite files do; closed with this, unless opening fails
   * @param nameless whether the file is to be had by its handle only
   * @throws Fault `bag-unreadable` when it is no rosbag2 file, or its root is damaged
   */
  static async open(path: string, handle: FileHandle, nameless: boolean): Promise<Sqlite3File> {
    await chunkDecompressors();
    const database = await openDatabase(path, nameless ? `/dev/fd/${handle.fd}` : path);
    try {
      const topicsById = readTopics(path, database);
      const { size } = await handle.stat();
      const index = await indexMessages(database, new Set(topicsById.keys()), MAX_CHUNK_BYTES, size);
      const file = new Sqlite3File(path, handle, database, topicsById, index);
      file.#warnAboutDamage(index.damages);
      file.#warnAboutEncodings();
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get startTime(): bigint | undefined {
    return this.#index.times.at(0);
  }

  get endTime(): bigint | undefined {
    return this.#index.times.at(-1);
  }

  get warnings(): readonly Fault[] {
    return this.#warnings;
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#handle.close();
  }

  async *messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    const { times, ids, topicIds } = this.#index;
    const wanted = filter.topics === undefined ? undefined : new Set(filter.topics);
    const start = filter.startTime === undefined ? 0 : firstAtOrAfter(times, filter.startTime);
    for (let row = start; row < times.length; row++) {
      // Reading is synchronous; other work of the thread gets its turn.
      if (row % MAY_YIELD_AFTER === 0) await new Promise(setImmediate);
      const time = times[row]!;
      if (filter.endTime !== undefined && time > filter.endTime) return;
      const topic = this.#topicsById.get(topicIds[row]!)!;
      if (topic.encoding !== "cdr" || !(wanted?.has(topic.name) ?? true)) continue;
      const data = this.#data(ids[row]!, topic, time);
      if (data === undefined) continue;
      yield { topic: topic.name, type: topic.type, logTime: time, publishTime: time, data };
    }
  }

  #data(id: number, topic: Topic, time: bigint): Uint8Array<ArrayBuffer> | undefined {
    try {
      const data = this.#database.messageData(id);
      return isZstdFrame(data) ? new Uint8Array(decompressZstdFrame(data)) : data;
    } catch (error) {
      if (!this.#reported.has(topic.name)) {
        this.#reported.add(topic.name);
        this.#warn(
          "bag-damaged",
          `${this.path}: a message on ${topic.name} at ${time.toString()} ns cannot be read and is skipped, as will be others like it (${reasonOf(error)})`,
        );
      }
      return undefined;
    }
  }

  #warnAboutDamage([first, ...more]: readonly string[]): void {
    if (first === undefined) return;
    const rest = more.length > 0 ? `; and ${more.length} more places` : "";
    this.#warn(
      "bag-damaged",
      `${this.path} is damaged: ${first}${rest}. The messages outside the damage are read`,
    );
  }

  #warnAboutEncodings(): void {
    for (const { topic, type, messageEncoding } of this.topics) {
      if (messageEncoding !== "cdr") {
        this.#warn(
          "unsupported-encoding",
          `${this.path}: topic ${topic} (${type}) is skipped: its messages are '${messageEncoding}', not 'cdr'`,
        );
      }
    }
  }

  #warn(code: "bag-damaged" | "unsupported-encoding", message: string): void {
    this.#warnings.push(new Fault(code, message));
  }
}

function readTopics(path: string, database: Sqlite3Database): ReadonlyMap<number, Topic> {
  let rows;
  try {
    rows = database.table("topics");
  } catch (error) {
    throw new Fault(
      "bag-unreadable",
      `${path} is an SQLite file, but no rosbag2 bag can be read from it: ${reasonOf(error)}`,
      { cause: error },
    );
  }
  const topics = new Map<number, Topic>();
  for (const { id, name, type, serialization_format, offered_qos_profiles } of rows) {
    if (typeof id !== "number" || typeof name !== "string" || typeof type !== "string") continue;
    topics.set(id, {
      name,
      type,
      encoding: typeof serialization_format === "string" ? serialization_format : "",
      // Absent before ROS 2 Foxy.
      qos: typeof offered_qos_profiles === "string" ? offered_qos_profiles : "",
    });
  }
  return topics;
}

/** By type; bags have them from ROS 2 Iron on. */
function readDefinitions(database: Sqlite3Database): ReadonlyMap<string, BagSchema> {
  const definitions = new Map<string, BagSchema>();
  let rows;
  try {
    rows = database.table("message_definitions");
  } catch {
    // A definition is only handed on to copies; without the bag's, ours are used.
    return definitions;
  }
  for (const { topic_type: name, encoding, encoded_message_definition: text } of rows) {
    if (typeof name !== "string" || typeof encoding !== "string" || typeof text !== "string") continue;
    if (text !== "") definitions.set(name, { name, encoding, data: new TextEncoder().encode(text) });
  }
  return definitions;
}

function describe(
  { name, type, encoding, qos }: Topic,
  messageCount: number,
  definitions: ReadonlyMap<string, BagSchema>,
): BagTopic {
  return {
    topic: name,
    type,
    messageCount,
    messageEncoding: encoding,
    schema: definitions.get(type) ?? knownSchema(type),
    offeredQos: parseOfferedQos(qos),
  };
}

/** MCAP's way to say that a type has a name only: no encoding, no data. */
function knownSchema(type: string): BagSchema {
  if (!isKnownMessageType(type)) return { name: type, encoding: "", data: new Uint8Array(0) };
  return { name: type, encoding: "ros2msg", data: new TextEncoder().encode(messageDefinition(type)) };
}

/** Binary search in ascending times. */
function firstAtOrAfter(times: BigInt64Array, time: bigint): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
