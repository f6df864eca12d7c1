import type { FileHandle } from "node:fs/promises";
import type { McapTypes } from "@mcap/core";
import { McapIndexedReader } from "@mcap/core";
import { CheckedIndexReadable } from "./CheckedIndexReadable.js";
import { Fault } from "../../faults/Fault.js";
import { CONVERT_ROS1 } from "../bagFormat.js";
import { rosTypeName } from "../../messages/rosTypeName.js";
import { chunkDecompressors, decompressZstdFrame, isZstdFrame } from "./chunkCompression.js";
import { refuseOverlap } from "./overlappingChunks.js";
import { parseOfferedQos } from "../qosProfile.js";
import type { Readable } from "./Readable.js";
import { FileReadable } from "./Readable.js";
import type { Definition } from "./RecoveredIndex.js";
import { recoverMcap } from "./recoverMcap.js";
import { reasonOf } from "../../files/systemError.js";
import { unreadTopics } from "../unreadTopics.js";
import type { BagChannel, BagMessage, BagReader, BagTopic, MessageFilter } from "../types.js";

/** One MCAP file. What is damaged in it costs the damaged chunks and a warning, not the rest. */
export class McapFile implements BagReader {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #file: Readable;
  readonly #decompress: McapTypes.DecompressHandlers;
  readonly #warnings: Fault[] = [];
  /** Topics of which one unreadable message has been reported. */
  readonly #reported = new Set<string>();
  #reader: McapIndexedReader;
  /** Of the reader's channels, by id. */
  #channels: ReadonlyMap<number, BagChannel>;
  #topics: readonly BagTopic[] | undefined;
  /** Settles once the index has been rebuilt; absent while the file's own index is used. */
  #recovery: Promise<void> | undefined;

  private constructor(
    path: string,
    handle: FileHandle,
    file: Readable,
    decompress: McapTypes.DecompressHandlers,
    reader: McapIndexedReader,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#file = file;
    this.#decompress = decompress;
    this.#reader = reader;
    this.#channels = channelsOf(reader);
  }

  /**
   * @param path for messages
   * @param handle of a file that starts as MCAP files do; closed with this, unless opening fails
   * @throws Fault `bag-unreadable` when it holds messages of ROS 1 only, or cannot be read in the order of time
   */
  static async open(path: string, handle: FileHandle): Promise<McapFile> {
    const file = new FileReadable(handle, BigInt((await handle.stat()).size));
    const decompress = await chunkDecompressors();
    const readers = await initialize(file, decompress);
    refuseRos1(path, readers.reader);
    refuseOverlap(path, readers.reader.chunkIndexes);
    const mcap = new McapFile(path, handle, file, decompress, readers.reader);
    if (readers.problem !== undefined) {
      mcap.#recovery = Promise.resolve();
      mcap.#warnAboutDamage(readers.damages, readers.problem);
    }
    const unread = unreadTopics(path, mcap.topics);
    if (unread !== undefined) mcap.#warnings.push(unread);
    return mcap;
  }

