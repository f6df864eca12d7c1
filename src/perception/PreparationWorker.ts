import { Worker } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import type {
  ComposedScan,
  PreparationCommand,
  PreparationReply,
  PreparationWorkerData,
  PreparedScan,
  VoxelLabels,
} from "./preparationProtocol.js";
import type { ScanFrame } from "./ScanFrame.js";

interface Pending {
  readonly resolve: (reply: PreparationReply) => void;
  readonly reject: (error: unknown) => void;
}

/** The main thread's handle of the thread that prepares scans for the model and composes what comes out. */
export class PreparationWorker {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #failure: Error | undefined;

  constructor(workerData: PreparationWorkerData) {
    this.#worker = new Worker(new URL("./preparationThread.js", import.meta.url), { workerData });
    this.#worker.on("message", (reply: PreparationReply) => {
      const pending = this.#pending.get(reply.id)!;
      this.#pending.delete(reply.id);
      pending.resolve(reply);
    });
    this.#worker.on("error", (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("exit", (code) => {
      this.#fail(new Error(`the preparation worker ended with code ${code}`));
    });
  }

  /** Takes the buffer of the frame's first source. Rejects with a Fault when the cloud cannot be read. */
  async prepare(id: number, frame: ScanFrame): Promise<PreparedScan> {
    const reply = await this.#ask(
      { kind: "prepare", id, frame },
      frame.sources.slice(0, 1).map(({ cdr }) => cdr.buffer),
    );
    if (reply.kind !== "prepared") throw unexpected(reply);
    return reply.scan;
  }

  /** Takes the buffers of the labels. */
  async compose(id: number, labels: VoxelLabels): Promise<ComposedScan> {
    const views = [labels.label, labels.confidence, ...labels.inputs.map(({ data }) => data)];
    if (labels.logits !== undefined) views.push(labels.logits);
    const reply = await this.#ask({ kind: "compose", id, labels }, [
      ...new Set(views.map(({ buffer }) => buffer)),
    ]);
    if (reply.kind !== "composed") throw unexpected(reply);
    return reply.scan;
  }

  /** Forgets a prepared scan that will not be composed. */
  discard(id: number): void {
    const command: PreparationCommand = { kind: "discard", id };
    this.#worker.postMessage(command);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(command: PreparationCommand, transfer: ArrayBuffer[]): Promise<PreparationReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#pending.set(command.id, { resolve, reject });
      this.#worker.postMessage(command, transfer);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}

function unexpected(reply: PreparationReply): Error {
  return reply.kind === "failed"
    ? new Fault(reply.fault.code, reply.fault.message)
    : new Error(`unexpected reply of the preparation worker: ${reply.kind}`);
}
