import { Opcode, readFrame, RECORD_HEADER_BYTES } from "./mcapRecords.js";
import type { WindowedReader } from "./Readable.js";

/** start time 8, end time 8, uncompressed size 8, crc 4: what is before the compression's name */
const NAME_OFFSET = RECORD_HEADER_BYTES + 28;
/** Length of the longest known name: "zstd". */
const MAX_NAME_BYTES = 4;
const HEADER_BYTES = NAME_OFFSET + 4 + MAX_NAME_BYTES + 8;
const SEARCH_BYTES = 64 * 1024;

/**
 * Searches for the next chunk record from byte `from` on. A chunk is recognized by its two lengths, which must agree:
 * by accident 64 bits hardly do.
 *
 * @param size bytes of the file
 * @param before the chunk must start before this byte
 */
export async function findChunk(
  window: WindowedReader,
  size: bigint,
  from: bigint,
  before = size,
): Promise<bigint | undefined> {
  for (
    let start = from;
    start < before && start + BigInt(HEADER_BYTES) <= size;
    start += BigInt(SEARCH_BYTES)
  ) {
    const left = size - start;
    // The windows overlap, so that a header is not missed between two of them.
    const wanted = BigInt(SEARCH_BYTES + HEADER_BYTES);
    const bytes = await window.bytes(start, Number(left < wanted ? left : wanted));
    for (let at = bytes.indexOf(Opcode.CHUNK); at >= 0; at = bytes.indexOf(Opcode.CHUNK, at + 1)) {
      if (at >= SEARCH_BYTES || at + HEADER_BYTES > bytes.byteLength) break;
      if (start + BigInt(at) >= before) return undefined;
      if (isChunkHeader(bytes, at, left - BigInt(at))) return start + BigInt(at);
    }
  }
  return undefined;
}

/** @param left bytes from `at` to the end of the file */
function isChunkHeader(bytes: Uint8Array, at: number, left: bigint): boolean {
  const { byteLength } = readFrame(bytes, at)!;
  if (byteLength > left) return false;
  const data = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const nameBytes = data.getUint32(NAME_OFFSET, true);
  if (nameBytes > MAX_NAME_BYTES) return false;
  const recordsBytes = data.getBigUint64(NAME_OFFSET + 4 + nameBytes, true);
  return BigInt(NAME_OFFSET + 4 + nameBytes + 8) + recordsBytes === byteLength;
}
