import { Worker } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import type {
  InferenceCommand,
  InferenceReply,
  InferenceWorkerData,
  LabelRequest,
  LabelResult,
} from "./inferenceProtocol.js";
import type { ModelBundle } from "./ModelBundle.js";
import type { ProviderChoice, ProviderReport } from "./providers.js";

export interface InferenceEngineOptions {
  readonly provider: ProviderChoice;
  /** Threads inside an operator; 0 lets ONNX Runtime choose. */
  readonly threads: number;
}

interface Pending {
  readonly resolve: (result: LabelResult) => void;
  readonly reject: (error: unknown) => void;
}

/** The main thread's handle of the inference worker. */
export class InferenceEngine {
  readonly providerReport: ProviderReport;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #closed = false;

  private constructor(worker: Worker, providerReport: ProviderReport) {
    this.#worker = worker;
    this.providerReport = providerReport;
    worker.on("message", (message: InferenceReply) => {
      this.#settle(message);
    });
    worker.on("error", (error) => {
      this.#failAll(error);
    });
    worker.on("exit", (code) => {
      this.#closed = true;
      this.#failAll(new Error(`the inference worker ended with code ${code}`));
    });
  }

  /**
   * Starts the worker, creates a session per graph and runs each once. Throws Fault("provider-unavailable") or
   * Fault("bad-bundle") with the reason.
   */
  static async start(bundle: ModelBundle, options: InferenceEngineOptions): Promise<InferenceEngine> {
    const workerData: InferenceWorkerData = {
      manifest: bundle.manifest,
      graphs: bundle.graphs,
      provider: options.provider,
      threads: options.threads,
    };
    const worker = new Worker(new URL("./inferenceWorker.js", import.meta.url), { workerData });
    try {
      return new InferenceEngine(worker, await firstReply(worker));
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Transfers the request's tensors to the worker; they come back, with their memory, in the result. */
  label(request: LabelRequest): Promise<LabelResult> {
    if (this.#closed) return Promise.reject(new Error("the inference worker has ended"));
    const tensors = request.images === undefined ? request.inputs : [...request.inputs, request.images];
    const transfer = [...new Set(tensors.map(({ data }) => data.buffer))];
    const command: InferenceCommand = { id: this.#nextId++, request };
    return new Promise((resolve, reject) => {
      this.#pending.set(command.id, { resolve, reject });
      this.#worker.postMessage(command, transfer);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #settle(message: InferenceReply): void {
    if (message.kind === "loaded" || message.id === undefined) {
      throw new Error(`unexpected message of the inference worker: ${message.kind}`);
    }
    const pending = this.#pending.get(message.id)!;
    this.#pending.delete(message.id);
    if (message.kind === "labelled") pending.resolve(message.result);
    else pending.reject(new Fault(message.code, message.message));
  }

  #failAll(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function firstReply(worker: Worker): Promise<ProviderReport> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: InferenceReply) => {
      worker.off("error", reject);
      if (message.kind === "loaded") resolve(message.report);
      else if (message.kind === "failed") reject(new Fault(message.code, message.message));
      else reject(new Error(`unexpected first message of the inference worker: ${message.kind}`));
    });
  });
}
