/** A message as it is kept. */
export interface KeptMessage {
  readonly topic: string;
  readonly type: string;
  /** ROS time when it came or went, nanoseconds. */
  readonly time: bigint;
  /** Steady milliseconds at that moment. */
  readonly at: number;
  readonly byteLength: number;
  /** A copy in a buffer of the ring's own; of length 0 while a large one is in another thread. */
  cdr: Uint8Array<ArrayBuffer>;
  /** Is it being written? Its buffer is then not used for another message. */
  held: boolean;
}

export interface MessageRingOptions {
  /** Milliseconds. */
  readonly duration: number;
  readonly maxBytes: number;
  /** Gets each message that leaves, the oldest first, before its buffer is used again. */
  readonly onEvict: (message: KeptMessage) => void;
}

/** Buffers from this size on have a multiple of it, so that the next message of about the size fits. */
export const BLOCK = 65_536;
/** Buffers that wait for a message of their size. */
const MAX_SPARE = 8;

/**
 * The messages of the last seconds, as far as they fit, the oldest going first. Adding costs a copy: buffers of
 * messages that left are used again, since fresh memory costs several times the copying.
 */
export class MessageRing {
  readonly #options: MessageRingOptions;
  /** From `#first` on, oldest first. */
  #messages: (KeptMessage | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #spare: Uint8Array<ArrayBuffer>[] = [];
  #droppedForSpace = 0;
  #lastDropForSpace = -Infinity;

  constructor(options: MessageRingOptions) {
    this.#options = options;
  }

  /** Messages that left before their time, since the start. */
  get droppedForSpace(): number {
    return this.#droppedForSpace;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Were messages dropped for space that would still be in time? */
  isShortened(now: number): boolean {
    return this.#lastDropForSpace > now - this.#options.duration;
  }

  /** @param now steady milliseconds, never less than before */
  add(topic: string, type: string, cdr: Uint8Array, time: bigint, now: number): void {
    this.expire(now);
    const byteLength = cdr.byteLength;
    const capacity = capacityFor(byteLength);
    while (this.#bytes + capacity > this.#options.maxBytes && this.#first < this.#messages.length) {
      this.#droppedForSpace++;
      this.#lastDropForSpace = now;
      this.#evict();
    }
    if (capacity > this.#options.maxBytes) {
      this.#droppedForSpace++;
      this.#lastDropForSpace = now;
      return;
    }
    const copy = this.#buffer(capacity).subarray(0, byteLength);
    copy.set(cdr);
    this.#messages.push({ topic, type, time, at: now, byteLength, cdr: copy, held: false });
    this.#bytes += capacity;
  }

  /** Lets go of what is too old. */
  expire(now: number): void {
    const limit = now - this.#options.duration;
    while (this.#first < this.#messages.length && this.#messages[this.#first]!.at < limit) this.#evict();
  }

  /** What is kept now, oldest first. */
  messages(): KeptMessage[] {
    return this.#messages.slice(this.#first) as KeptMessage[];
  }

  #evict(): void {
    const message = this.#messages[this.#first]!;
    this.#messages[this.#first++] = undefined;
    this.#bytes -= capacityFor(message.byteLength);
    this.#options.onEvict(message);
    const buffer = message.cdr.buffer;
    if (!message.held && buffer.byteLength >= BLOCK) this.#spare.push(new Uint8Array(buffer));
    if (this.#spare.length > MAX_SPARE) this.#spare.shift();
    if (this.#first > 1000 && this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
  }

  #buffer(capacity: number): Uint8Array<ArrayBuffer> {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength === capacity);
    if (at >= 0) return this.#spare.splice(at, 1)[0]!;
    // Not filled with zeros, and never a part of Node's pool, which cannot be transferred.
    return Buffer.allocUnsafeSlow(capacity);
  }
}

function capacityFor(byteLength: number): number {
  return byteLength < BLOCK ? byteLength : Math.ceil(byteLength / BLOCK) * BLOCK;
}
