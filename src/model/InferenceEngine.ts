import { Worker } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import type {
  InferenceAnswer,
  InferenceCommand,
  InferenceWorkerData,
  LabelRequest,
  LabelResult,
  LoadingReply,
} from "./inferenceProtocol.js";
import type { ModelBundle } from "./ModelBundle.js";
import type { ProviderChoice, ProviderReport } from "./providers.js";
import { RequestWorker } from "./RequestWorker.js";

export interface InferenceEngineOptions {
  readonly provider: ProviderChoice;
  /** Threads inside an operator; 0 lets ONNX Runtime choose. */
  readonly threads: number;
}

/** The main thread's handle of the inference worker. */
export class InferenceEngine {
  readonly providerReport: ProviderReport;
  readonly #worker: RequestWorker<InferenceCommand, InferenceAnswer>;
  #nextId = 0;

  private constructor(worker: Worker, providerReport: ProviderReport) {
    this.providerReport = providerReport;
    this.#worker = new RequestWorker(worker, "inference");
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

  /** Resolves, with the reason, when the worker dies of itself; never when it is closed. */
  get failed(): Promise<Error> {
    return this.#worker.failed;
  }

  /**
   * Transfers the request's tensors to the worker; they come back, with their memory, in the result. Rejects with
   * Fault("inference-failed") when ONNX Runtime cannot run the graph on them.
   */
  async label(request: LabelRequest): Promise<LabelResult> {
    const tensors = request.images === undefined ? request.inputs : [...request.inputs, request.images];
    const transfer = [...new Set(tensors.map(({ data }) => data.buffer))];
    const answer = await this.#worker.ask({ id: this.#nextId++, request }, transfer);
    if (answer.kind === "failed") throw new Fault(answer.code, answer.message);
    return answer.result;
  }

  async close(): Promise<void> {
    await this.#worker.close();
  }
}

function firstReply(worker: Worker): Promise<ProviderReport> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: LoadingReply) => {
      worker.off("error", reject);
      if (message.kind === "loaded") resolve(message.report);
      else reject(new Fault(message.code, message.message));
    });
  });
}
