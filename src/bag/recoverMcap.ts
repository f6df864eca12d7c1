import { crc32 } from "@foxglove/crc";
import type { McapTypes } from "@mcap/core";
import { MAX_CHUNK_BYTES } from "./chunkCompression.js";
import type { ChunkRecord, MessagePrefix } from "./mcapRecords.js";
import {
  chunkCompressionLength,
  isKnownOpcode,
  MESSAGE_PREFIX_BYTES,
  Opcode,
  PLAIN_CHUNK_HEADER_BYTES,
  plainChunkHeader,
  readChunk,
  readDefinition,
  readFrame,
  readMessagePrefix,
  RECORD_HEADER_BYTES,
} from "./mcapRecords.js";
import type { Readable, Segment } from "./Readable.js";
import { SegmentedReadable, segmentLength, WindowedReader } from "./Readable.js";
import type { Definition } from "./RecoveredIndex.js";
import { MAGIC_BYTES, RecoveredIndex, recoveredHeader } from "./RecoveredIndex.js";
import { reasonOf } from "./systemError.js";

export interface RecoveredMcap {
  /** The same file with a new index behind it. */
  readonly readable: Readable;
  /** What could not be read, one clause each; empty when the file merely lacks its index. */
  readonly damages: readonly string[];
}

type IndexedMessage = MessagePrefix & { readonly recordOffset: bigint };

/** Messages outside chunks are bundled into chunks of about this size. */
const LOOSE_CHUNK_BYTES = 4n * 1024n * 1024n;

/**
 * Reads an MCAP file from its start to its end or to where it stops making sense, and gives it a new
 * index, in memory. Chunks whose checksum or compression is wrong are left out; messages of a plain chunk
 * that was cut off, and messages outside chunks, are read as chunks of their own.
 *
 * @param known schemas and channels that the file's own summary defines: the chunk that does may be lost
 * @throws Error when the file cannot be read from disk
 */
export async function recoverMcap(
  file: Readable,
  decompress: McapTypes.DecompressHandlers,
  known: Iterable<Definition> = [],
): Promise<RecoveredMcap> {
  const recovery = new Recovery(file, decompress, await file.size());
  return recovery.run(known);
}

class Recovery {
  readonly #file: Readable;
  readonly #decompress: McapTypes.DecompressHandlers;
  readonly #size: bigint;
  readonly #window: WindowedReader;
  readonly #index = new RecoveredIndex();
  readonly #damages: string[] = [];
  /** Header, the file as it is, then loose messages with chunk headers in front. */
  readonly #segments: Segment[];
  /** Where the file starts in the recovered one. */
  readonly #base: bigint;
  #end: bigint;
  /** The run of records outside chunks that is being collected. */
  #loose: { readonly start: bigint; end: bigint; readonly messages: IndexedMessage[] } | undefined;

  constructor(file: Readable, decompress: McapTypes.DecompressHandlers, size: bigint) {
    this.#file = file;
    this.#decompress = decompress;
    this.#size = size;
    this.#window = new WindowedReader(file, size);
    const header = recoveredHeader();
    this.#base = BigInt(header.byteLength);
    this.#segments = [header, { offset: 0n, length: size }];
    this.#end = this.#base + size;
  }

  async run(known: Iterable<Definition>): Promise<RecoveredMcap> {
    for (const definition of known) this.#index.define(definition);
    await this.#records(BigInt(MAGIC_BYTES));
    this.#endLooseRun();
    this.#append(this.#index.tail(this.#end));
    return { readable: new SegmentedReadable(this.#file, this.#segments), damages: this.#damages };
  }

  /** Reads records from byte `offset` to the end of the data, or until there is none. */
  async #records(offset: bigint): Promise<void> {
    for (;;) {
      if (offset + BigInt(RECORD_HEADER_BYTES) > this.#size) {
        this.#damages.push("it ends without an end-of-data record, as after an interrupted recording");
        return;
      }
      const frame = readFrame(await this.#window.bytes(offset, RECORD_HEADER_BYTES), 0)!;
      if (frame.opcode === Opcode.DATA_END || frame.opcode === Opcode.FOOTER) return;
      if (!isKnownOpcode(frame.opcode)) {
        this.#damages.push(
          `there is no MCAP record at byte ${offset.toString()}, and nothing behind it was read`,
        );
        return;
      }
      const end = offset + frame.byteLength;
      if (end > this.#size) {
        const recovered = frame.opcode === Opcode.CHUNK ? await this.#cutOffChunk(offset) : 0;
        this.#damages.push(
          `the ${frame.opcode === Opcode.CHUNK ? "chunk" : "record"} at byte ${offset.toString()} runs past the end of the file` +
            (recovered > 0 ? ` (${recovered} of its messages were recovered)` : ""),
        );
        return;
      }
      if (frame.opcode === Opcode.CHUNK) await this.#chunk(offset, frame.byteLength);
      else await this.#looseRecord(frame.opcode, offset, frame.byteLength);
      offset = end;
    }
  }

