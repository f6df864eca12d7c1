import type { FileHandle } from "node:fs/promises";
import { Fault } from "../../faults/Fault.js";
import { rosTypeName } from "../../messages/rosTypeName.js";
import { isKnownMessageType, messageDefinition } from "../../messages/messageDefinition.js";
import {
  chunkDecompressors,
  decompressZstdFrame,
  isZstdFrame,
  MAX_CHUNK_BYTES,
} from "../mcap/chunkCompression.js";
import { parseOfferedQos } from "../qosProfile.js";
import { indexMessages, type RowIndex } from "./sqlite3Index.js";
import { openDatabase, type Sqlite3Database, type SqlRow } from "./sqlite3Database.js";
import { reasonOf } from "../../files/systemError.js";
import { unreadTopics } from "../unreadTopics.js";
import type { BagChannel, BagMessage, BagReader, BagSchema, BagTopic, MessageFilter } from "../types.js";

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
  readonly #channels: ReadonlyMap<number, BagChannel>;
  readonly #index: RowIndex;
  readonly #warnings: Fault[] = [];
  /** Topics of which one unreadable message has been reported. */
  readonly #reported = new Set<string>();

  private constructor(
    path: string,
    handle: FileHandle,
    database: Sqlite3Database,
    channels: ReadonlyMap<number, BagChannel>,
    index: RowIndex,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#database = database;
    this.#channels = channels;
    this.#index = index;
    this.topics = [...channels]
      .map(([id, channel]): BagTopic => describe(channel, index.counts.get(id) ?? 0))
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
      const channels = readChannels(path, database);
      const { size } = await handle.stat();
      const index = await indexMessages(database, new Set(channels.keys()), MAX_CHUNK_BYTES, size);
      const file = new Sqlite3File(path, handle, database, channels, index);
      file.#warnAboutDamage(index.damages);
      const unread = unreadTopics(path, file.topics);
      if (unread !== undefined) file.#warnings.push(unread);
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get startTime(): bigint | undefined {
    const { rows } = this.#index;
    return rows.length === 0 ? undefined : rows.time(0);
  }

  get endTime(): bigint | undefined {
    const { rows } = this.#index;
    return rows.length === 0 ? undefined : rows.time(rows.length - 1);
  }

  get warnings(): readonly Fault[] {
    return this.#warnings;
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#handle.close();
  }

  async *messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    const { rows } = this.#index;
    const wanted = filter.topics === undefined ? undefined : new Set(filter.topics);
    const start = filter.startTime === undefined ? 0 : rows.firstAtOrAfter(filter.startTime);
    for (let row = start; row < rows.length; row++) {
      // Reading is synchronous; other work of the thread gets its turn.
      if (row % MAY_YIELD_AFTER === 0) await new Promise(setImmediate);
      const time = rows.time(row);
      if (filter.endTime !== undefined && time > filter.endTime) return;
      const channel = this.#channels.get(rows.topicId(row))!;
      const { topic, type, messageEncoding } = channel;
      if (messageEncoding !== "cdr" && filter.anyEncoding !== true) continue;
      if (!(wanted?.has(topic) ?? true)) continue;
      const data = this.#data(rows.id(row), channel, time);
      if (data === undefined) continue;
      yield { topic, type, logTime: time, publishTime: time, channel, data };
    }
  }

  #data(
    id: number,
    { topic, messageEncoding }: BagChannel,
    time: bigint,
  ): Uint8Array<ArrayBuffer> | undefined {
    try {
      const data = this.#database.messageData(id);
      return messageEncoding === "cdr" && isZstdFrame(data)
        ? new Uint8Array(decompressZstdFrame(data))
        : data;
    } catch (error) {
      if (!this.#reported.has(topic)) {
        this.#reported.add(topic);
        this.#warn(
          "bag-damaged",
          `${this.path}: a message on ${topic} at ${time.toString()} ns cannot be read and is skipped, as will be others like it (${reasonOf(error)})`,
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

  #warn(code: "bag-damaged", message: string): void {
    this.#warnings.push(new Fault(code, message));
  }
}

function readChannels(path: string, database: Sqlite3Database): ReadonlyMap<number, BagChannel> {
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
  const definitions = readDefinitions(database);
  const channels = new Map<number, BagChannel>();
  for (const row of rows) {
    const { id, name: topic, type: name, serialization_format: format } = row;
    if (typeof id !== "number" || typeof topic !== "string" || typeof name !== "string") continue;
    const type = format === "cdr" ? rosTypeName(name) : name;
    channels.set(id, {
      topic,
      type,
      messageEncoding: typeof format === "string" ? format : "",
      schema: definitions.get(name) ?? knownSchema(type),
      metadata: metadataOf(row),
    });
  }
  return channels;
}

/** What rosbag2 puts into the channels of an MCAP file under these names. */
function metadataOf({
  offered_qos_profiles: qos,
  type_description_hash: hash,
}: SqlRow): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  // Absent before ROS 2 Foxy and Iron.
  if (typeof qos === "string" && qos !== "") metadata.set("offered_qos_profiles", qos);
  if (typeof hash === "string" && hash !== "") metadata.set("topic_type_hash", hash);
  return metadata;
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

function describe({ metadata, ...channel }: BagChannel, messageCount: number): BagTopic {
  return { ...channel, messageCount, offeredQos: parseOfferedQos(metadata.get("offered_qos_profiles")) };
}

/** MCAP's way to say that a type has a name only: no encoding, no data. */
function knownSchema(type: string): BagSchema {
  if (!isKnownMessageType(type)) return { name: type, encoding: "", data: new Uint8Array(0) };
  return { name: type, encoding: "ros2msg", data: new TextEncoder().encode(messageDefinition(type)) };
}
