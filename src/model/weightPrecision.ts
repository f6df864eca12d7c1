/** Element types of onnx.TensorProto. */
const FLOAT = 1;
const FLOAT16 = 10;

/** One field of a Protocol Buffers message, and the place of its value's bytes. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/**
 * What most weights of an ONNX file are, from the headers of its initializers (onnx.proto: ModelProto.graph = 7,
 * GraphProto.initializer = 5, TensorProto.dims = 1, TensorProto.data_type = 2). Undefined for a file that has no
 * such weights or is no ONNX: what is wrong with it, ONNX Runtime tells.
 */
export function weightPrecision(bytes: Uint8Array): "float32" | "float16" | undefined {
  const counts = new Map<number, number>();
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
      }
      counts.set(type, (counts.get(type) ?? 0) + size);
    }
  }
  const float32 = counts.get(FLOAT) ?? 0;
  const float16 = counts.get(FLOAT16) ?? 0;
  if (float32 === 0 && float16 === 0) return undefined;
  return float16 > float32 ? "float16" : "float32";
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