  async #chunk(offset: bigint, byteLength: bigint): Promise<void> {
    this.#endLooseRun();
    const where = `the chunk at byte ${offset.toString()}`;
    if (byteLength > MAX_CHUNK_BYTES) {
      this.#damages.push(
        `${where} has ${byteLength.toString()} bytes, more than the ${MAX_CHUNK_BYTES} that are read`,
      );
      return;
    }
    const record = await this.#file.read(offset, byteLength);
    try {
      const chunk = readChunk(record);
      const records = this.#unpack(chunk);
      const { messages, makesSenseUntil } = this.#indexRecords(records);
      if (makesSenseUntil < records.byteLength) {
        this.#damages.push(`${where} makes no sense from byte ${makesSenseUntil} of its content on`);
      }
      this.#index.addChunk({
        offset: this.#base + offset,
        byteLength,
        compression: chunk.compression,
        compressedSize: BigInt(chunk.records.byteLength),
        uncompressedSize: BigInt(records.byteLength),
        messages,
      });
    } catch (error) {
      this.#damages.push(`${where} cannot be read (${reasonOf(error)})`);
    }
  }

  #unpack(chunk: ChunkRecord): Uint8Array {
    let { records } = chunk;
    if (chunk.compression !== "" && records.byteLength > 0) {
      const decompress = this.#decompress[chunk.compression];
      if (decompress === undefined) throw new Error(`unsupported compression '${chunk.compression}'`);
      records = decompress(records, chunk.uncompressedSize);
    }
    if (chunk.uncompressedCrc !== 0 && crc32(records) !== chunk.uncompressedCrc) {
      throw new Error("its checksum is wrong");
    }
    return records;
  }

  #indexRecords(records: Uint8Array): { messages: IndexedMessage[]; makesSenseUntil: number } {
    const messages: IndexedMessage[] = [];
    let offset = 0;
    for (let frame; (frame = readFrame(records, offset)) !== undefined;) {
      if (!isKnownOpcode(frame.opcode) || frame.byteLength > BigInt(records.byteLength - offset)) break;
      const end = offset + Number(frame.byteLength);
      this.#indexRecord(frame.opcode, records.subarray(offset, end), BigInt(offset), messages);
      offset = end;
    }
    return { messages, makesSenseUntil: offset };
  }

  /** @throws Error when the record is malformed */
  #indexRecord(opcode: number, record: Uint8Array, recordOffset: bigint, messages: IndexedMessage[]): void {
    if (opcode === Opcode.MESSAGE) {
      if (record.byteLength < MESSAGE_PREFIX_BYTES) {
        throw new Error(`a message record of ${record.byteLength} bytes is too short`);
      }
      const prefix = readMessagePrefix(record);
      if (!this.#index.hasChannel(prefix.channelId)) {
        throw new Error(`a message is on channel ${prefix.channelId}, which the file does not define`);
      }
      messages.push({ ...prefix, recordOffset });
    } else if (opcode === Opcode.SCHEMA || opcode === Opcode.CHANNEL) {
      const definition = readDefinition(record);
      if (definition !== undefined) this.#index.define(definition);
    }
  }

  /** What a plain chunk held before the file ended; returns how many messages that is. */
  async #cutOffChunk(offset: bigint): Promise<number> {
    const recordsStart = offset + BigInt(PLAIN_CHUNK_HEADER_BYTES);
    if (recordsStart > this.#size) return 0;
    const header = await this.#window.bytes(offset, PLAIN_CHUNK_HEADER_BYTES);
    if (chunkCompressionLength(header) !== 0) return 0;
    this.#endLooseRun();
    const before = this.#index.messageCount;
    for (let at = recordsStart; at + BigInt(RECORD_HEADER_BYTES) <= this.#size;) {
      const frame = readFrame(await this.#window.bytes(at, RECORD_HEADER_BYTES), 0)!;
      if (!isKnownOpcode(frame.opcode) || at + frame.byteLength > this.#size) break;
      await this.#looseRecord(frame.opcode, at, frame.byteLength);
      at += frame.byteLength;
    }
    this.#endLooseRun();
    return this.#index.messageCount - before;
  }

  async #looseRecord(opcode: number, offset: bigint, byteLength: bigint): Promise<void> {
    if (opcode !== Opcode.MESSAGE && opcode !== Opcode.SCHEMA && opcode !== Opcode.CHANNEL) {
      this.#endLooseRun();
      return;
    }
    if (byteLength > MAX_CHUNK_BYTES) {
      this.#damages.push(`the record at byte ${offset.toString()} is larger than ${MAX_CHUNK_BYTES} bytes`);
      this.#endLooseRun();
      return;
    }
    this.#loose ??= { start: offset, end: offset, messages: [] };
    const record = await this.#window.bytes(
      offset,
      opcode === Opcode.MESSAGE ? prefixOf(byteLength) : Number(byteLength),
    );
    try {
      this.#indexRecord(opcode, record, offset - this.#loose.start, this.#loose.messages);
    } catch (error) {
      this.#damages.push(`the record at byte ${offset.toString()} cannot be read (${reasonOf(error)})`);
    }
    this.#loose.end = offset + byteLength;
    if (this.#loose.end - this.#loose.start >= LOOSE_CHUNK_BYTES) this.#endLooseRun();
  }

  /** Puts the run of loose records, as a chunk, behind the end of the file. */
  #endLooseRun(): void {
    const loose = this.#loose;
    this.#loose = undefined;
    if (loose === undefined || loose.messages.length === 0) return;
    const length = loose.end - loose.start;
    const offset = this.#end;
    this.#append(plainChunkHeader(length));
    this.#append({ offset: loose.start, length });
    this.#index.addChunk({
      offset,
      byteLength: this.#end - offset,
      compression: "",
      compressedSize: length,
      uncompressedSize: length,
      messages: loose.messages,
    });
  }

  #append(segment: Segment): void {
    this.#segments.push(segment);
    this.#end += segmentLength(segment);
  }
}

/** Bytes of a message record that are read to index it. */
function prefixOf(byteLength: bigint): number {
  return byteLength < MESSAGE_PREFIX_BYTES ? Number(byteLength) : MESSAGE_PREFIX_BYTES;
}