  get topics(): readonly BagTopic[] {
    return (this.#topics ??= topicsOf(this.#reader, this.#channels));
  }

  get startTime(): bigint | undefined {
    return extreme(
      this.#reader.chunkIndexes.map((chunk) => chunk.messageStartTime),
      (a, b) => a < b,
    );
  }

  get endTime(): bigint | undefined {
    return extreme(
      this.#reader.chunkIndexes.map((chunk) => chunk.messageEndTime),
      (a, b) => a > b,
    );
  }

  get warnings(): readonly Fault[] {
    return this.#warnings;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async *messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    let lastTime: bigint | undefined;
    let atLastTime = 0;
    let reader = this.#reader;
    let records = this.#records(filter);
    for (;;) {
      let next;
      try {
        next = await records.next();
      } catch (error) {
        this.#recovery ??= this.#recover(reasonOf(error));
        await this.#recovery;
        if (this.#reader === reader) {
          this.#warn("bag-damaged", `${this.path}: reading stopped before the end (${reasonOf(error)})`);
          return;
        }
        reader = this.#reader;
        // Both readers give the readable messages in the same order, so that what was delivered is a prefix.
        records = this.#records(lastTime === undefined ? filter : { ...filter, startTime: lastTime });
        for (let i = 0; i < atLastTime; i++) await records.next();
        continue;
      }
      if (next.done === true) return;
      const record = next.value;
      atLastTime = record.logTime === lastTime ? atLastTime + 1 : 1;
      lastTime = record.logTime;
      const message = this.#message(record, filter);
      if (message !== undefined) yield message;
    }
  }

  #records(filter: MessageFilter): AsyncGenerator<McapTypes.TypedMcapRecords["Message"], void, void> {
    const wanted = filter.topics === undefined ? undefined : new Set(filter.topics);
    const topics = new Set<string>();
    for (const { topic, messageEncoding } of this.#channels.values()) {
      if (isRead(messageEncoding, filter) && (wanted?.has(topic) ?? true)) topics.add(topic);
    }
    return this.#reader.readMessages({
      topics: [...topics],
      ...(filter.startTime !== undefined && { startTime: filter.startTime }),
      ...(filter.endTime !== undefined && { endTime: filter.endTime }),
    });
  }

  #message(record: McapTypes.TypedMcapRecords["Message"], filter: MessageFilter): BagMessage | undefined {
    const channel = this.#channels.get(record.channelId);
    // A topic can have channels of several encodings.
    if (channel === undefined || !isRead(channel.messageEncoding, filter)) return undefined;
    const { topic, type } = channel;
    const { logTime, publishTime } = record;
    let { data } = record;
    if (channel.messageEncoding === "cdr" && isZstdFrame(data)) {
      try {
        data = decompressZstdFrame(data);
      } catch (error) {
        this.#reportMessage(topic, logTime, reasonOf(error));
        return undefined;
      }
    }
    return { topic, type, logTime, publishTime, channel, data: inItsOwnBuffer(data) };
  }

  async #recover(problem: string): Promise<void> {
    const { reader, damages } = await recover(this.#file, this.#decompress, definitionsOf(this.#reader));
    this.#reader = reader;
    this.#channels = channelsOf(reader);
    this.#topics = undefined;
    this.#warnAboutDamage(damages, problem);
  }

  #warnAboutDamage(damages: readonly string[], problem: string): void {
    const [first, second, ...more] = damages;
    if (first === undefined) {
      this.#warn(
        "bag-unindexed",
        `${this.path} has no usable index (${problem}); it was rebuilt by reading the whole file`,
      );
      return;
    }
    const clauses = second === undefined ? first : `${first}; ${second}`;
    const rest = more.length > 0 ? `; and ${more.length} more places` : "";
    this.#warn(
      "bag-damaged",
      `${this.path} is damaged: ${clauses}${rest}. The messages outside the damage are read`,
    );
  }

  #reportMessage(topic: string, logTime: bigint, reason: string): void {
    if (this.#reported.has(topic)) return;
    this.#reported.add(topic);
    this.#warn(
      "bag-damaged",
      `${this.path}: a message on ${topic} at ${logTime.toString()} ns cannot be decompressed and is skipped, as will be others like it (${reason})`,
    );
  }

  #warn(code: "bag-damaged" | "bag-unindexed", message: string): void {
    this.#warnings.push(new Fault(code, message));
  }
}

function isRead(messageEncoding: string, { anyEncoding = false }: MessageFilter): boolean {
  return anyEncoding || messageEncoding === "cdr";
}

function channelsOf({ channelsById, schemasById }: McapIndexedReader): ReadonlyMap<number, BagChannel> {
  return new Map(
    [...channelsById].map(([id, { topic, schemaId, messageEncoding, metadata }]) => {
      const schema = schemasById.get(schemaId);
      const name = schema?.name ?? "";
      return [
        id,
        {
          topic,
          // Bridges and converters spell the types of ROS 2 in other ways.
          type: messageEncoding === "cdr" ? rosTypeName(name) : name,
          messageEncoding,
          ...(schema && { schema: { name, encoding: schema.encoding, data: schema.data } }),
          metadata,
        },
      ];
    }),
  );
}

