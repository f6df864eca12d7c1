import { CdrReader } from "@foxglove/cdr";
import { Fault } from "../faults/Fault.js";

/** Representation identifier (2) + options (2), OMG DDS-RTPS 2.5 section 10.2. */
const ENCAPSULATION_BYTES = 4;

/**
 * Second byte of the representation identifiers that this project reads: plain CDR and plain CDR2, which
 * XTypes 1.3 numbers 0x06/0x07 on the wire (table 60) and 0x10/0x11 in section 7.4.3.4.
 */
const PLAIN_KINDS: ReadonlySet<number> = new Set([0x00, 0x01, 0x06, 0x07, 0x10, 0x11]);

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads one CDR message front to back, and trusts no length in it: every read is checked against the
 * bytes that are left, and a Fault("malformed-message") names the field. `@foxglove/cdr` alone would
 * return views and strings from beyond the message when the message lies inside a larger buffer.
 * Bytes after the last field are ignored, as CDR has it (DDS pads messages).
 */
export class CdrInput {
  readonly #reader: CdrReader;
  readonly #type: string;

  /** `type` is the ROS type name, for error messages. */
  constructor(cdr: Uint8Array, type: string) {
    this.#type = type;
    if (cdr.byteLength < ENCAPSULATION_BYTES) {
      throw this.fault(
        "encapsulation header",
        `the message has ${cdr.byteLength} bytes, at least ${ENCAPSULATION_BYTES} are needed`,
      );
    }
    if (cdr[0] !== 0 || !PLAIN_KINDS.has(cdr[1]!)) {
      const identifier = ((cdr[0]! << 8) | cdr[1]!).toString(16).padStart(4, "0");
      throw this.fault(
        "encapsulation header",
        `the representation is 0x${identifier}, only plain CDR (0x0000 big-endian, 0x0001 little-endian) and plain CDR2 (0x0006, 0x0007) can be read`,
      );
    }
    this.#reader = new CdrReader(cdr);
  }

  fault(field: string, problem: string): Fault {
    return new Fault("malformed-message", `${this.#type} ${field}: ${problem}.`);
  }

  bool(field: string): boolean {
    return this.uint8(field) !== 0;
  }

  uint8(field: string): number {
    this.#require(field, 1, 1);
    return this.#reader.uint8();
  }

  uint16(field: string): number {
    this.#require(field, 2, 2);
    return this.#reader.uint16();
  }

  int32(field: string): number {
    this.#require(field, 4, 4);
    return this.#reader.int32();
  }

  uint32(field: string): number {
    this.#require(field, 4, 4);
    return this.#reader.uint32();
  }

  float32(field: string): number {
    this.#require(field, 4, 4);
    return this.#reader.float32();
  }

  float64(field: string): number {
    this.#require(field, 8, this.#alignmentOf64Bits);
    return this.#reader.float64();
  }

  /** A fixed-size array of `count` doubles. */
  float64Array(field: string, count: number): number[] {
    this.#require(field, 8 * count, this.#alignmentOf64Bits);
    return Array.from({ length: count }, () => this.#reader.float64());
  }

  float64Sequence(field: string): number[] {
    const count = this.uint32(field);
    if (count === 0) return [];
    this.#require(field, 8 * count, this.#alignmentOf64Bits);
    return Array.from({ length: count }, () => this.#reader.float64());
  }

  /** The length on the wire counts the terminating zero; 0 is accepted for an empty string. */
  string(field: string): string {
    const length = this.uint32(field);
    this.#require(field, length, 1);
    const bytes = this.#reader.uint8Array(length);
    if (length > 0 && bytes[length - 1] !== 0) {
      throw this.fault(field, `the string of ${length} bytes ends in ${bytes[length - 1]!} instead of 0`);
    }
    return utf8.decode(bytes.subarray(0, Math.max(0, length - 1)));
  }

  /** `uint8[]`: a view of the message, not a copy. */
  byteSequence(field: string): Uint8Array {
    const length = this.uint32(field);
    this.#require(field, length, 1);
    return this.#reader.uint8Array(length);
  }

  /** A sequence of structs, each of which takes at least `minimumBytes` on the wire. */
  structSequence<T>(field: string, minimumBytes: number, readOne: (field: string) => T): T[] {
    // XCDR version 2 puts the size in bytes before a sequence of structs (XTypes 1.3, 7.4.3.5, rule 12).
    if (this.#reader.isCDR2) this.uint32(field);
    const count = this.uint32(field);
    this.#require(field, minimumBytes * count, 1);
    return Array.from({ length: count }, (_, index) => readOne(`${field}[${index}]`));
  }

  get #alignmentOf64Bits(): number {
    return this.#reader.isCDR2 ? 4 : 8;
  }

  #require(field: string, bytes: number, alignment: number): void {
    const { offset, byteLength } = this.#reader;
    const misalignment = (offset - ENCAPSULATION_BYTES) % alignment;
    const start = misalignment === 0 ? offset : offset + alignment - misalignment;
    if (start + bytes > byteLength) {
      throw this.fault(field, `${bytes} bytes are needed, ${Math.max(0, byteLength - start)} are left`);
    }
  }
}
