import type { Subscription } from "rxjs";
import type { FrameAssembler } from "../../perception/FrameAssembler.js";
import type { PerceptionPipeline } from "../../perception/PerceptionPipeline.js";
import type { ScanFrame, ScanOutcome } from "../../perception/ScanFrame.js";
import type { WantedOutputs } from "../../perception/WantedOutputs.js";
import { processNewest } from "../../sync/processNewest.js";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import type { Stamped, SyncedFrame } from "../../sync/types.js";
import { JoinSessions } from "./JoinSessions.js";
import type { LiveMessage } from "./LiveMessage.js";
import type { TransformWait } from "./TransformWait.js";

/** One scan is prepared while another is inferred. */
const SCANS_IN_FLIGHT = 2;

/** A scan's end, as its listeners see it. */
export interface FinishedScan {
  readonly scan: ScanFrame;
  readonly outcome: ScanOutcome;
  /** `performance.now()` when the cloud came. */
  readonly arrivedAt: number;
}

export interface LivePerceptionOptions {
  readonly pipeline: PerceptionPipeline;
  readonly assembler: FrameAssembler;
  readonly transforms: TransformWait;
  readonly sync: SyncOptions;
  readonly ledger: SyncLedger;
  /** Asked for each scan; undefined when nobody listens, and the scan is then let go. */
  readonly wanted: () => WantedOutputs | undefined;
  /** Asked for each scan, milliseconds. */
  readonly transformTimeoutMs: () => number;
  readonly onScan: (scan: FinishedScan) => void;
  /** What is no Fault: a worker has died, or a defect. Nothing is labelled any more. */
  readonly onFailure: (error: unknown) => void;
}

/** From arriving messages to labelled scans while the node is active. */
export class LivePerception {
  readonly #options: LivePerceptionOptions;
  readonly #join: JoinSessions<LiveMessage, LiveMessage>;
  readonly #subscription: Subscription;
  readonly #ended: Promise<void>;
  #closing = false;

  constructor(options: LivePerceptionOptions) {
    this.#options = options;
    this.#join = new JoinSessions(options.sync, options.ledger);
    let end: () => void;
    this.#ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#subscription = this.#join.frames
      .pipe(
        processNewest((frame) => this.#process(frame), {
          concurrency: SCANS_IN_FLIGHT,
          ledger: options.ledger,
        }),
      )
      .subscribe({
        next: (scan) => {
          if (scan !== undefined) options.onScan(scan);
        },
        error: (error: unknown) => {
          options.onFailure(error);
          end();
        },
        complete: () => {
          end();
        },
      });
  }

  /** A message of the first cloud. */
  pushCloud(cloud: Stamped<LiveMessage>): void {
    this.#join.pushCloud(cloud);
  }

  /** @param name of a camera, or of a further cloud */
  pushImage(name: string, image: Stamped<LiveMessage>): void {
    this.#join.pushImage(name, image);
  }

  /** Time jumped back: what waits is forgotten. */
  reset(): void {
    this.#join.reset();
  }

  setSync(sync: SyncOptions): void {
    this.#join.restart(sync);
  }

  /** Takes nothing more in and resolves when the scans under way are finished, with the transforms that are there. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#options.transforms.transformsCame();
    this.#join.close();
    await this.#ended;
    this.#subscription.unsubscribe();
  }

  async #process(frame: SyncedFrame<LiveMessage, LiveMessage>): Promise<FinishedScan | undefined> {
    const { pipeline, assembler, transforms, wanted, transformTimeoutMs } = this.#options;
    const outputs = wanted();
    if (outputs === undefined) return undefined;
    const awaits = (): unknown => (this.#closing ? undefined : assembler.awaits(frame));
    await transforms.until(awaits, transformTimeoutMs());
    const scan = assembler.assemble(frame);
    const outcome = await pipeline.labelFrame(scan, outputs);
    return { scan, outcome, arrivedAt: frame.cloud.arrivedAt };
  }
}
