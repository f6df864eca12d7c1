/** Room to grow before the next allocation; see TableArena. */
const HEADROOM = 1.25;

type ScratchArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** The same array while it has room for `length` entries, else a larger one; contents are undefined either way. */
export function withRoom<T extends ScratchArray>(array: T, length: number): T {
  if (array.length >= length) return array;
  const Constructor = array.constructor as new (length: number) => T;
  return new Constructor(Math.ceil(length * HEADROOM));
}