/** Channels of the same topic, type and encoding are one. */
function topicsOf(
  { statistics }: McapIndexedReader,
  channels: ReadonlyMap<number, BagChannel>,
): readonly BagTopic[] {
  const counts = statistics?.channelMessageCounts;
  const topics = new Map<string, BagTopic>();
  for (const [id, { topic, type, messageEncoding, schema, metadata }] of channels) {
    const key = `${topic}\n${type}\n${messageEncoding}`;
    const before = topics.get(key);
    topics.set(key, {
      topic,
      type,
      messageCount: Number(counts?.get(id) ?? 0n) + (before?.messageCount ?? 0),
      messageEncoding,
      ...(schema && { schema }),
      offeredQos: before?.offeredQos ?? parseOfferedQos(metadata.get("offered_qos_profiles")),
    });
  }
  return [...topics.values()].sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
}

/** Nothing can be done with a recording of ROS 1, and that each topic is in another encoding does not say why. */
function refuseRos1(path: string, { channelsById }: McapIndexedReader): void {
  const encodings = new Set([...channelsById.values()].map(({ messageEncoding }) => messageEncoding));
  if (!encodings.has("ros1") || encodings.has("cdr")) return;
  throw new Fault(
    "bag-unreadable",
    `${path} holds messages of ROS 1: its ${channelsById.size} topics are 'ros1', and 'cdr' of ROS 2 is read; ` +
      `convert the ROS 1 bag that it was made of instead: ${CONVERT_ROS1}`,
  );
}

interface Recovered {
  readonly reader: McapIndexedReader;
  readonly damages: readonly string[];
}

/** An indexed reader of the file, or of the file with a new index and why it was needed. */
async function initialize(
  file: Readable,
  decompress: McapTypes.DecompressHandlers,
): Promise<Recovered & { readonly problem?: string }> {
  let reader: McapIndexedReader;
  const readable = new CheckedIndexReadable(file);
  try {
    reader = await McapIndexedReader.Initialize({ readable, decompressHandlers: decompress });
    readable.expect(reader.chunkIndexes);
  } catch (error) {
    return { ...(await recover(file, decompress, [])), problem: reasonOf(error) };
  }
  const problem = missingFromIndex(reader);
  if (problem === undefined) return { reader, damages: [] };
  return { ...(await recover(file, decompress, definitionsOf(reader))), problem };
}

async function recover(
  file: Readable,
  decompress: McapTypes.DecompressHandlers,
  known: Iterable<Definition>,
): Promise<Recovered> {
  const { readable, damages } = await recoverMcap(file, decompress, known);
  const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers: decompress });
  return { reader, damages };
}

function definitionsOf({ schemasById, channelsById }: McapIndexedReader): readonly Definition[] {
  return [...schemasById.values(), ...channelsById.values()];
}

/** A summary is optional part by part; without these parts messages or counts would be missing silently. */
function missingFromIndex(reader: McapIndexedReader): string | undefined {
  const { statistics, chunkIndexes, channelsById, schemasById } = reader;
  if (statistics === undefined) return "it has no statistics";
  if (statistics.messageCount === 0n) return undefined;
  if (chunkIndexes.length === 0) return "it has no chunk index";
  if (chunkIndexes.every((chunk) => chunk.messageIndexOffsets.size === 0)) return "it has no message index";
  for (const id of statistics.channelMessageCounts.keys()) {
    const channel = channelsById.get(id);
    if (channel === undefined) return `its summary does not define channel ${id}`;
    if (channel.schemaId !== 0 && !schemasById.has(channel.schemaId)) {
      return `its summary does not define schema ${channel.schemaId}`;
    }
  }
  return undefined;
}

/** The same bytes in an ArrayBuffer of exactly their size; copied only when they are not. */
function inItsOwnBuffer(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength) return new Uint8Array(buffer);
  return new Uint8Array(data);
}

function extreme(times: readonly bigint[], better: (a: bigint, b: bigint) => boolean): bigint | undefined {
  return times.reduce<bigint | undefined>(
    (best, time) => (best === undefined || better(time, best) ? time : best),
    undefined,
  );
}
