import { crc32 } from "@foxglove/crc";
import type { McapTypes } from "@mcap/core";
import { MAX_CHUNK_BYTES } from "./chunkCompression.js";
import type { ChunkRecord, MessagePrefix } from "./mcapRecords.js";
import {
  chunkCompressionLength,
  DATA_END_BYTES,
  FOOTER_BYTES,
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
import { findChunk } from "./findChunk.js";
import type { Readable, Segment } from "./Readable.js";
import { SegmentedReadable, segmentLength, WindowedReader } from "./Readable.js";
import type { Definition } from "./RecoveredIndex.js";
import { MAGIC_BYTES, RecoveredIndex, recoveredHeader } from "./RecoveredIndex.js";
import { reasonOf } from "../../files/systemError.js";

export interface RecoveredMcap {
  /** The same file with a new index behind it. */
  readonly readable: Readable;
  /** What could not be read, one clause each; empty when the file merely lacks its index. */
  readonly damages: readonly string[];
}

/** What a record turned out to be; `problem` when it is none. */
interface RecordOutcome {
  readonly problem?: string;
  readonly end: bigint;
  readonly isChunk?: boolean;
  /** Its beginning may be good; nothing can be checked. */
  readonly isCutOffChunk?: boolean;
  /** The data section ends here. */
  readonly isEnd: boolean;
  /** Its content was checked, so that its length is right too. */
  readonly isVerified: boolean;
}

/** The records that may lie in a chunk. */
const CHUNK_CONTENT: ReadonlySet<number> = new Set([Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE]);

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
  #hasChunks = false;
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
    const end = await this.#records(BigInt(MAGIC_BYTES));
    this.#endLooseRun();
    const summary = end ?? (await this.#summaryStart());
    if (summary !== undefined) await this.#summaryDefinitions(summary);
    for (const [channel, count] of this.#index.leaveOutUndefined()) {
      this.#damages.push(`${count} messages are on channel ${channel}, which the file does not define`);
    }
    this.#append(this.#index.tail(this.#end));
    return { readable: new SegmentedReadable(this.#file, this.#segments), damages: this.#damages };
  }

  /**
   * Reads records from byte `offset` to the end of the data. Where they stop making sense, it goes on with the next
   * chunk that can be found.
   *
   * @returns where the summary starts; undefined when the data have no end
   */
  async #records(offset: bigint): Promise<bigint | undefined> {
    /** Where the search for the next chunk starts: behind what is known to be good. */
    let searchFrom = offset;
    for (;;) {
      const skipped = await this.#skippedChunk(searchFrom, offset);
      if (skipped !== undefined) {
        this.#damages.push(`a record before the chunk at byte ${skipped} has a wrong length`);
        this.#endLooseRun();
        offset = skipped;
      }
      const { problem, isCutOffChunk, isEnd, isChunk, end, isVerified } = await this.#record(offset);
      if (isEnd) return end;
      if (problem === undefined) {
        // A wrong length of another record shows later, at the first that is checked.
        if (isChunk === true) searchFrom = isVerified ? end : offset + 1n;
        offset = end;
        continue;
      }
      this.#endLooseRun();
      const next = await findChunk(this.#window, this.#size, searchFrom);
      if (next === undefined) {
        // Only of a file that ends here the length of the chunk may be right.
        const recovered = isCutOffChunk === true ? await this.#cutOffChunk(offset) : 0;
        this.#damages.push(
          problem +
            (recovered > 0
              ? ` (${recovered} of its messages were recovered)`
              : ", and nothing behind it was read"),
        );
        return undefined;
      }
      this.#damages.push(`${problem}, and byte ${next} was the next to be read`);
      offset = next;
      searchFrom = next + 1n;
    }
  }

  /** A wrong length can lead over chunks to a place that looks like a chunk or the end. */
  async #skippedChunk(searchFrom: bigint, offset: bigint): Promise<bigint | undefined> {
    if (searchFrom >= offset || offset + BigInt(RECORD_HEADER_BYTES) > this.#size) return undefined;
    const { opcode } = readFrame(await this.#window.bytes(offset, RECORD_HEADER_BYTES), 0)!;
    if (opcode !== Opcode.CHUNK && opcode !== Opcode.DATA_END && opcode !== Opcode.FOOTER) return undefined;
    return findChunk(this.#window, this.#size, searchFrom, offset);
  }

  /** The summary repeats schemas and channels, of which the first may have been in a chunk that is lost. */
  async #summaryDefinitions(offset: bigint): Promise<void> {
    if (!(await this.#isSummaryIntact(offset))) return;
    while (offset + BigInt(RECORD_HEADER_BYTES) <= this.#size) {
      const { opcode, byteLength } = readFrame(await this.#window.bytes(offset, RECORD_HEADER_BYTES), 0)!;
      const end = offset + byteLength;
      if (!isKnownOpcode(opcode) || end > this.#size || byteLength > MAX_CHUNK_BYTES) return;
      if (opcode === Opcode.SCHEMA || opcode === Opcode.CHANNEL) {
        const record = await this.#window.bytes(offset, Number(byteLength));
        try {
          const definition = readDefinition(record);
          if (definition !== undefined) this.#index.defineIfNew(definition);
        } catch {
          // What it would have defined is reported where it is missing.
        }
      }
      offset = end;
    }
  }

  /** What the footer says, where there is one; undefined when there is none or the file has no summary. */
  async #summaryStart(): Promise<bigint | undefined> {
    const at = this.#size - BigInt(MAGIC_BYTES) - FOOTER_BYTES - BigInt(RECORD_HEADER_BYTES);
    if (at < BigInt(MAGIC_BYTES)) return undefined;
    const record = await this.#file.read(at, FOOTER_BYTES + BigInt(RECORD_HEADER_BYTES));
    const { opcode, byteLength } = readFrame(record, 0)!;
    if (opcode !== Opcode.FOOTER || byteLength !== BigInt(record.byteLength)) return undefined;
    const start = new DataView(record.buffer, record.byteOffset).getBigUint64(RECORD_HEADER_BYTES, true);
    return start === 0n || start >= at ? undefined : start;
  }

  /** Checks the sum in the footer (0: there is none), which covers all from the summary's start up to itself. */
  async #isSummaryIntact(start: bigint): Promise<boolean> {
    const crcAt = this.#size - BigInt(MAGIC_BYTES) - 4n;
    if (crcAt < start || crcAt - start > BigInt(MAX_CHUNK_BYTES)) return false;
    const bytes = await this.#file.read(start, crcAt + 4n - start);
    const expected = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(
      bytes.byteLength - 4,
      true,
    );
    return expected === 0 || expected === crc32(bytes.subarray(0, -4));
  }

  async #record(offset: bigint): Promise<RecordOutcome> {
    const nothing = { end: offset, isEnd: false, isVerified: false };
    if (offset + BigInt(RECORD_HEADER_BYTES) > this.#size) {
      return {
        ...nothing,
        problem: "it ends without an end-of-data record, as after an interrupted recording",
      };
    }
    const { opcode, byteLength } = readFrame(await this.#window.bytes(offset, RECORD_HEADER_BYTES), 0)!;
    const contentBytes = byteLength - BigInt(RECORD_HEADER_BYTES);
    const isEnd =
      (opcode === Opcode.DATA_END && contentBytes === DATA_END_BYTES) ||
      (opcode === Opcode.FOOTER && contentBytes === FOOTER_BYTES);
    if (isEnd) return { ...nothing, end: offset + byteLength, isEnd };
    if (!isKnownOpcode(opcode) || opcode === Opcode.DATA_END || opcode === Opcode.FOOTER) {
      return { ...nothing, problem: `there is no MCAP record at byte ${offset}` };
    }
    const end = offset + byteLength;
    if (end > this.#size) {
      const isChunk = opcode === Opcode.CHUNK;
      const problem = `the ${isChunk ? "chunk" : "record"} at byte ${offset} runs past the end of the file`;
      return { ...nothing, problem, isCutOffChunk: isChunk };
    }
    if (opcode === Opcode.CHUNK) {
      this.#hasChunks = true;
      return { end, isEnd: false, isChunk: true, isVerified: await this.#chunk(offset, byteLength) };
    }
    if (this.#hasChunks && opcode === Opcode.MESSAGE) {
      // Writers put all messages into chunks or none: this was another record.
      this.#damages.push(`the record at byte ${offset} is not what it says`);
    } else await this.#looseRecord(opcode, offset, byteLength);
    return { end, isEnd: false, isVerified: false };
  }

  /** Is the chunk as it was written? */
  async #chunk(offset: bigint, byteLength: bigint): Promise<boolean> {
    this.#endLooseRun();
    const where = `the chunk at byte ${offset.toString()}`;
    if (byteLength > MAX_CHUNK_BYTES) {
      this.#damages.push(
        `${where} has ${byteLength.toString()} bytes, more than the ${MAX_CHUNK_BYTES} that are read`,
      );
      return false;
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
      return makesSenseUntil === records.byteLength && chunk.isLengthRight;
    } catch (error) {
      this.#damages.push(`${where} cannot be read (${reasonOf(error)})`);
      return false;
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
      messages.push({ ...prefix, recordOffset });
    } else if (opcode === Opcode.SCHEMA || opcode === Opcode.CHANNEL) {
      const definition = readDefinition(record);
      // A later one would be the same, if it were good.
      if (definition !== undefined) this.#index.defineIfNew(definition);
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
      if (!CHUNK_CONTENT.has(frame.opcode) || at + frame.byteLength > this.#size) break;
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
