import type { McapTypes } from "@mcap/core";
import { McapConstants, McapStreamReader } from "@mcap/core";

/** The few MCAP record layouts that rebuilding an index needs; all integers little-endian (mcap.dev/spec). */
export const Opcode: Readonly<
  Record<
    "HEADER" | "FOOTER" | "SCHEMA" | "CHANNEL" | "MESSAGE" | "CHUNK" | "MESSAGE_INDEX" | "DATA_END",
    number
  >
> = McapConstants.Opcode;

/** opcode 1, content length 8 */
export const RECORD_HEADER_BYTES = 9;

/** data section crc 4 */
export const DATA_END_BYTES = 4n;
/** summary start 8, summary offset start 8, summary crc 4 */
export const FOOTER_BYTES = 20n;

export interface RecordFrame {
  readonly opcode: number;
  /** Bytes from the opcode to the end of the content. */
  readonly byteLength: bigint;
}

/** The frame of the record at `offset`; undefined when fewer than 9 bytes are left. */
export function readFrame(bytes: Uint8Array, offset: number): RecordFrame | undefined {
  if (bytes.byteLength - offset < RECORD_HEADER_BYTES) return undefined;
  const data = viewOf(bytes);
  return {
    opcode: data.getUint8(offset),
    byteLength: BigInt(RECORD_HEADER_BYTES) + data.getBigUint64(offset + 1, true),
  };
}

/** Is this an opcode of MCAP version 0, or of the range kept for private records? */
export function isKnownOpcode(opcode: number): boolean {
  return (opcode >= Opcode.HEADER && opcode <= Opcode.DATA_END) || opcode >= 0x80;
}

export interface MessagePrefix {
  readonly channelId: number;
  readonly logTime: bigint;
}

/** record header 9, channel id 2, sequence 4, log time 8, publish time 8 */
export const MESSAGE_PREFIX_BYTES = RECORD_HEADER_BYTES + 22;

/** `record` starts at the opcode and holds at least MESSAGE_PREFIX_BYTES. */
export function readMessagePrefix(record: Uint8Array): MessagePrefix {
  const data = viewOf(record);
  return { channelId: data.getUint16(9, true), logTime: data.getBigUint64(15, true) };
}

export interface ChunkRecord {
  readonly uncompressedSize: bigint;
  readonly uncompressedCrc: number;
  readonly compression: string;
  readonly records: Uint8Array;
  /** Do the lengths of the record and of what it holds agree? The format allows unknown bytes behind what it defines. */
  readonly isLengthRight: boolean;
}

/** record header 9, start time 8, end time 8, uncompressed size 8, crc 4, compression 4 + 0, records length 8 */
export const PLAIN_CHUNK_HEADER_BYTES = RECORD_HEADER_BYTES + 40;
const COMPRESSION_OFFSET = RECORD_HEADER_BYTES + 28;

/** The length of the compression's name in a chunk record of which at least 41 bytes are given. */
export function chunkCompressionLength(record: Uint8Array): number {
  return viewOf(record).getUint32(COMPRESSION_OFFSET, true);
}

/** @throws Error when the lengths inside do not fit the record */
export function readChunk(record: Uint8Array): ChunkRecord {
  const data = viewOf(record);
  const nameStart = COMPRESSION_OFFSET + 4;
  const nameEnd = nameStart + chunkCompressionLength(record);
  const recordsStart = nameEnd + 8;
  if (recordsStart > record.byteLength) throw new Error("the chunk header runs past the end of the record");
  const recordsLength = data.getBigUint64(nameEnd, true);
  if (BigInt(recordsStart) + recordsLength > BigInt(record.byteLength)) {
    throw new Error(
      `the chunk claims ${recordsLength.toString()} bytes of records, more than the record holds`,
    );
  }
  return {
    uncompressedSize: data.getBigUint64(RECORD_HEADER_BYTES + 16, true),
    uncompressedCrc: data.getUint32(RECORD_HEADER_BYTES + 24, true),
    compression: new TextDecoder().decode(record.subarray(nameStart, nameEnd)),
    records: record.subarray(recordsStart, recordsStart + Number(recordsLength)),
    isLengthRight: BigInt(recordsStart) + recordsLength === BigInt(record.byteLength),
  };
}

/** The header of an uncompressed chunk without times and checksum; `recordsLength` bytes of records follow it. */
export function plainChunkHeader(recordsLength: bigint): Uint8Array {
  const header = new DataView(new ArrayBuffer(PLAIN_CHUNK_HEADER_BYTES));
  header.setUint8(0, Opcode.CHUNK);
  header.setBigUint64(1, BigInt(PLAIN_CHUNK_HEADER_BYTES - RECORD_HEADER_BYTES) + recordsLength, true);
  header.setBigUint64(25, recordsLength, true);
  header.setBigUint64(41, recordsLength, true);
  return new Uint8Array(header.buffer);
}

/** Parses one whole Schema or Channel record. @throws Error when it is malformed */
export function readDefinition(
  record: Uint8Array,
): McapTypes.TypedMcapRecords["Schema"] | McapTypes.TypedMcapRecords["Channel"] | undefined {
  const reader = new McapStreamReader({ noMagicPrefix: true });
  reader.append(record);
  const parsed = reader.nextRecord();
  return parsed?.type === "Schema" || parsed?.type === "Channel" ? parsed : undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
