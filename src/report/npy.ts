/** NumPy's .npy format, version 1.0 (numpy.lib.format): little-endian, C order. */

const DTYPES = {
  "|u1": Uint8Array,
  "<u2": Uint16Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i8": BigInt64Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

export type NpyData =
  Uint8Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | Float32Array | Float64Array;

export interface NpyArray<T extends NpyData = NpyData> {
  readonly data: T;
  readonly shape: readonly number[];
}

const MAGIC = "\x93NUMPY";
/** magic (6) + version (2) + header length (2) */
const PREFIX_BYTES = 6 + 2 + 2;
const ALIGNMENT = 64;

/** Throws a RangeError when the shape does not hold exactly the data. */
export function encodeNpy({ data, shape }: NpyArray): Uint8Array {
  const length = shape.reduce((product, extent) => product * extent, 1);
  if (length !== data.length) {
    throw new RangeError(
      `shape [${shape.join(", ")}] holds ${length} elements, the array has ${data.length}`,
    );
  }
  const descr = Object.entries(DTYPES).find(([, type]) => data instanceof type)![0];
  return Buffer.concat([
    npyHeader(`'${descr}'`, shape),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/**
 * What a .npy file begins with.
 * @param descr the dtype as Python writes it: `'<f4'`, or the list of a structured one
 * @param bytes of the header, when it replaces a longer one
 */
export function npyHeader(descr: string, shape: readonly number[], bytes = 0): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': ${descr}, 'fortran_order': False, 'shape': ${tuple}, }`;
  const unpadded = PREFIX_BYTES + dictionary.length + 1;
  const padded = Math.max(bytes, Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT);
  const header = `${dictionary}${" ".repeat(padded - unpadded)}\n`;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, "latin1");
  prefix[6] = 1;
  prefix.writeUInt16LE(header.length, 8);
  return Buffer.concat([prefix, Buffer.from(header, "latin1")]);
}

/** Reads what `encodeNpy` and `numpy.save` write for these dtypes; throws an Error that names what it found. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString("latin1", 0, 6) !== MAGIC || buffer[6] !== 1) {
    throw new Error("not a .npy file of version 1");
  }
  const headerEnd = PREFIX_BYTES + buffer.readUInt16LE(8);
  const header = buffer.toString("latin1", PREFIX_BYTES, headerEnd);
  const fields = /'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([^)]*)\)/.exec(header);
  const descr = fields?.[1];
  if (fields?.[2] !== "False" || descr === undefined || !(descr in DTYPES)) {
    throw new Error(`unsupported .npy header: ${header.trim()}`);
  }
  const shape = fields[3]!
    .split(",")
    .filter((extent) => extent.trim() !== "")
    .map(Number);
  const type = DTYPES[descr as keyof typeof DTYPES];
  const length = shape.reduce((product, extent) => product * extent, 1);
  const payload = buffer.subarray(headerEnd, headerEnd + length * type.BYTES_PER_ELEMENT);
  return { data: new type(new Uint8Array(payload).buffer), shape };
}
