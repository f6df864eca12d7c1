import type { SensorQos } from "../parameters/NodeSettings.js";
import type { Reliability, RosNode, RosSubscription, SubscriptionOptions } from "../port/RosNode.js";

export interface SensorSubscriptionOptions extends Omit<SubscriptionOptions, "qos"> {
  readonly qos: SensorQos;
}

/**
 * A subscription that with the reliability "auto" follows its publishers: reliable while all of them are, so that lost
 * parts of large messages come again, else best effort, which every publisher matches (as in Rosbag2QoS's
 * adapt_request_to_offers, rosbag2_transport/qos.cpp). ROS cannot change a subscription: it is replaced.
 */
export class SensorSubscription {
  readonly #ros: RosNode;
  readonly #options: SensorSubscriptionOptions;
  #subscription: RosSubscription;
  #reliability: Reliability;
  #changes = 0;
  /** What the log has last. */
  #told: Reliability | undefined;

  constructor(ros: RosNode, options: SensorSubscriptionOptions) {
    const { reliability } = options.qos;
    this.#ros = ros;
    this.#options = options;
    const offered = reliability === "auto" ? this.#offered() : [];
    this.#reliability = reliability === "auto" ? (adapted(offered) ?? "best_effort") : reliability;
    this.#subscription = this.#subscribe();
    if (offered.length > 0) this.#tell(offered);
  }

  /** Fully qualified, after remapping. */
  get topic(): string {
    return this.#subscription.topic;
  }

  /** That is asked for now. */
  get reliability(): Reliability {
    return this.#reliability;
  }

  /** How often the subscription was replaced. */
  get changes(): number {
    return this.#changes;
  }

  /** Subscribes anew where "auto" now means something else. Where all publishers are gone, they may come back. */
  adaptToPublishers(): void {
    if (this.#options.qos.reliability !== "auto") return;
    const offered = this.#offered();
    const reliability = adapted(offered);
    if (reliability === undefined) return;
    if (reliability !== this.#reliability) {
      // In this order no message comes twice.
      this.#subscription.destroy();
      this.#reliability = reliability;
      this.#subscription = this.#subscribe();
      this.#changes++;
    }
    this.#tell(offered);
  }

  destroy(): void {
    this.#subscription.destroy();
  }

  #offered(): readonly Reliability[] {
    const { topic, type } = this.#options;
    return this.#ros.offeredQos(topic, type).map(({ reliability }) => reliability);
  }

  #subscribe(): RosSubscription {
    const { qos, ...rest } = this.#options;
    return this.#ros.subscribe({ ...rest, qos: { ...qos, reliability: this.#reliability } });
  }

  #tell(offered: readonly Reliability[]): void {
    if (this.#told === this.#reliability) return;
    this.#told = this.#reliability;
    const bestEffort = offered.filter((reliability) => reliability === "best_effort").length;
    const line =
      bestEffort === 0
        ? "all publishers are reliable, subscribing reliably"
        : `${bestEffort} of ${offered.length} publishers best effort, subscribing best effort`;
    this.#ros.log("info", `${this.topic}: ${line}`);
  }
}

/** What suits all publishers; undefined when there is none. */
function adapted(offered: readonly Reliability[]): Reliability | undefined {
  if (offered.length === 0) return undefined;
  return offered.includes("best_effort") ? "best_effort" : "reliable";
}
