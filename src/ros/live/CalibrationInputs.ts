import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import type { FrameAssembler } from "../../perception/FrameAssembler.js";
import { allOrNone } from "../port/allOrNone.js";
import type { RosNode, RosSubscription } from "../port/RosNode.js";
import { CameraInfoSubscription } from "./CameraInfoSubscription.js";
import { SUBSCRIBED_TOPICS } from "./nodeTopics.js";

/** When publishers are looked at first after the subscription: by then DDS has told of those that are there. */
const FIRST_LOOK_MS = 200;

export interface CalibrationInputsOptions {
  readonly ros: RosNode;
  readonly assembler: FrameAssembler;
  readonly faults: FaultLog;
  /** CameraInfo topics, by the name that the assembler knows the camera by. */
  readonly cameraInfoTopics: ReadonlyMap<string, string>;
  /** Told of every message, before it is used. */
  readonly onMessage: (topic: string, type: string, cdr: Uint8Array) => void;
  /** @param camera as in `cameraInfoTopics` */
  readonly onCameraInfo: (camera: string) => void;
  readonly onTransforms: () => void;
}

type SubscribedTopic = (typeof SUBSCRIBED_TOPICS)["staticTransforms" | "transforms"];

/**
 * The subscriptions of transforms and CameraInfo, which are kept while the node is inactive too, so that the first
 * scan after activation finds them.
 */
export class CalibrationInputs {
  readonly #transforms: readonly RosSubscription[];
  readonly #cameraInfos: readonly CameraInfoSubscription[];
  readonly #firstLook: NodeJS.Timeout;

  constructor({
    ros,
    assembler,
    faults,
    cameraInfoTopics,
    onMessage,
    onCameraInfo,
    onTransforms,
  }: CalibrationInputsOptions) {
    /** @param topic of the subscription, fully qualified */
    const receive =
      (topic: () => string, type: string, use: (cdr: Uint8Array) => void) => (cdr: Uint8Array) => {
        onMessage(topic(), type, cdr);
        try {
          use(cdr);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          faults.record(error.at({ topic: topic() }));
        }
      };
    const subscribe = (
      { topic, type, qos }: SubscribedTopic,
      use: (cdr: Uint8Array) => void,
    ): RosSubscription => {
      const subscription: RosSubscription = ros.subscribe({
        topic,
        type,
        qos,
        onMessage: receive(() => subscription.topic, type, use),
      });
      return subscription;
    };
    const subscribeToCameraInfo = (camera: string, topic: string): CameraInfoSubscription => {
      const use = (cdr: Uint8Array): void => {
        onCameraInfo(camera);
        assembler.addCameraInfo(camera, cdr);
      };
      const resolved = ros.resolveTopic(topic);
      return new CameraInfoSubscription(
        ros,
        topic,
        receive(() => resolved, CAMERA_INFO_TYPE, use),
      );
    };
    const { staticTransforms, transforms: changing } = SUBSCRIBED_TOPICS;
    const transforms = (isStatic: boolean) => (cdr: Uint8Array) => {
      try {
        assembler.addTransforms(cdr, isStatic);
      } finally {
        // The good ones of a message that has a bad one were taken.
        for (const conflict of assembler.takeTransformConflicts()) {
          faults.record(conflict.at({ topic: isStatic ? staticTransforms.topic : changing.topic }));
        }
        onTransforms();
      }
    };
    [this.#transforms, this.#cameraInfos] = allOrNone((keep) => [
      [keep(subscribe(staticTransforms, transforms(true))), keep(subscribe(changing, transforms(false)))],
      [...cameraInfoTopics].map(([camera, topic]) => keep(subscribeToCameraInfo(camera, topic))),
    ]);
    this.#firstLook = setTimeout(() => {
      this.adaptToPublishers();
    }, FIRST_LOOK_MS);
  }

  /** To be called now and then: ROS does not tell when publishers come and go. */
  adaptToPublishers(): void {
    for (const subscription of this.#cameraInfos) subscription.adaptToPublishers();
  }

  close(): void {
    clearTimeout(this.#firstLook);
    for (const subscription of [...this.#transforms, ...this.#cameraInfos]) subscription.destroy();
  }
}
