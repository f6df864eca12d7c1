import type { Worker } from "node:worker_threads";

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export interface RequestWorkerOptions {
  /**
   * What the thread ends by itself upon, when it has done what it was doing. Without it, closing stops the thread wherever
   * it is, which native code may not survive.
   */
  readonly endMessage?: unknown;
}

export interface AskOptions {
  /** A worker that has not answered by then has failed, milliseconds. Default: it may take as long as it takes. */
  readonly withinMs?: number;
}

/** A worker thread that answers each request once, by its id, until it is closed or fails. */
export class RequestWorker<Request extends { readonly id: number }, Reply extends { readonly id: number }> {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #pending = new Map<number, Pending<Reply>>();
  readonly #failed: Promise<Error>;
  readonly #endMessage: unknown;
  readonly #exited: Promise<void>;
  #reportFailure: (error: Error) => void = () => undefined;
  /** Why no request is taken any more. */
  #end: Error | undefined;

  /** @param name what the worker is, for error messages: "preparation" */
  constructor(worker: Worker, name: string, { endMessage }: RequestWorkerOptions = {}) {
    this.#worker = worker;
    this.#name = name;
    this.#endMessage = endMessage;
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        resolve();
      });
    });
    this.#failed = new Promise((resolve) => {
      this.#reportFailure = resolve;
    });
    worker.on("message", (reply: Reply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (pending === undefined) this.#fail(new Error(`the ${name} worker answered what nobody asked`));
      else pending.resolve(reply);
    });
    // A worker that has run out of memory reports so here.
    worker.on("error", (cause) => {
      this.#fail(new Error(`the ${name} worker failed: ${messageOf(cause)}`, { cause }));
    });
    worker.on("messageerror", (cause) => {
      this.#fail(new Error(`a reply of the ${name} worker cannot be read: ${cause.message}`, { cause }));
    });
    worker.on("exit", (code) => {
      this.#fail(new Error(`the ${name} worker ended with code ${code}`));
    });
  }

  /** Resolves, with the reason, when the worker dies of itself; never when it is closed. */
  get failed(): Promise<Error> {
    return this.#failed;
  }

  /** Rejects when the worker has ended, or ends before it answers, or takes longer than it may. */
  async ask(
    request: Request,
    transfer: readonly ArrayBuffer[],
    { withinMs }: AskOptions = {},
  ): Promise<Reply> {
    if (this.#end !== undefined) throw this.#end;
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
    if (withinMs === undefined) return reply;
    const timer = setTimeout(() => {
      this.#fail(new Error(`the ${this.#name} worker has not answered for ${withinMs / 1000} s`));
    }, withinMs);
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends what has no answer. */
  tell(message: unknown): void {
    this.#worker.postMessage(message);
  }

  /** Ends the thread; what was not answered is rejected at once. Resolves when the thread has ended. */
  async close(): Promise<void> {
    this.#stop(new Error(`the ${this.#name} worker was closed`));
    if (this.#endMessage === undefined) await this.#worker.terminate();
    else {
      this.#worker.postMessage(this.#endMessage);
      await this.#exited;
    }
  }

  /** The thread no longer keeps the process from ending. */
  unref(): void {
    this.#worker.unref();
  }

  #fail(error: Error): void {
    if (this.#end !== undefined) return;
    this.#stop(error);
    this.#reportFailure(error);
  }

  #stop(reason: Error): void {
    this.#end ??= reason;
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
  }
}

/** What is thrown in a worker arrives as an object that has the fields of an Error, or as whatever else it was. */
function messageOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "message" in cause
    ? String(cause.message)
    : String(cause);
}
