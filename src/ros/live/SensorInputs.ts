import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { allOrNone } from "../port/allOrNone.js";
import type { RosNode } from "../port/RosNode.js";
import type { Stamped } from "../../sync/types.js";
import type { SensorMessageType, SensorQos } from "../parameters/NodeSettings.js";
import { liveMessage, type LiveMessage } from "./LiveMessage.js";
import { SensorSubscription } from "./SensorSubscription.js";

/** When publishers are looked at first after the subscription: by then DDS has told of those that are there. */
const FIRST_LOOK_MS = 200;

/** A topic of clouds, depth images or images. */
export interface SensorTopic {
  /** The cloud's or camera's name in the parameters. */
  readonly name: string;
  /** As in the parameters, before remapping. */
  readonly topic: string;
  readonly type: SensorMessageType;
  readonly qos: SensorQos;
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
  readonly #subscriptions: ReadonlyMap<string, SensorSubscription>;
  readonly #firstLook: NodeJS.Timeout;

  /** @param faults where messages that cannot be read are recorded */
  constructor(ros: RosNode, inputs: readonly SensorInput[], faults: FaultLog) {
    this.#subscriptions = allOrNone(
      (keep) => new Map(inputs.map((input) => [input.name, keep(subscribe(ros, input, faults))])),
    );
    this.#firstLook = setTimeout(() => {
      this.adaptToPublishers();
    }, FIRST_LOOK_MS);
  }

  subscription(name: string): SensorSubscription | undefined {
    return this.#subscriptions.get(name);
  }

  /** To be called now and then: ROS does not tell when publishers come and go. */
  adaptToPublishers(): void {
    for (const subscription of this.#subscriptions.values()) subscription.adaptToPublishers();
  }

  close(): void {
    clearTimeout(this.#firstLook);
    for (const subscription of this.#subscriptions.values()) subscription.destroy();
  }
}

function subscribe(
  ros: RosNode,
  { topic, type, qos, setsScan, onMessage }: SensorInput,
  faults: FaultLog,
): SensorSubscription {
  const subscription = new SensorSubscription(ros, {
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
  return subscription;
}
