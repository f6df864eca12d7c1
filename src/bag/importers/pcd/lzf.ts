import { Fault } from "../../../faults/Fault.js";

/** Control bytes below this are counts of literal bytes, less one. */
const FIRST_REFERENCE = 32;
/** A reference of this length (of three bits) has the rest of its length in the next byte. */
const LONG_REFERENCE = 7;

/**
 * Decompresses LZF (LibLZF by Marc Lehmann), which PCD's binary_compressed uses.
 * @param size of the decompressed bytes
 * @throws Fault `data-set-unreadable` when the input does not give exactly `size` bytes
 */
export function decompressLzf(input: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let from = 0;
  let to = 0;
  while (from < input.length) {
    const control = input[from++]!;
    if (control < FIRST_REFERENCE) {
      const length = control + 1;
      if (from + length > input.length || to + length > size) throw damaged(from, to, size);
      output.set(input.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let length = control >> 5;
    if (length === LONG_REFERENCE) length += input[from++] ?? NaN;
    length += 2;
    const distance = ((control & 0x1f) << 8) + (input[from++] ?? NaN) + 1;
    // Also false for NaN, the end of the input in the middle of a reference.
    if (!(distance <= to && to + length <= size)) throw damaged(from, to, size);
    // Byte by byte: a reference may run into the bytes that it writes.
    for (let i = 0; i < length; i++, to++) output[to] = output[to - distance]!;
  }
  if (to !== size) throw damaged(from, to, size);
  return output;
}

function damaged(from: number, to: number, size: number): Fault {
  return new Fault(
    "data-set-unreadable",
    `its compressed points are damaged: byte ${from} leads to ${to} of ${size} bytes`,
  );
}
