/** Encapsulation (4 bytes), header.stamp (8), and the rest. */
const STAMP_START = 4;
const STAMP_END = 12;

/** Do two messages that begin with a header say the same but for its stamp? */
export function equalButForStamp(a: Uint8Array, b: Uint8Array): boolean {
  return (
    Buffer.compare(a.subarray(0, STAMP_START), b.subarray(0, STAMP_START)) === 0 &&
    Buffer.compare(a.subarray(STAMP_END), b.subarray(STAMP_END)) === 0
  );
}
