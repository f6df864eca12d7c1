/**
 * Lets one thread into native code, and another thread see that it is there, or shut it out. A thread that is ended inside
 * a call of onnxruntime-node takes the whole process with it (an abort, since the addon throws where nothing can catch it),
 * so whoever ends a thread or the process shuts the gate first and waits until the thread is outside.
 */
export class NativeCallGate {
  /** To be handed to the other thread: its gate is made of the same memory. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  get isShut(): boolean {
    return Atomics.load(this.#cells, SHUT) === 1;
  }

  /**
   * Runs a call inside; one at a time.
   * @throws GateShutError without having called, when the gate is shut
   */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    // First the claim, then the look at the gate: who shuts it does the same two steps the other way round.
    Atomics.store(this.#cells, INSIDE, 1);
    try {
      if (this.isShut) throw new GateShutError();
      return await call();
    } finally {
      Atomics.store(this.#cells, INSIDE, 0);
      Atomics.notify(this.#cells, INSIDE);
    }
  }

  /** No call starts from now on; one that is inside goes on. */
  shut(): void {
    Atomics.store(this.#cells, SHUT, 1);
  }

  /**
   * Blocks the calling thread until nobody is inside.
   * @returns false when somebody still is after `limitMs` milliseconds
   */
  waitUntilOutside(limitMs: number): boolean {
    return (
      Atomics.load(this.#cells, INSIDE) === 0 || Atomics.wait(this.#cells, INSIDE, 1, limitMs) !== "timed-out"
    );
  }
}

/** The gate was shut before a call could begin. */
export class GateShutError extends Error {
  constructor() {
    super("the thread is to end, and calls into native code are over");
    this.name = "GateShutError";
  }
}

const INSIDE = 0;
const SHUT = 1;
