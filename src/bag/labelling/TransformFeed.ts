import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import type { FrameAssembler } from "../../perception/FrameAssembler.js";
import type { BagMessage, BagReader } from "../types.js";

/**
 * How far the dynamic transforms are read ahead of the scans, nanoseconds of log time: a lookup between two
 * samples needs the later one, which is often logged after the image that it is needed for.
 */
const LEAD = 1_000_000_000n;

/** Feeds a bag's transforms: the static ones at the start, the dynamic ones a little ahead of the scans. */
export class TransformFeed {
  readonly #reader: BagReader;
  readonly #staticTopics: readonly string[];
  readonly #assembler: FrameAssembler;
  readonly #faults: FaultLog;
  readonly #dynamic: AsyncIterator<BagMessage>;
  #next: BagMessage | undefined;
  #ended: boolean;

  /** @param topics of tf2_msgs/msg/TFMessage; those whose name ends in tf_static are static */
  constructor(reader: BagReader, topics: readonly string[], assembler: FrameAssembler, faults: FaultLog) {
    this.#reader = reader;
    this.#assembler = assembler;
    this.#faults = faults;
    this.#staticTopics = topics.filter((topic) => topic.endsWith("tf_static"));
    const dynamicTopics = topics.filter((topic) => !topic.endsWith("tf_static"));
    this.#dynamic = reader.messages({ topics: dynamicTopics });
    this.#ended = dynamicTopics.length === 0;
  }

  async loadStatic(): Promise<void> {
    if (this.#staticTopics.length === 0) return;
    for await (const message of this.#reader.messages({ topics: this.#staticTopics }))
      this.#add(message, true);
  }

  /** Feeds the dynamic transforms that were logged up to a lead after this time, nanoseconds. */
  async upTo(logTime: bigint): Promise<void> {
    while (!this.#ended) {
      if (this.#next === undefined) {
        const result = await this.#dynamic.next();
        if (result.done === true) {
          this.#ended = true;
          return;
        }
        this.#next = result.value;
      }
      if (this.#next.logTime > logTime + LEAD) return;
      this.#add(this.#next, false);
      this.#next = undefined;
    }
  }

  #add({ topic, logTime, data }: BagMessage, isStatic: boolean): void {
    try {
      this.#assembler.addTransforms(data, isStatic);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#faults.record(error.at({ topic, logTime }));
    }
  }
}
