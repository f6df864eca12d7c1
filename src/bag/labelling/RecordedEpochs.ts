import { recordedJumps } from "../../sync/recordedEpochs.js";
import { UNREADABLE, type IndexedTopic } from "./IndexedTopic.js";

/** How often time had jumped back before a message, for the topics of one recording. */
export class RecordedEpochs {
  readonly #threshold: bigint;
  /** Log times of the first clouds after a jump. */
  readonly #cloudJumps: readonly bigint[];

  /**
   * @param clouds the topic that decides what an epoch is
   * @param threshold see recordedJumps
   */
  constructor(clouds: IndexedTopic, threshold: bigint) {
    this.#threshold = threshold;
    this.#cloudJumps = this.#jumps(clouds).map((row) => clouds.logTimes[row]!);
  }

  /** The epoch of each row. */
  of(topic: IndexedTopic): Uint16Array {
    const epochs = new Uint16Array(topic.count);
    const { logTimes } = topic;
    const jumps = this.#jumps(topic);
    // A stream that jumped as often as the clouds did tells itself where; of others the log does.
    const own = jumps.length === this.#cloudJumps.length;
    let epoch = 0;
    for (let row = 0; row < epochs.length; row++) {
      while (
        epoch < this.#cloudJumps.length &&
        (own ? row >= jumps[epoch]! : logTimes[row]! >= this.#cloudJumps[epoch]!)
      ) {
        epoch++;
      }
      epochs[row] = epoch;
    }
    return epochs;
  }

  #jumps({ stamps }: IndexedTopic): number[] {
    const readable = Array.from(stamps.keys()).filter(
      (row) => stamps[row] !== UNREADABLE && stamps[row]! > 0n,
    );
    return recordedJumps(
      readable.map((row) => stamps[row]!),
      this.#threshold,
    ).map((at) => readable[at]!);
  }
}

/** The rows of a topic by epoch and stamp, without those that cannot be read. */
export function rowsByStamp({ stamps }: IndexedTopic, epochs: Uint16Array): Uint32Array {
  const rows = Uint32Array.from(stamps.keys()).filter((row) => stamps[row] !== UNREADABLE);
  // The log decides between equal stamps; a typed array's sort is stable.
  return rows.sort((a, b) => {
    const [x, y] = [stamps[a]!, stamps[b]!];
    return epochs[a]! - epochs[b]! || (x < y ? -1 : x > y ? 1 : 0);
  });
}

/** Nanoseconds by which the messages of a topic are typically logged after their stamps. */
export function typicalLag({ stamps, logTimes }: IndexedTopic): bigint {
  const lags: bigint[] = [];
  const step = Math.max(1, Math.floor(stamps.length / 1000));
  for (let row = 0; row < stamps.length; row += step) {
    if (stamps[row] !== UNREADABLE) lags.push(logTimes[row]! - stamps[row]!);
  }
  lags.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return lags[lags.length >> 1] ?? 0n;
}
