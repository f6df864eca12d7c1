import { Fault } from "../faults/Fault.js";

const WORD_BYTES = 4;
const NIBBLES_PER_WORD = 8;
/** A nibble carries 3 bits; more than 11 of them do not fit a 32-bit number. */
const MAXIMUM_NIBBLES = 11;

/**
 * Decompresses RVL (A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017), as
 * compressed_depth_image_transport sends it: alternating runs of zeros and of other samples, whose differences from the
 * sample before are zigzag coded; all numbers in groups of 3 bits, lowest first, each with a continuation bit, packed
 * into little-endian 32-bit words from the top nibble down.
 *
 * `out` [pixels] is filled whole. Throws Fault("image-decoding-failed") when the data ends early or has more samples
 * than that.
 */
export function decodeRvl(data: Uint8Array, out: Uint16Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const words = Math.floor(data.length / WORD_BYTES);
  let nextWord = 0;
  let word = 0;
  let nibblesLeft = 0;
  let pixel = 0;

  function readNumber(): number {
    let value = 0;
    for (let nibbles = 0; nibbles < MAXIMUM_NIBBLES; nibbles++) {
      if (nibblesLeft === 0) {
        if (nextWord === words) {
          throw failure(`ends after ${pixel} of ${out.length} pixels`);
        }
        word = view.getInt32(nextWord * WORD_BYTES, true);
        nextWord++;
        nibblesLeft = NIBBLES_PER_WORD;
      }
      value |= ((word >>> 28) & 7) << (3 * nibbles);
      const more = word < 0;
      word <<= 4;
      nibblesLeft--;
      if (!more) return value >>> 0;
    }
    throw failure(`has a number of more than ${MAXIMUM_NIBBLES} nibbles at pixel ${pixel}`);
  }

  function readRun(): number {
    const run = readNumber();
    if (run > out.length - pixel) {
      throw failure(`has a run of ${run} pixels after ${pixel} of ${out.length}`);
    }
    return run;
  }

  let previous = 0;
  while (pixel < out.length) {
    const zeros = readRun();
    out.fill(0, pixel, pixel + zeros);
    pixel += zeros;
    const end = pixel + readRun();
    while (pixel < end) {
      const zigzag = readNumber();
      // Samples have 16 bits, and their differences wrap around as they do.
      previous = (previous + ((zigzag >>> 1) ^ -(zigzag & 1))) & 0xffff;
      out[pixel++] = previous;
    }
  }
}

function failure(problem: string): Fault {
  return new Fault("image-decoding-failed", `the RVL compressed depth image ${problem}`);
}
