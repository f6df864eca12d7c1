import { CdrWriter, EncapsulationKind } from "@foxglove/cdr";
import { Fault } from "../faults/Fault.js";

export interface EncodeOptions {
  /** Byte order of the CDR stream, not of point or pixel data inside it. Default: little-endian. */
  readonly littleEndian?: boolean;
}

const utf8 = new TextEncoder();

const UINT16_MAX = 0xffff;
const UINT32_MAX = 0xffff_ffff;

/**
 * Writes one CDR message front to back. `@foxglove/cdr` writes; this adds what it does not do: UTF-8
 * strings (it counts UTF-16 units) and integer ranges (a DataView wraps silently).
 */
export class CdrOutput {
  readonly #writer: CdrWriter;
  readonly #type: string;

  /** `type` is the ROS type name, for error messages. */
  constructor(type: string, { littleEndian = true }: EncodeOptions = {}) {
    this.#type = type;
    this.#writer = new CdrWriter({
      size: 256,
      kind: littleEndian ? EncapsulationKind.CDR_LE : EncapsulationKind.CDR_BE,
    });
  }

  fault(field: string, problem: string): Fault {
    return new Fault("malformed-message", `${this.#type} ${field}: ${problem}.`);
  }

  bool(value: boolean): void {
    this.#writer.uint8(value ? 1 : 0);
  }

  uint8(value: number): void {
    this.#writer.uint8(value);
  }

  uint16(field: string, value: number): void {
    this.#checkRange(field, value, UINT16_MAX);
    this.#writer.uint16(value);
  }

  /** The caller has checked the range. */
  int32(value: number): void {
    this.#writer.int32(value);
  }

  uint32(field: string, value: number): void {
    this.#checkRange(field, value, UINT32_MAX);
    this.#writer.uint32(value);
  }

  float32(value: number): void {
    this.#writer.float32(value);
  }

  float64(value: number): void {
    this.#writer.float64(value);
  }

  float64Array(field: string, values: readonly number[], count: number): void {
    if (values.length !== count) {
      throw this.fault(field, `it has ${values.length} elements instead of ${count}`);
    }
    for (const value of values) this.#writer.float64(value);
  }

  float64Sequence(values: readonly number[]): void {
    this.#writer.sequenceLength(values.length);
    for (const value of values) this.#writer.float64(value);
  }

  string(value: string): void {
    const bytes = utf8.encode(value);
    this.#writer.uint32(bytes.length + 1);
    this.#writer.uint8Array(bytes);
    this.#writer.uint8(0);
  }

  structSequence<T>(values: readonly T[], writeOne: (value: T, index: number) => void): void {
    this.#writer.sequenceLength(values.length);
    values.forEach(writeOne);
  }

  /** The message, in a buffer of its own size. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#writer.data);
  }

  /**
   * Ends the message with a byte sequence that the caller fills in place, so that a large payload is
   * written once. `trailer` holds the bytes after the sequence (fields without alignment).
   */
  finishWithPayload(
    field: string,
    payloadBytes: number,
    trailer: readonly number[] = [],
  ): { cdr: Uint8Array<ArrayBuffer>; payload: Uint8Array<ArrayBuffer> } {
    this.uint32(field, payloadBytes);
    const prefix = this.#writer.data;
    const cdr = new Uint8Array(prefix.length + payloadBytes + trailer.length);
    cdr.set(prefix);
    cdr.set(trailer, prefix.length + payloadBytes);
    return { cdr, payload: cdr.subarray(prefix.length, prefix.length + payloadBytes) };
  }

  #checkRange(field: string, value: number, maximum: number): void {
    if (!Number.isInteger(value) || value < 0 || value > maximum) {
      throw this.fault(field, `${value} is not an integer from 0 to ${maximum}`);
    }
  }
}
