import { Worker } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import { endOnlyOutside, forgetGate } from "./endOfProcess.js";
import {
  END_OF_INFERENCE,
  type InferenceAnswer,
  type InferenceCommand,
  type InferenceWorkerData,
  type LabelRequest,
  type LabelResult,
  type LoadingReply,
} from "./inferenceProtocol.js";
import type { ModelBundle } from "./ModelBundle.js";
import { NativeCallGate } from "./NativeCallGate.js";
import type { ProviderChoice, ProviderReport } from "./providers.js";
import { type AskOptions, RequestWorker } from "./RequestWorker.js";
import { keepTelemetryOff } from "./telemetry.js";

export interface InferenceEngineOptions {
  readonly provider: ProviderChoice;
  /** Threads inside an operator; 0 lets ONNX Runtime choose. */
  readonly threads: number;
}

/** A run that has not come back by then hangs; closing waits no longer. Milliseconds. */
const CLOSING_LIMIT_MS = 60_000;

/** Threads that were given up while they hung in a run. Two threads with sessions have crashed. */
let threadsThatHang = 0;

/**
 * The main thread's handle of the inference worker. The thread is never stopped from outside: it ends by itself after its
 * current run, and the end of the process waits for that too (see NativeCallGate).
 */
export class InferenceEngine {
  readonly providerReport: ProviderReport;
  readonly #worker: RequestWorker<InferenceCommand, InferenceAnswer>;
  readonly #gate: NativeCallGate;
  #nextId = 0;

  private constructor(worker: Worker, gate: NativeCallGate, providerReport: ProviderReport) {
    this.providerReport = providerReport;
    this.#gate = gate;
    this.#worker = new RequestWorker(worker, "inference", { endMessage: END_OF_INFERENCE });
  }

  /**
   * Starts the worker, creates a session per graph and runs each once. Throws Fault("provider-unavailable") or
   * Fault("bad-bundle") with the reason.
   */
  static async start(bundle: ModelBundle, options: InferenceEngineOptions): Promise<InferenceEngine> {
    if (threadsThatHang > 0) {
      throw new Fault(
        "inference-failed",
        "an earlier run of the model has not come back from ONNX Runtime, so that no other can begin; end this process and start it again",
      );
    }
    const gate = new NativeCallGate();
    const workerData: InferenceWorkerData = {
      manifest: bundle.manifest,
      graphs: bundle.graphs,
      provider: options.provider,
      threads: options.threads,
      gate: gate.memory,
    };
    endOnlyOutside(gate);
    keepTelemetryOff();
    const worker = new Worker(new URL("./inferenceWorker.js", import.meta.url), { workerData });
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => {
        forgetGate(gate);
        resolve();
      });
    });
    try {
      return new InferenceEngine(worker, gate, await firstReply(worker));
    } catch (error) {
      worker.postMessage(END_OF_INFERENCE);
      await ended;
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
  async label(request: LabelRequest, limit: AskOptions = {}): Promise<LabelResult> {
    const { inputs, images, detection = [] } = request;
    const tensors = [...inputs, ...(images === undefined ? [] : [images]), ...detection];
    const transfer = [...new Set(tensors.map(({ data }) => data.buffer))];
    const answer = await this.#worker.ask({ id: this.#nextId++, request }, transfer, limit);
    if (answer.kind === "failed") throw new Fault(answer.code, answer.message);
    return answer.result;
  }

  /**
   * Rejects what was asked, and resolves when the thread has ended: after the run that is under way. A run that does not
   * come back is given up after a minute; no other engine can be started then.
   */
  async close(): Promise<void> {
    this.#gate.shut();
    const closed = this.#worker.close();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        threadsThatHang++;
        this.#worker.unref();
        void closed.then(() => threadsThatHang--);
        resolve();
      }, CLOSING_LIMIT_MS);
    });
    await Promise.race([closed, limit]);
    clearTimeout(timer);
  }
}

function firstReply(worker: Worker): Promise<ProviderReport> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    // Without this, a thread that ends in silence (killed for want of memory, for one) would be waited for without end.
    worker.once("exit", (code) => {
      reject(new Error(`the inference worker ended with code ${code} while it loaded the model`));
    });
    worker.once("message", (message: LoadingReply) => {
      worker.off("error", reject);
      if (message.kind === "loaded") resolve(message.report);
      else reject(new Fault(message.code, message.message));
    });
  });
}
