import { Fault } from "../../../faults/Fault.js";

/**
 * The raw class ids [N] in a .label file: little-endian uint32 per point, of which the lower half is the class.
 * @throws Fault `data-set-unreadable` when its size is no multiple of 4 bytes
 */
export function parseLabelFile(bytes: Uint8Array): Uint16Array {
  if (bytes.byteLength % 4 !== 0) {
    throw new Fault("data-set-unreadable", `it has ${bytes.byteLength} bytes, not a multiple of 4`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: bytes.byteLength / 4 }, (_, point) => view.getUint16(4 * point, true));
}
