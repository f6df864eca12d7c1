import { McapConstants, McapRecordBuilder } from "@mcap/core";
import type { McapTypes } from "@mcap/core";
import type { MessagePrefix } from "./mcapRecords.js";

/** One chunk of the recovered file, at its offset there. */
export interface RecoveredChunk {
  readonly offset: bigint;
  readonly byteLength: bigint;
  readonly compression: string;
  readonly compressedSize: bigint;
  readonly uncompressedSize: bigint;
  /** In file order, with the offset of each message's record in the uncompressed chunk. */
  readonly messages: readonly (MessagePrefix & { readonly recordOffset: bigint })[];
}

/** What a message needs to be understood. */
export type Definition = McapTypes.TypedMcapRecords["Schema"] | McapTypes.TypedMcapRecords["Channel"];

/** Collects what a summary section needs, and writes it. */
export class RecoveredIndex {
  readonly #schemas = new Map<number, McapTypes.Schema>();
  readonly #channels = new Map<number, McapTypes.Channel>();
  readonly #chunks: (RecoveredChunk & { readonly startTime: bigint; readonly endTime: bigint })[] = [];
  readonly #messageCounts = new Map<number, bigint>();
  #messageCount = 0;

  get messageCount(): number {
    return this.#messageCount;
  }

  define(definition: Definition): void {
    if (definition.type === "Schema") this.#schemas.set(definition.id, definition);
    else this.#channels.set(definition.id, definition);
  }

  /** A definition that counts only when the data have none of this id. */
  defineIfNew(definition: Definition): void {
    const known = definition.type === "Schema" ? this.#schemas : this.#channels;
    if (!known.has(definition.id)) this.define(definition);
  }

  /**
   * Messages of channels that are not defined cannot be named. Call it when everything has been added.
   * @returns how many were left out, by channel
   */
  leaveOutUndefined(): ReadonlyMap<number, number> {
    const leftOut = new Map<number, number>();
    for (const { channelId } of this.#chunks.flatMap(({ messages }) => messages)) {
      if (!this.#channels.has(channelId)) leftOut.set(channelId, (leftOut.get(channelId) ?? 0) + 1);
    }
    if (leftOut.size > 0) {
      const chunks = this.#chunks.splice(0);
      this.#messageCounts.clear();
      this.#messageCount = 0;
      for (const chunk of chunks) {
        this.addChunk({
          ...chunk,
          messages: chunk.messages.filter(({ channelId }) => !leftOut.has(channelId)),
        });
      }
    }
    return leftOut;
  }

  addChunk(chunk: RecoveredChunk): void {
    const [first] = chunk.messages;
    if (first === undefined) return;
    let startTime = first.logTime;
    let endTime = first.logTime;
    for (const { channelId, logTime } of chunk.messages) {
      if (logTime < startTime) startTime = logTime;
      if (logTime > endTime) endTime = logTime;
      this.#messageCounts.set(channelId, (this.#messageCounts.get(channelId) ?? 0n) + 1n);
    }
    this.#messageCount += chunk.messages.length;
    this.#chunks.push({ ...chunk, startTime, endTime });
  }

  /** Message indexes, end of data, summary, footer and magic for a file whose data end at byte `start`. */
  tail(start: bigint): Uint8Array {
    const out = new McapRecordBuilder();
    const position = (): bigint => start + BigInt(out.length);
    const chunkIndexes = this.#chunks.map((chunk) => {
      const messageIndexStart = position();
      const messageIndexOffsets = new Map<number, bigint>();
      for (const [channelId, records] of recordsByChannel(chunk)) {
        messageIndexOffsets.set(channelId, position());
        out.writeMessageIndex({ channelId, records });
      }
      return {
        messageStartTime: chunk.startTime,
        messageEndTime: chunk.endTime,
        chunkStartOffset: chunk.offset,
        chunkLength: chunk.byteLength,
        messageIndexOffsets,
        messageIndexLength: position() - messageIndexStart,
        compression: chunk.compression,
        compressedSize: chunk.compressedSize,
        uncompressedSize: chunk.uncompressedSize,
      };
    });
    out.writeDataEnd({ dataSectionCrc: 0 });
    const summaryStart = position();
    for (const schema of this.#schemas.values()) out.writeSchema(schema);
    for (const channel of this.#channels.values()) out.writeChannel(channel);
    out.writeStatistics(this.#statistics());
    for (const chunkIndex of chunkIndexes) out.writeChunkIndex(chunkIndex);
    out.writeFooter({ summaryStart, summaryOffsetStart: 0n, summaryCrc: 0 });
    out.writeMagic();
    return out.buffer;
  }

  #statistics(): McapTypes.Statistics {
    const times = this.#chunks.flatMap(({ startTime, endTime }) => [startTime, endTime]);
    return {
      messageCount: BigInt(this.#messageCount),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.size,
      attachmentCount: 0,
      metadataCount: 0,
      chunkCount: this.#chunks.length,
      messageStartTime: times.reduce((a, b) => (b < a ? b : a), times[0] ?? 0n),
      messageEndTime: times.reduce((a, b) => (b > a ? b : a), times[0] ?? 0n),
      channelMessageCounts: this.#messageCounts,
    };
  }
}

/** Magic and header for the front of a recovered file. */
export function recoveredHeader(): Uint8Array {
  const out = new McapRecordBuilder();
  out.writeMagic();
  out.writeHeader({ profile: "", library: "recovered" });
  return out.buffer;
}

function recordsByChannel(chunk: RecoveredChunk): Map<number, [bigint, bigint][]> {
  const records = new Map<number, [bigint, bigint][]>();
  for (const { channelId, logTime, recordOffset } of chunk.messages) {
    const entries = records.get(channelId);
    if (entries === undefined) records.set(channelId, [[logTime, recordOffset]]);
    else entries.push([logTime, recordOffset]);
  }
  return records;
}

export const MAGIC_BYTES = McapConstants.MCAP_MAGIC.length;
