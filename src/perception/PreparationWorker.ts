import { Worker } from "node:worker_threads";
import { type AskOptions, RequestWorker } from "../model/RequestWorker.js";
import type { PipelineSettings } from "./PipelineSettings.js";
import {
  deserializeFault,
  type ComposedScan,
  type PreparationCommand,
  type PreparationNotice,
  type PreparationReply,
  type PreparationWorkerData,
  type PreparedScan,
  type VoxelLabels,
} from "./preparationProtocol.js";
import type { ScanFrame } from "./ScanFrame.js";
import { SentMessages } from "./SentMessages.js";
import type { WantedOutputs } from "./WantedOutputs.js";

/** The main thread's handle of the thread that prepares scans for the model and composes what comes out. */
export class PreparationWorker {
  readonly #worker: RequestWorker<PreparationCommand, PreparationReply>;
  readonly #messages = new SentMessages();

  constructor(workerData: PreparationWorkerData) {
    const worker = new Worker(new URL("./preparationThread.js", import.meta.url), { workerData });
    this.#worker = new RequestWorker(worker, "preparation");
  }

  /** See RequestWorker. */
  get failed(): Promise<Error> {
    return this.#worker.failed;
  }

  /** Holds for the scans that are prepared from now on. */
  update(settings: PipelineSettings): void {
    this.#tell({ kind: "update", settings });
  }

  /** Takes the buffers of the frame's messages. Rejects with a Fault when the cloud cannot be read. */
  async prepare(
    id: number,
    frame: ScanFrame,
    wanted: WantedOutputs,
    limit: AskOptions = {},
  ): Promise<PreparedScan> {
    const sent = this.#messages.send(frame);
    const reply = await this.#worker.ask(
      { kind: "prepare", id, frame: sent.frame, wanted },
      sent.transfer,
      limit,
    );
    if (reply.kind !== "prepared") throw unexpected(reply);
    return reply.scan;
  }

  /** Takes the buffers of the labels. */
  async compose(id: number, labels: VoxelLabels, limit: AskOptions = {}): Promise<ComposedScan> {
    const views = [labels.label, labels.confidence, ...labels.inputs.map(({ data }) => data)];
    if (labels.logits !== undefined) views.push(labels.logits);
    if (labels.proposals !== undefined)
      views.push(labels.proposals.boxes, labels.proposals.classProbabilities);
    const buffers = [...new Set(views.map(({ buffer }) => buffer))];
    const reply = await this.#worker.ask({ kind: "compose", id, labels }, buffers, limit);
    if (reply.kind !== "composed") throw unexpected(reply);
    return reply.scan;
  }

  /** Forgets a prepared scan that will not be composed. */
  discard(id: number): void {
    this.#tell({ kind: "discard", id });
  }

  async close(): Promise<void> {
    await this.#worker.close();
  }

  #tell(notice: PreparationNotice): void {
    this.#worker.tell(notice);
  }
}

function unexpected(reply: PreparationReply): Error {
  return reply.kind === "failed"
    ? deserializeFault(reply.fault)
    : new Error(`unexpected reply of the preparation worker: ${reply.kind}`);
}
