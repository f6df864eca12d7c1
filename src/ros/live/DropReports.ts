import { Subscription } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { dropFault } from "../../sync/dropFault.js";
import type { DropCause, DroppedMessage, SyncLedger } from "../../sync/SyncLedger.js";
import { counted } from "../diagnostics/DiagnosticFinding.js";

/** /clock, clouds and images go back one after the other: what is dropped this close to a jump belongs to it. */
const AROUND_JUMP_MS = 250;
/** What a jump does to messages that come or wait around it. */
const OF_JUMP: readonly DropCause[] = ["out_of_order", "reset"];

export interface DropReportsOptions {
  readonly ledger: SyncLedger;
  readonly faults: FaultLog;
  /** @param name of a camera or further cloud; undefined for the first cloud */
  readonly topicOf: (name: string | undefined) => string;
}

/** Records what the join drops as faults; what a jump of time costs is one fault, that of the jump. */
export class DropReports {
  readonly #options: DropReportsOptions;
  readonly #subscriptions = new Subscription();
  /** That a jump may explain. */
  #held: DroppedMessage[] = [];
  #jumped = false;
  /** The largest of the jumps, nanoseconds; undefined while only the clock is known to have jumped. */
  #by: bigint | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DropReportsOptions) {
    this.#options = options;
    const { ledger } = options;
    this.#subscriptions.add(
      ledger.drops.subscribe((drop) => {
        if (OF_JUMP.includes(drop.cause)) {
          this.#held.push(drop);
          this.#startTimer();
        } else this.#record(drop);
      }),
    );
    this.#subscriptions.add(
      ledger.jumped.subscribe((by) => {
        this.#jumped = true;
        if (by !== undefined && by > (this.#by ?? 0n)) this.#by = by;
        this.#startTimer();
      }),
    );
  }

  /** Records what is still held, and nothing any more. */
  close(): void {
    this.#subscriptions.unsubscribe();
    this.#flush();
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#flush();
    }, AROUND_JUMP_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const held = this.#held;
    this.#held = [];
    for (const drop of held) this.#record(drop, this.#jumped);
    if (this.#jumped) this.#options.faults.record(new Fault("time-jumped", sentence(this.#by, held)));
    this.#jumped = false;
    this.#by = undefined;
  }

  #record(drop: DroppedMessage, ofJump = false): void {
    const { faults, topicOf } = this.#options;
    faults.record(dropFault(drop, topicOf(drop.camera), ofJump ? "info" : undefined));
  }
}

function sentence(by: bigint | undefined, held: readonly DroppedMessage[]): string {
  const what =
    by === undefined
      ? "the clock jumped back, or was switched"
      : `time jumped back by ${(Number(by) / 1e9).toFixed(3)} s`;
  if (held.length === 0) return what;
  const clouds = held.filter(({ camera }) => camera === undefined).length;
  const others = held.length - clouds;
  const lost = [clouds > 0 && counted(clouds, "cloud"), others > 0 && counted(others, "image")];
  return `${what}; dropped around it: ${lost.filter((part) => part !== false).join(" and ")}`;
}
