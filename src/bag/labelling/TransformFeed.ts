import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import type { FrameAssembler } from "../../perception/FrameAssembler.js";
import type { BagMessage, BagReader } from "../types.js";
import { SaidOnce } from "../../perception/SaidOnce.js";
import { impossibleStamp } from "./impossibleStamps.js";
import { type IndexedTopic } from "./IndexedTopic.js";
import { isStaticTf } from "./frameTree.js";
import { PlannedReader } from "./PlannedReader.js";
import { type RecordedEpochs, rowsByStamp, typicalLag } from "./RecordedEpochs.js";
import type { RecordingIndex } from "./RecordingIndex.js";

/**
 * How far the dynamic transforms are read ahead of the scans, nanoseconds of their stamps: a lookup between two
 * samples needs the later one. Well below what a TransformBuffer keeps.
 */
const LEAD = 4_000_000_000n;
/** Bytes of transforms that are kept because they were logged before they are needed. */
const BUDGET = 32 * 1024 * 1024;

interface DynamicTopic {
  readonly index: IndexedTopic;
  readonly epochs: Uint16Array;
  /** Rows by epoch and stamp. */
  readonly order: Uint32Array;
  next: number;
}

export interface TransformFeedOptions {
  readonly reader: BagReader;
  /** Of tf2_msgs/msg/TFMessage; those whose name ends in tf_static are static. */
  readonly topics: readonly string[];
  readonly index: RecordingIndex;
  readonly epochs: RecordedEpochs;
  /** Topics whose transforms have the log times of their messages in place of their stamps. */
  readonly stampedByLog?: ReadonlySet<string>;
  readonly assembler: FrameAssembler;
  readonly faults: FaultLog;
}

/**
 * Feeds a bag's transforms: the static ones at the start, the dynamic ones a little ahead of the scans, by their stamps
 * and whenever they were logged.
 */
export class TransformFeed {
  readonly #options: TransformFeedOptions;
  readonly #dynamic: readonly DynamicTopic[];
  readonly #messages: PlannedReader<BagMessage>;
  #epoch = 0;

  constructor(options: TransformFeedOptions) {
    this.#options = options;
    const { reader, index, epochs } = options;
    this.#dynamic = [...index.transforms.values()].map((topic) => {
      const ofTopic = epochs.of(topic);
      return { index: topic, epochs: ofTopic, order: rowsByStamp(topic, ofTopic), next: 0 };
    });
    const planned = this.#dynamic.map(({ index: topic, order }) => ({
      index: topic,
      order,
      lag: typicalLag(topic),
    }));
    this.#messages = new PlannedReader(reader, planned, (message) => message, BUDGET);
  }

  async loadStatic(): Promise<void> {
    const { reader, topics } = this.#options;
    const staticTopics = topics.filter(isStaticTf);
    if (staticTopics.length === 0) return;
    const said = new SaidOnce();
    for await (const message of reader.messages({ topics: staticTopics })) {
      this.#add(message, true);
      const odd = impossibleStamp(message);
      for (const fault of said.first(message.topic, odd ? [odd] : [])) this.#options.faults.record(fault);
    }
  }

  /** Feeds the dynamic transforms up to a lead after a scan's time, nanoseconds of its epoch. */
  async upTo(epoch: number, stamp: bigint): Promise<void> {
    if (epoch !== this.#epoch) this.#options.assembler.beginEpoch(epoch);
    this.#epoch = epoch;
    for (const topic of this.#dynamic) {
      const { index, epochs, order } = topic;
      for (; topic.next < order.length; topic.next++) {
        const row = order[topic.next]!;
        if (epochs[row]! > epoch || (epochs[row] === epoch && index.stamps[row]! > stamp + LEAD)) break;
        if (epochs[row] === epoch) this.#add(await this.#messages.get(index.topic, row), false);
      }
    }
  }

  async close(): Promise<void> {
    await this.#messages.close();
  }

  #add({ topic, logTime, data }: BagMessage, isStatic: boolean): void {
    const { assembler, faults, stampedByLog } = this.#options;
    try {
      assembler.addTransforms(data, isStatic, stampedByLog?.has(topic) === true ? logTime : undefined);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.record(error.at({ topic, logTime }));
    }
  }
}
