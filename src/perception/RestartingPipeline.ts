import { Fault } from "../faults/Fault.js";
import type { ProviderReport } from "../model/providers.js";
import { mapInOrder } from "../sync/mapInOrder.js";
import { PerceptionPipeline, SCANS_IN_FLIGHT, type PerceptionPipelineOptions } from "./PerceptionPipeline.js";
import type { FailedScan, ScanFrame, ScanWithCloud } from "./ScanFrame.js";
import { OUTPUTS_OF_BAGS } from "./WantedOutputs.js";

/** As often is started anew; whatever kills every scan's thread must not go on for the length of a bag. */
const MOST_RESTARTS = 5;
/**
 * A restart is forgiven when so many scans in a row were labelled since: a long bag may have more of them. On a slow machine
 * a scan takes seconds, so that a larger number would add up deaths that are minutes apart.
 */
const FORGIVEN_AFTER_SCANS = 10;

/**
 * A pipeline for recordings that goes on when one of its threads dies: the scans that were under way are lost and come
 * out as failed, with the reason, and those after them are labelled by a new pipeline.
 */
export class RestartingPipeline {
  readonly #options: PerceptionPipelineOptions;
  /** The one that takes scans; rejects when it cannot be started. */
  #current: Promise<PerceptionPipeline>;
  #providerReport: ProviderReport;
  #restarts = 0;
  #labelledSince = 0;
  /** Why the last pipeline failed. */
  #reason = "";
  #closed = false;

  private constructor(options: PerceptionPipelineOptions, first: PerceptionPipeline) {
    this.#options = options;
    this.#current = Promise.resolve(first);
    this.#providerReport = first.providerReport;
  }

  /** Throws a Fault when the model does not load with the provider. */
  static async start(options: PerceptionPipelineOptions): Promise<RestartingPipeline> {
    return new RestartingPipeline(options, await PerceptionPipeline.start(options));
  }

  get providerReport(): ProviderReport {
    return this.#providerReport;
  }

  /**
   * As PerceptionPipeline.label. A thread that dies again and again ends it with a Fault "labelling-interrupted".
   */
  label(frames: AsyncIterable<ScanFrame>): AsyncGenerator<ScanWithCloud | FailedScan> {
    return mapInOrder(frames, (frame) => this.#labelFrame(frame), { concurrency: SCANS_IN_FLIGHT });
  }

  /** Ends the threads; frames under way are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    // One that could not be started has nothing to close.
    const current = await this.#current.catch(() => undefined);
    await current?.close();
  }

  async #labelFrame(frame: ScanFrame): Promise<ScanWithCloud | FailedScan> {
    const { stamp, topic } = frame;
    const current = this.#current;
    const pipeline = await current;
    try {
      const outcome = await pipeline.labelFrame(frame, OUTPUTS_OF_BAGS);
      if (++this.#labelledSince >= FORGIVEN_AFTER_SCANS) this.#restarts = 0;
      return outcome;
    } catch (cause) {
      if (this.#closed) throw cause;
      // The first of the scans that were lost together has it started anew.
      if (this.#current === current) this.#restart(pipeline, cause);
      const sentence = `the scan is lost, since ${this.#reason}; labelling goes on with new threads`;
      const fault = new Fault("labelling-interrupted", sentence, { cause }).at({ topic, stamp });
      return { kind: "failed", stamp, topic, fault };
    }
  }

  #restart(failed: PerceptionPipeline, cause: unknown): void {
    this.#labelledSince = 0;
    this.#reason = cause instanceof Error ? cause.message : String(cause);
    const next = this.#next(failed);
    // The scan that comes next throws it.
    next.catch(() => undefined);
    this.#current = next;
  }

  async #next(failed: PerceptionPipeline): Promise<PerceptionPipeline> {
    // Two inference threads at once would need the memory twice.
    await failed.close();
    if (this.#restarts >= MOST_RESTARTS) {
      const sentence = `labelling is given up after it was started anew ${MOST_RESTARTS} times: ${this.#reason}`;
      throw new Fault("labelling-interrupted", sentence);
    }
    this.#restarts++;
    const pipeline = await PerceptionPipeline.start(this.#options);
    this.#providerReport = pipeline.providerReport;
    return pipeline;
  }
}
