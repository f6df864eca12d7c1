import { Fault } from "../../faults/Fault.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import type { LabelledScan } from "../../perception/ScanFrame.js";
import type { WantedOutputs } from "../../perception/WantedOutputs.js";
import type { RosNode, RosPublisher, RosQos } from "../port/RosNode.js";
import { labelInfoMessage } from "../../perception/labelInfoMessage.js";
import { allOrNone } from "../port/allOrNone.js";
import { overlayTopic, PUBLISHED_TOPICS } from "./nodeTopics.js";

export interface NodeOutputsOptions {
  readonly ros: RosNode;
  readonly qos: RosQos;
  readonly cameras: readonly string[];
  readonly manifest: BundleManifest;
  /** ROS time, nanoseconds. */
  readonly now: bigint;
  /** Told of every message that is published. */
  readonly onPublish: (topic: string, type: string, cdr: Uint8Array) => void;
}

const { labelled, filtered, overlay, labelInfo, status: statusTopic } = PUBLISHED_TOPICS;

/** The publishers of results, from configuration to clean-up. */
export class NodeOutputs {
  readonly #labelled: RosPublisher;
  readonly #filtered: RosPublisher;
  /** Absent when the node runs without its own package. */
  readonly #status: RosPublisher | undefined;
  readonly #labelInfo: RosPublisher;
  readonly #overlays: ReadonlyMap<string, RosPublisher>;
  readonly #onPublish: NodeOutputsOptions["onPublish"];

  /** Throws a Fault "ros-unavailable" when ROS does not know a type. */
  constructor({ ros, qos, cameras, manifest, now, onPublish }: NodeOutputsOptions) {
    this.#onPublish = onPublish;
    const publishers = allOrNone((keep) => {
      const status = advertiseStatus(ros, qos);
      return {
        status: status && keep(status),
        labelled: keep(ros.advertise({ ...labelled, qos })),
        filtered: keep(ros.advertise({ ...filtered, qos })),
        overlays: new Map(
          cameras.map((camera) => [
            camera,
            keep(ros.advertise({ topic: overlayTopic(camera), type: overlay.type, qos })),
          ]),
        ),
        labelInfo: keep(ros.advertise(labelInfo)),
      };
    });
    this.#status = publishers.status;
    this.#labelled = publishers.labelled;
    this.#filtered = publishers.filtered;
    this.#overlays = publishers.overlays;
    this.#labelInfo = publishers.labelInfo;
    this.#publish(this.#labelInfo, labelInfo.type, labelInfoMessage(manifest, now));
  }

  /** What somebody listens to at the moment; undefined when nobody listens to anything that a scan is needed for. */
  wanted(): WantedOutputs | undefined {
    const wantsLabelled = this.#labelled.subscriberCount > 0;
    const wantsFiltered = this.#filtered.subscriberCount > 0;
    const overlays = new Set<string>();
    for (const [camera, publisher] of this.#overlays) {
      if (publisher.subscriberCount > 0) overlays.add(camera);
    }
    if (!wantsLabelled && !wantsFiltered && overlays.size === 0 && (this.#status?.subscriberCount ?? 0) === 0)
      return undefined;
    return { labelled: wantsLabelled, filtered: wantsFiltered, overlays };
  }

  /** Subscribers of what a scan has to be labelled for. */
  get listeners(): number {
    return this.#perScan.reduce((sum, { subscriberCount }) => sum + subscriberCount, 0);
  }

  publishScan({ labelledCloud, filteredCloud, overlays }: LabelledScan): void {
    if (labelledCloud !== undefined) this.#publish(this.#labelled, labelled.type, labelledCloud);
    if (filteredCloud !== undefined) this.#publish(this.#filtered, filtered.type, filteredCloud);
    for (const { camera, cdr } of overlays) this.#publish(this.#overlays.get(camera)!, overlay.type, cdr);
  }

  /** @param status ditr_perception/msg/ScanStatus as CDR; made only if someone listens */
  publishStatus(status: () => Uint8Array): void {
    const publisher = this.#status;
    if (publisher !== undefined && publisher.subscriberCount > 0) {
      this.#publish(publisher, statusTopic.type, status());
    }
  }

  close(): void {
    for (const publisher of [...this.#perScan, this.#labelInfo]) publisher.destroy();
  }

  get #perScan(): RosPublisher[] {
    const status = this.#status === undefined ? [] : [this.#status];
    return [this.#labelled, this.#filtered, ...status, ...this.#overlays.values()];
  }

  #publish(publisher: RosPublisher, type: string, cdr: Uint8Array): void {
    publisher.publish(cdr);
    this.#onPublish(publisher.topic, type, cdr);
  }
}

/** Everything else is a message of others, so a node that is started without its own package can do without this one. */
function advertiseStatus(ros: RosNode, qos: RosQos): RosPublisher | undefined {
  try {
    return ros.advertise({ ...statusTopic, qos });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ros.log("warn", `${statusTopic.topic} is not published: ${error.message}`);
    return undefined;
  }
}
