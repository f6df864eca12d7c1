/** Reading how much lz4 frames unpack to without unpacking them (lz4_Frame_format.md and lz4_Block_format.md). */

const FRAME_MAGIC = 0x184d2204;
/** The low four bits vary. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** In the length of a block: its data are as they are. */
const UNCOMPRESSED = 0x80000000;
/** Matches are this much longer than what their token says. */
const MIN_MATCH_BYTES = 4;

/**
 * Bytes that the frames unpack to: exact where that is not more than `limit`, otherwise some number above it. A small
 * file can claim to unpack to 255 times its size, and the decoder would not ask before it takes the memory.
 *
 * @throws Error when the data are no lz4 frames
 */
export function lz4UnpackedBytes(frames: Uint8Array, limit: number): number {
  let unpacked = 0;
  for (let at = 0; at < frames.byteLength;) {
    const magic = uint32(frames, at);
    if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + uint32(frames, at + 4);
      continue;
    }
    if (magic !== FRAME_MAGIC) throw new Error(`there is no lz4 frame at byte ${at}`);
    const flags = byte(frames, at + 4);
    const [blockChecksum, contentChecksum] = [flags & 0x10 ? 4 : 0, flags & 0x04 ? 4 : 0];
    // magic 4, flags 1, block size 1, content size 8 or none, dictionary 4 or none, header checksum 1
    at += 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
    for (;;) {
      const length = uint32(frames, at);
      at += 4;
      if (length === 0) break;
      const bytes = length & ~UNCOMPRESSED;
      unpacked += (length & UNCOMPRESSED) !== 0 ? bytes : blockBytes(frames, at, at + bytes);
      if (unpacked > limit) return unpacked;
      at += bytes + blockChecksum;
    }
    at += contentChecksum;
  }
  return unpacked;
}

/** What one block unpacks to: sequences of literals and matches. */
function blockBytes(frames: Uint8Array, start: number, end: number): number {
  let unpacked = 0;
  for (let at = start; at < end;) {
    const token = byte(frames, at++);
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) more = byte(frames, at++);
    }
    at += literals;
    unpacked += literals;
    // The last sequence has literals only.
    if (at >= end) break;
    at += 2;
    let match = token & 15;
    if (match === 15) {
      for (let more = 255; more === 255; match += more) more = byte(frames, at++);
    }
    unpacked += match + MIN_MATCH_BYTES;
  }
  return unpacked;
}

function byte(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw new Error("the lz4 frame ends too soon");
  return value;
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24)) >>>
    0
  );
}
