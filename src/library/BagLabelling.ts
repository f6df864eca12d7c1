import type { FailedScan, ScanWithCloud } from "../perception/ScanFrame.js";
import type { LabellingResult } from "./LabellingResult.js";
import { labellingSummary, type LabellingSummary } from "./LabellingSummary.js";

/**
 * A bag on its way to labels. The work begins with the first scan that is asked for and goes on as scans are taken; memory
 * does not grow with the bag. Its threads and files are closed when the scans have ended, when one was answered by an error,
 * and when a loop over them is left; an output whose loop is left early is not written (an `AbortSignal` ends it well).
 *
 * @example
 * for await (const scan of labelBag("drive.mcap")) console.log(scan.stamp, scan.kind);
 */
export class BagLabelling implements AsyncIterable<ScanWithCloud | FailedScan> {
  readonly #bag: string;
  readonly #scans: AsyncGenerator<ScanWithCloud | FailedScan, LabellingResult>;
  #result: LabellingResult | undefined;

  /** @param bag its name, for messages */
  constructor(bag: string, scans: AsyncGenerator<ScanWithCloud | FailedScan, LabellingResult>) {
    this.#bag = bag;
    this.#scans = scans;
  }

  /**
   * The scans that were not taken yet, in the order of their stamps: see `LabelBagOptions` and `ScanWithCloud`. A scan that
   * cannot be labelled comes as a `FailedScan`, and the next one follows.
   *
   * @throws Fault from `next`, when the bag, the model, an option or the output cannot be used
   */
  [Symbol.asyncIterator](): AsyncIterator<ScanWithCloud | FailedScan, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        // Nobody is left to be told of the result.
        await this.#scans.return(undefined as never);
        return { done: true, value: undefined };
      },
    };
  }

  /** Labels what is left, and tells what became of the whole bag: what `ditr run --json` writes. */
  async summary(): Promise<LabellingSummary> {
    return labellingSummary(await this.result());
  }

  /** As `summary`, with the objects that it is made from. */
  async result(): Promise<LabellingResult> {
    let taken: IteratorResult<unknown, undefined>;
    do taken = await this.#next();
    while (taken.done !== true);
    if (this.#result === undefined) {
      throw new Error(`the labelling of ${this.#bag} was left before its end and has no result`);
    }
    return this.#result;
  }

  async #next(): Promise<IteratorResult<ScanWithCloud | FailedScan, undefined>> {
    const taken = await this.#scans.next();
    if (taken.done !== true) return taken;
    // A generator that has ended ends again with nothing.
    this.#result ??= taken.value as LabellingResult | undefined;
    return { done: true, value: undefined };
  }
}
