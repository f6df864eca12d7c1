import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import type { OfferedQos, RosNode, RosQos, RosSubscription } from "../port/RosNode.js";
import { CAMERA_INFO_QOS, LATCHED_QOS } from "./qosProfiles.js";

/** Which subscriptions suit the publishers that there are. */
type Wanted = "volatile" | "latched" | "both";

/**
 * A subscription of CameraInfo that gets what was published once, before it was there: where a publisher keeps its last
 * message for late joiners, that is asked for. Who does not offer it would not talk to a subscription that asks, and is
 * heard by another one. ROS does not tell when publishers come and go: `adaptToPublishers` looks.
 */
export class CameraInfoSubscription {
  readonly #ros: RosNode;
  readonly #topic: string;
  readonly #onMessage: (cdr: Uint8Array<ArrayBuffer>) => void;
  #wanted: Wanted;
  #subscriptions: RosSubscription[] = [];
  /** A message of a publisher that both subscriptions hear comes twice. */
  #last: Uint8Array | undefined;

  /** @param topic not yet remapped */
  constructor(ros: RosNode, topic: string, onMessage: (cdr: Uint8Array<ArrayBuffer>) => void) {
    this.#ros = ros;
    this.#topic = topic;
    this.#onMessage = onMessage;
    this.#wanted = wantedFor(this.#offered()) ?? "volatile";
    this.#subscribe();
  }

  /** Subscribes anew where the publishers offer something else. Where all are gone, they may come back. */
  adaptToPublishers(): void {
    const wanted = wantedFor(this.#offered());
    if (wanted === undefined || wanted === this.#wanted) return;
    this.destroy();
    this.#wanted = wanted;
    this.#subscribe();
  }

  destroy(): void {
    for (const subscription of this.#subscriptions) subscription.destroy();
    this.#subscriptions = [];
  }

  #offered(): readonly OfferedQos[] {
    return this.#ros.offeredQos(this.#topic, CAMERA_INFO_TYPE);
  }

  #subscribe(): void {
    const profiles: RosQos[] = [
      ...(this.#wanted === "latched" ? [] : [CAMERA_INFO_QOS]),
      ...(this.#wanted === "volatile" ? [] : [LATCHED_QOS]),
    ];
    for (const qos of profiles) {
      const onMessage = (cdr: Uint8Array<ArrayBuffer>): void => {
        this.#receive(cdr);
      };
      this.#subscriptions.push(
        this.#ros.subscribe({ topic: this.#topic, type: CAMERA_INFO_TYPE, qos, onMessage }),
      );
    }
  }

  #receive(cdr: Uint8Array<ArrayBuffer>): void {
    if (this.#wanted === "both") {
      const isSame = this.#last !== undefined && Buffer.compare(this.#last, cdr) === 0;
      this.#last = cdr.slice();
      if (isSame) return;
    }
    this.#onMessage(cdr);
  }
}

/** undefined when there is no publisher. */
function wantedFor(offered: readonly OfferedQos[]): Wanted | undefined {
  if (offered.length === 0) return undefined;
  const latched = offered.filter(
    ({ reliability, durability }) => reliability === "reliable" && durability === "transient_local",
  ).length;
  return latched === 0 ? "volatile" : latched === offered.length ? "latched" : "both";
}
