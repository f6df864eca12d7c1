import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { decodeDetection3DArray, DETECTION3D_ARRAY_TYPE } from "../../messages/detection3DArray.js";
import { decodeHeader } from "../../messages/header.js";
import type { Detection3DArray } from "../../messages/types.js";
import { IndexedTopic, UNREADABLE } from "../labelling/IndexedTopic.js";
import { PlannedReader } from "../labelling/PlannedReader.js";
import { rowsByStamp, typicalLag } from "../labelling/RecordedEpochs.js";
import type { BagReader } from "../types.js";

/** True boxes that a bag has of its scans, found by their stamps. */
export class BoxMessages {
  readonly topic: string;
  readonly #rows: ReadonlyMap<bigint, number>;
  readonly #messages: PlannedReader<Uint8Array>;

  private constructor(reader: BagReader, index: IndexedTopic) {
    this.topic = index.topic;
    this.#rows = new Map([...index.stamps].map((stamp, row) => [stamp, row]));
    const order = rowsByStamp(index, new Uint16Array(index.count));
    this.#messages = new PlannedReader(
      reader,
      [{ index, order, lag: typicalLag(index) }],
      ({ data }) => data,
    );
  }

  /**
   * Reads the headers of all of them.
   * @param topic of vision_msgs/msg/Detection3DArray
   * @param faults where messages that cannot be read are recorded
   */
  static async index(reader: BagReader, topic: string, faults: FaultLog): Promise<BoxMessages> {
    const index = new IndexedTopic(topic);
    for await (const { data, logTime } of reader.messages({ topics: [topic] })) {
      try {
        index.add(decodeHeader(data).stamp, logTime);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        index.add(UNREADABLE, logTime);
        faults.record(error.at({ topic, logTime }));
      }
    }
    return new BoxMessages(reader, index);
  }

  /** Those of the scan of the stamp; undefined when there are none. Throws a Fault when they cannot be read. */
  async of(stamp: bigint): Promise<Detection3DArray | undefined> {
    const row = this.#rows.get(stamp);
    if (row === undefined) return undefined;
    return decodeDetection3DArray(await this.#messages.get(this.topic, row));
  }

  async close(): Promise<void> {
    await this.#messages.close();
  }
}

/** Is this a topic whose messages are boxes? */
export function holdsBoxes(reader: BagReader, wanted: string): boolean {
  return reader.topics.some(({ topic, type }) => topic === wanted && type === DETECTION3D_ARRAY_TYPE);
}
