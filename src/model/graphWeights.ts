/** Element types of onnx.TensorProto. */
const FLOAT = 1;
const FLOAT16 = 10;

/** One field of a Protocol Buffers message, and the place of its value's bytes. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** What the headers of an ONNX file's initializers say. */
export interface GraphWeights {
  /** Of most weights; undefined for a file that has none. */
  readonly precision: "float32" | "float16" | undefined;
  /** Other files that hold weights, as the graph names them. */
  readonly files: ReadonlySet<string>;
}

/**
 * Reads the headers of the initializers (onnx.proto: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.dims
 * = 1, .data_type = 2, .external_data = 13 with key = 1 and value = 2). A file that is no ONNX has no weights: what is
 * wrong with it, ONNX Runtime tells.
 */
export function readGraphWeights(bytes: Uint8Array): GraphWeights {
  const counts = new Map<number, number>();
  const files = new Set<string>();
  for (const graph of fields(bytes, 0, bytes.length)) {
    if (graph.number !== 7) continue;
    for (const initializer of fields(bytes, graph.start, graph.end)) {
      if (initializer.number !== 5) continue;
      let type = 0;
      let size = 1;
      for (const field of fields(bytes, initializer.start, initializer.end)) {
        if (field.number === 2) type = varint(bytes, field.start).value;
        // Each size may be a field of its own, or all lie in one.
        if (field.number === 1) for (const dimension of varints(bytes, field)) size *= dimension;
        if (field.number === 13) {
          const { key, value } = entry(bytes, field);
          if (key === "location") files.add(value);
        }
      }
      counts.set(type, (counts.get(type) ?? 0) + size);
    }
  }
  return { precision: precisionOf(counts.get(FLOAT) ?? 0, counts.get(FLOAT16) ?? 0), files };
}

function precisionOf(float32: number, float16: number): GraphWeights["precision"] {
  if (float32 === 0 && float16 === 0) return undefined;
  return float16 > float32 ? "float16" : "float32";
}

function entry(bytes: Uint8Array, { start, end }: Field): { key: string; value: string } {
  const texts = ["", "", ""];
  for (const field of fields(bytes, start, end)) {
    if (field.number === 1 || field.number === 2)
      texts[field.number] = new TextDecoder().decode(bytes.subarray(field.start, field.end));
  }
  return { key: texts[1]!, value: texts[2]! };
}

/** The fields of the message in [start, end); stops where the bytes are no message. */
function* fields(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at);
    const number = Math.floor(tag.value / 8);
    let [from, next] = [tag.next, tag.next];
    switch (tag.value % 8) {
      case 0 /* varint */:
        next = varint(bytes, from).next;
        break;
      case 1 /* 64 bits */:
        next += 8;
        break;
      case 2 /* length, then bytes */: {
        const length = varint(bytes, from);
        [from, next] = [length.next, length.next + length.value];
        break;
      }
      case 5 /* 32 bits */:
        next += 4;
        break;
      default:
        return;
    }
    if (next > end) return;
    yield { number, start: from, end: next };
    at = next;
  }
}

function* varints(bytes: Uint8Array, { start, end }: Field): Generator<number> {
  for (let at = start; at < end;) {
    const { value, next } = varint(bytes, at);
    yield value;
    at = next;
  }
}

/** Seven bits a byte, least significant first; exact below 2^53, more than any size here. */
function varint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let factor = 1;
  for (let next = at; next < bytes.length; next++) {
    const byte = bytes[next]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: next + 1 };
    factor *= 128;
  }
  return { value: 0, next: Infinity };
}
