import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import type { RosNode, RosQos, RosSubscription } from "../port/RosNode.js";
import type { Stamped } from "../../sync/types.js";
import type { SensorMessageType } from "../parameters/NodeSettings.js";
import { liveMessage, type LiveMessage } from "./LiveMessage.js";

/** A topic of clouds, depth images or images. */
export interface SensorTopic {
  /** The cloud's or camera's name in the parameters. */
  readonly name: string;
  /** As in the parameters, before remapping. */
  readonly topic: string;
  readonly type: SensorMessageType;
  readonly qos: RosQos;
}

export interface SensorInput extends SensorTopic {
  /** A message that cannot be read costs a scan here, and only an image elsewhere. */
  readonly setsScan: boolean;
  /**
   * @param message undefined when it cannot be read, which was recorded
   * @param topic fully qualified
   */
  readonly onMessage: (
    message: Stamped<LiveMessage> | undefined,
    topic: string,
    cdr: Uint8Array<ArrayBuffer>,
  ) => void;
}

/** The subscriptions of clouds and images: from activation to deactivation. */
export class SensorInputs {
  /** By the input's name. */
  readonly #subscriptions: ReadonlyMap<string, RosSubscription>;

  /** @param faults where messages that cannot be read are recorded */
  constructor(ros: RosNode, inputs: readonly SensorInput[], faults: FaultLog) {
    const subscriptions = new Map<string, RosSubscription>();
    for (const { name, topic, type, qos, setsScan, onMessage } of inputs) {
      const subscription = ros.subscribe({
        topic,
        type,
        qos,
        onMessage: (cdr) => {
          const arrivedAt = performance.now();
          let message: Stamped<LiveMessage> | undefined;
          try {
            message = liveMessage(subscription.topic, type, cdr, arrivedAt);
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
            const placed = error.at({ topic: subscription.topic });
            faults.record(setsScan ? placed.asError() : placed);
          }
          onMessage(message, subscription.topic, cdr);
        },
      });
      subscriptions.set(name, subscription);
    }
    this.#subscriptions = subscriptions;
  }

  publisherCount(name: string): number {
    return this.#subscriptions.get(name)?.publisherCount ?? 0;
  }

  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.destroy();
  }
}
