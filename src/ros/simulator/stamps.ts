/** Bytes of a CDR message in front of its content. */
const ENCAPSULATION = 4;

/** Puts another stamp into a little-endian CDR message that starts with a std_msgs/Header, in its place. */
export function setHeaderStamp(cdr: Uint8Array<ArrayBuffer>, stamp: bigint): void {
  const view = new DataView(cdr.buffer, cdr.byteOffset, cdr.byteLength);
  view.setInt32(ENCAPSULATION, Number(stamp / 1_000_000_000n), true);
  view.setUint32(ENCAPSULATION + 4, Number(stamp % 1_000_000_000n), true);
}
