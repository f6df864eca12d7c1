const BYTES_PER_ENTRY = Int32Array.BYTES_PER_ELEMENT;
/** Scans of a drive differ by a few per cent; with this headroom the buffers settle after the first ones. */
const HEADROOM = 1.25;
/** No buffer is empty, so that a length of 0 always means that it was transferred. */
const MINIMUM_ENTRIES = 64;

/**
 * The memory of one scan's tables of int32 and float32: one growable buffer per table name, reused from scan to scan.
 *
 * The tables of a scan are valid until the arena is used for the next one. To hand some to another thread,
 * transfer their buffers, and `giveBack` them when the other thread is done; use another arena meanwhile. An
 * arena whose buffers never come back is still usable: it allocates again.
 */
export class TableArena {
  readonly #buffers = new Map<string, ArrayBuffer>();

  /** A view of exactly `length` entries with undefined contents; the earlier view of that name is void. */
  int32(name: string, length: number): Int32Array<ArrayBuffer> {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.byteLength < length * BYTES_PER_ENTRY || isAway(buffer)) {
      const entries = Math.max(Math.ceil(length * HEADROOM), MINIMUM_ENTRIES);
      buffer = new ArrayBuffer(entries * BYTES_PER_ENTRY);
      this.#buffers.set(name, buffer);
    }
    return new Int32Array(buffer, 0, length);
  }

  /** The same for a table of float32. */
  float32(name: string, length: number): Float32Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.int32(name, length);
    return new Float32Array(buffer, byteOffset, length);
  }

  /**
   * Takes transferred buffers back, by the names of their tables.
   * @throws RangeError when a table is not one of this arena's, or its own buffer is not away
   */
  giveBack(tables: Iterable<readonly [name: string, buffer: ArrayBuffer]>): void {
    for (const [name, buffer] of tables) {
      const own = this.#buffers.get(name);
      if (own === undefined)
        throw new RangeError(`A buffer was given back for table ${name}, which there is not.`);
      if (!isAway(own)) {
        throw new RangeError(`A buffer was given back for table ${name}, whose own buffer is not away.`);
      }
      if (isAway(buffer)) {
        throw new RangeError(`The buffer that was given back for table ${name} has itself been transferred.`);
      }
      this.#buffers.set(name, buffer);
    }
  }
}

/** Arenas taken in turn: scan n + 1 is prepared in one while the tables of scan n are in use elsewhere. */
export class TableArenaPool {
  readonly #idle: TableArena[] = [];

  /** The arena that was released last, or a new one when all are in use. */
  acquire(): TableArena {
    return this.#idle.pop() ?? new TableArena();
  }

  /**
   * Returns an arena whose tables nobody reads any more.
   * @param tables those of its transferred buffers that came back
   */
  release(arena: TableArena, tables: Iterable<readonly [name: string, buffer: ArrayBuffer]> = []): void {
    if (this.#idle.includes(arena)) throw new RangeError("An arena was released twice.");
    arena.giveBack(tables);
    this.#idle.push(arena);
  }
}

/** Was the buffer transferred to another thread? (`ArrayBuffer.detached` is not there before Node 22.) */
function isAway(buffer: ArrayBuffer): boolean {
  return buffer.byteLength === 0;
}
