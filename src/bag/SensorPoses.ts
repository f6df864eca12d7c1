import { Fault } from "../faults/Fault.js";
import { decodeTFMessage, TF_MESSAGE_TYPE } from "../messages/tfMessage.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import { isStaticTf } from "./labelling/frameTree.js";
import type { BagReader } from "./types.js";

/** Nanoseconds: longer than any recording. */
const ALL_OF_IT = 10n ** 18n;

/** Where the sensors of a recording were, in the frame above all others. */
export class SensorPoses {
  readonly #transforms = new TransformBuffer({ cacheLength: ALL_OF_IT });
  #fixed: string | undefined;

  private constructor() {
    // `read` makes them.
  }

  /** Reads all transforms of a bag; those that cannot be read are passed over. */
  static async read(bag: BagReader, topics?: readonly string[]): Promise<SensorPoses> {
    const poses = new SensorPoses();
    const wanted = bag.topics
      .filter(({ topic, type }) => type === TF_MESSAGE_TYPE && (topics?.includes(topic) ?? true))
      .map(({ topic }) => topic);
    if (wanted.length === 0) return poses;
    for await (const { topic, data } of bag.messages({ topics: wanted })) {
      try {
        poses.#transforms.add(decodeTFMessage(data), isStaticTf(topic));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
    return poses;
  }

  /**
   * From a frame at a time to the frame above all others: 16 doubles, column-major; undefined where that is not known, or
   * nothing is above the frame. The first answer decides which frame it is.
   */
  at(frame: string, stamp: bigint): Float64Array | undefined {
    try {
      this.#fixed ??= this.#transforms.rootOf(frame, stamp);
      return this.#fixed === frame ? undefined : this.#transforms.lookup(this.#fixed, frame, stamp);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return undefined;
    }
  }
}
