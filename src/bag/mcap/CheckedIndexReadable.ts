import type { McapTypes } from "@mcap/core";
import { Opcode, readFrame } from "./mcapRecords.js";
import type { Readable } from "./Readable.js";

type ChunkIndex = McapTypes.TypedMcapRecords["ChunkIndex"];

/** record header 9, channel id 2, bytes of the array 4 */
const PREFIX_BYTES = 9 + 2 + 4;

/**
 * A file whose message indexes are checked against the chunk index when they are read. The summary has a checksum and
 * chunks have theirs, but message indexes have none, and an entry that is damaged would be a message lost in silence.
 */
export class CheckedIndexReadable implements Readable {
  readonly #file: Readable;
  /** By the end of their section of message indexes. */
  readonly #chunks = new Map<bigint, ChunkIndex>();

  constructor(file: Readable) {
    this.#file = file;
  }

  /** From now on reads of these chunks' message indexes are checked. */
  expect(chunkIndexes: readonly ChunkIndex[]): void {
    for (const chunk of chunkIndexes) this.#chunks.set(endOf(chunk), chunk);
  }

  size(): Promise<bigint> {
    return this.#file.size();
  }

  async read(offset: bigint, length: bigint): Promise<Uint8Array> {
    const bytes = await this.#file.read(offset, length);
    const chunk = this.#chunks.get(offset + length);
    if (chunk !== undefined && offset >= chunk.chunkStartOffset + chunk.chunkLength)
      check(chunk, offset, bytes);
    return bytes;
  }
}

function endOf({
  messageIndexOffsets,
  messageIndexLength,
  chunkStartOffset,
  chunkLength,
}: ChunkIndex): bigint {
  let start = chunkStartOffset + chunkLength;
  if (messageIndexOffsets.size > 0)
    start = [...messageIndexOffsets.values()].reduce((a, b) => (b < a ? b : a));
  return start + messageIndexLength;
}

/** @throws Error when the records are not where and for which channels the chunk index says */
function check(
  { messageIndexOffsets, chunkStartOffset }: ChunkIndex,
  start: bigint,
  bytes: Uint8Array,
): void {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = [...messageIndexOffsets].filter(([, offset]) => offset >= start);
  offsets.sort(([, a], [, b]) => (a < b ? -1 : 1));
  offsets.forEach(([channelId, offset], i) => {
    const at = Number(offset - start);
    const end = i + 1 < offsets.length ? Number(offsets[i + 1]![1] - start) : bytes.byteLength;
    const isIntact =
      end - at >= PREFIX_BYTES &&
      readFrame(bytes, at)!.opcode === Opcode.MESSAGE_INDEX &&
      readFrame(bytes, at)!.byteLength === BigInt(end - at) &&
      data.getUint16(at + 9, true) === channelId &&
      data.getUint32(at + 11, true) === end - at - PREFIX_BYTES;
    if (!isIntact) throw new Error(`a message index of the chunk at byte ${chunkStartOffset} is damaged`);
  });
}
