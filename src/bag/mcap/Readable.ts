import type { FileHandle } from "node:fs/promises";
import type { McapTypes } from "@mcap/core";

/** A file, or what is put together from parts of it, for McapIndexedReader. */
export type Readable = McapTypes.IReadable;

/**
 * Reads a file in buffers of their own, so that several iterations can run over one file handle, and
 * refuses ranges outside the file before it asks for memory for them.
 */
export class FileReadable implements Readable {
  readonly #handle: FileHandle;
  readonly #size: bigint;

  constructor(handle: FileHandle, size: bigint) {
    this.#handle = handle;
    this.#size = size;
  }

  size(): Promise<bigint> {
    return Promise.resolve(this.#size);
  }

  async read(offset: bigint, length: bigint): Promise<Uint8Array> {
    checkRange(offset, length, this.#size);
    const bytes = Buffer.allocUnsafeSlow(Number(length));
    for (let done = 0; done < bytes.byteLength;) {
      const { bytesRead } = await this.#handle.read(
        bytes,
        done,
        bytes.byteLength - done,
        Number(offset) + done,
      );
      if (bytesRead === 0)
        throw new Error(`the file ended at byte ${Number(offset) + done} while it was read`);
      done += bytesRead;
    }
    return new Uint8Array(bytes.buffer);
  }
}

/** A part of a `SegmentedReadable`: bytes in memory, or a range of the file. */
export type Segment = Uint8Array | { readonly offset: bigint; readonly length: bigint };

/** A file that exists only as parts of another one with bytes in between. */
export class SegmentedReadable implements Readable {
  readonly #file: Readable;
  readonly #segments: readonly Segment[];
  readonly #size: bigint;

  constructor(file: Readable, segments: readonly Segment[]) {
    this.#file = file;
    this.#segments = segments;
    this.#size = segments.reduce((sum, segment) => sum + segmentLength(segment), 0n);
  }

  size(): Promise<bigint> {
    return Promise.resolve(this.#size);
  }

  async read(offset: bigint, length: bigint): Promise<Uint8Array> {
    checkRange(offset, length, this.#size);
    const bytes = new Uint8Array(Number(length));
    let start = 0n;
    for (const segment of this.#segments) {
      const end = start + segmentLength(segment);
      const from = offset > start ? offset : start;
      const to = offset + length < end ? offset + length : end;
      if (from < to) {
        const part =
          segment instanceof Uint8Array
            ? segment.subarray(Number(from - start), Number(to - start))
            : await this.#file.read(segment.offset + from - start, to - from);
        bytes.set(part, Number(from - offset));
      }
      start = end;
    }
    return bytes;
  }
}

/** Sequential small reads out of blocks that are read ahead. */
export class WindowedReader {
  static readonly #WINDOW_BYTES = 1024 * 1024;

  readonly #file: Readable;
  readonly #size: bigint;
  #window: Uint8Array = new Uint8Array(0);
  #start = 0n;

  constructor(file: Readable, size: bigint) {
    this.#file = file;
    this.#size = size;
  }

  /** `length` bytes from `offset`, which must lie inside the file. */
  async bytes(offset: bigint, length: number): Promise<Uint8Array> {
    const end = offset + BigInt(length);
    if (offset < this.#start || end > this.#start + BigInt(this.#window.byteLength)) {
      const wanted = BigInt(Math.max(length, WindowedReader.#WINDOW_BYTES));
      const available = this.#size - offset;
      this.#window = await this.#file.read(offset, wanted < available ? wanted : available);
      this.#start = offset;
    }
    const at = Number(offset - this.#start);
    return this.#window.subarray(at, at + length);
  }
}

export function segmentLength(segment: Segment): bigint {
  return segment instanceof Uint8Array ? BigInt(segment.byteLength) : segment.length;
}

function checkRange(offset: bigint, length: bigint, size: bigint): void {
  if (offset < 0n || length < 0n || offset + length > size) {
    throw new Error(
      `bytes ${offset.toString()} to ${(offset + length).toString()} are outside the file of ${size.toString()} bytes`,
    );
  }
}
