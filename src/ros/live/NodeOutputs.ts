import { Fault } from "../../faults/Fault.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import type { LabelledScan } from "../../perception/ScanFrame.js";
import type { WantedOutputs } from "../../perception/WantedOutputs.js";
import type { PublisherOptions, RosNode, RosPublisher, RosQos } from "../port/RosNode.js";
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

const { labelled, filtered, overlay, detections, markers, labelInfo, status: statusTopic } = PUBLISHED_TOPICS;

/** The publishers of results, from configuration to clean-up. */
export class NodeOutputs {
  readonly #labelled: RosPublisher;
  readonly #filtered: RosPublisher;
  /** Absent when the node runs without its own package. */
  readonly #status: RosPublisher | undefined;
  /** Absent when the model finds no boxes, or the robot lacks vision_msgs. */
  readonly #detections: RosPublisher | undefined;
  /** Absent when the model finds no boxes, or the robot lacks visualization_msgs. */
  readonly #markers: RosPublisher | undefined;
  /** Absent when the robot lacks vision_msgs. */
  readonly #labelInfo: RosPublisher | undefined;
  readonly #overlays: ReadonlyMap<string, RosPublisher>;
  readonly #onPublish: NodeOutputsOptions["onPublish"];

  /** Throws a Fault "ros-unavailable" when ROS does not know a type. */
  constructor({ ros, qos, cameras, manifest, now, onPublish }: NodeOutputsOptions) {
    this.#onPublish = onPublish;
    const publishers = allOrNone((keep) => {
      const optional = (topic: PublisherOptions): RosPublisher | undefined => {
        const publisher = advertiseIfKnown(ros, topic);
        return publisher && keep(publisher);
      };
      const findsBoxes = manifest.detection !== undefined;
      return {
        status: optional({ ...statusTopic, qos }),
        detections: findsBoxes ? optional({ ...detections, qos }) : undefined,
        markers: findsBoxes ? optional({ ...markers, qos }) : undefined,
        labelled: keep(ros.advertise({ ...labelled, qos })),
        filtered: keep(ros.advertise({ ...filtered, qos })),
        overlays: new Map(
          cameras.map((camera) => [
            camera,
            keep(ros.advertise({ topic: overlayTopic(camera), type: overlay.type, qos })),
          ]),
        ),
        labelInfo: optional(labelInfo),
      };
    });
    this.#status = publishers.status;
    this.#labelled = publishers.labelled;
    this.#filtered = publishers.filtered;
    this.#overlays = publishers.overlays;
    this.#detections = publishers.detections;
    this.#markers = publishers.markers;
    this.#labelInfo = publishers.labelInfo;
    if (this.#labelInfo !== undefined)
      this.#publish(this.#labelInfo, labelInfo.type, labelInfoMessage(manifest, now));
  }

  /** What somebody listens to at the moment; undefined when nobody listens to anything that a scan is needed for. */
  wanted(): WantedOutputs | undefined {
    if (this.listeners === 0) return undefined;
    const overlays = new Set<string>();
    for (const [camera, publisher] of this.#overlays) {
      if (publisher.subscriberCount > 0) overlays.add(camera);
    }
    return {
      labelled: this.#labelled.subscriberCount > 0,
      filtered: this.#filtered.subscriberCount > 0,
      overlays,
      detections: (this.#detections?.subscriberCount ?? 0) > 0,
      markers: (this.#markers?.subscriberCount ?? 0) > 0,
    };
  }

  /** Subscribers of what a scan has to be labelled for. */
  get listeners(): number {
    return this.#perScan.reduce((sum, { subscriberCount }) => sum + subscriberCount, 0);
  }

  publishScan({ labelledCloud, filteredCloud, overlays, boxes }: LabelledScan): void {
    if (labelledCloud !== undefined) this.#publish(this.#labelled, labelled.type, labelledCloud);
    if (filteredCloud !== undefined) this.#publish(this.#filtered, filtered.type, filteredCloud);
    if (boxes?.detections !== undefined) this.#publish(this.#detections!, detections.type, boxes.detections);
    if (boxes?.markers !== undefined) this.#publish(this.#markers!, markers.type, boxes.markers);
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
    for (const publisher of this.#perScan) publisher.destroy();
    this.#labelInfo?.destroy();
  }

  get #perScan(): RosPublisher[] {
    const optional = [this.#status, this.#detections, this.#markers];
    return [
      this.#labelled,
      this.#filtered,
      ...optional.filter((publisher) => publisher !== undefined),
      ...this.#overlays.values(),
    ];
  }

  #publish(publisher: RosPublisher, type: string, cdr: Uint8Array): void {
    publisher.publish(cdr);
    this.#onPublish(publisher.topic, type, cdr);
  }
}

/** What the robot lacks the package of is left out, and said once: labelling needs none but sensor_msgs. */
function advertiseIfKnown(ros: RosNode, topic: PublisherOptions): RosPublisher | undefined {
  try {
    return ros.advertise(topic);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ros.log("warn", `${topic.topic} is not published: ${error.message}`);
    return undefined;
  }
}
