import { BoxMessages } from "../../bag/samples/BoxMessages.js";
import type { BagReader } from "../../bag/types.js";
import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { boxesOf } from "../../messages/boxDetections.js";
import { DETECTION3D_ARRAY_TYPE } from "../../messages/detection3DArray.js";
import type { SceneBox } from "../../scene/SceneIndex.js";

/** The boxes of a bag, detected and true ones, by the stamps of their scans. */
export class SceneBoxes {
  readonly topics: readonly string[];
  readonly #messages: readonly BoxMessages[];
  readonly #faults: FaultLog;

  private constructor(messages: readonly BoxMessages[], faults: FaultLog) {
    this.topics = messages.map(({ topic }) => topic);
    this.#messages = messages;
    this.#faults = faults;
  }

  /** `faults`: where messages that cannot be shown are recorded. */
  static async open(bag: BagReader, faults: FaultLog): Promise<SceneBoxes> {
    const messages: BoxMessages[] = [];
    for (const { topic, type } of bag.topics) {
      if (type === DETECTION3D_ARRAY_TYPE) messages.push(await BoxMessages.index(bag, topic, faults));
    }
    return new SceneBoxes(messages, faults);
  }

  /** Of a scan in a frame. */
  async of(stamp: bigint, frameId: string): Promise<SceneBox[]> {
    const boxes: SceneBox[] = [];
    for (const [number, messages] of this.#messages.entries()) {
      try {
        const message = await messages.of(stamp);
        if (message === undefined) continue;
        if (message.header.frameId !== frameId) {
          throw new Fault(
            "malformed-message",
            `boxes are in the frame "${message.header.frameId}", the scan's points in "${frameId}"; they are not shown`,
          );
        }
        for (const { box, className, score } of boxesOf(message)) {
          boxes.push({ topic: number, name: className, score, ...box });
        }
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#faults.record(error.at({ topic: messages.topic, stamp }));
      }
    }
    return boxes;
  }

  async close(): Promise<void> {
    for (const messages of this.#messages) await messages.close();
  }
}
