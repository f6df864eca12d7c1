import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import type { FrameAssembler } from "../../perception/FrameAssembler.js";
import { allOrNone } from "../port/allOrNone.js";
import type { RosNode, RosSubscription } from "../port/RosNode.js";
import { SUBSCRIBED_TOPICS } from "./nodeTopics.js";

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

type SubscribedTopic = Pick<(typeof SUBSCRIBED_TOPICS)[keyof typeof SUBSCRIBED_TOPICS], "type" | "qos">;

/**
 * The subscriptions of transforms and CameraInfo, which are kept while the node is inactive too, so that the first
 * scan after activation finds them.
 */
export class CalibrationInputs {
  readonly #subscriptions: readonly RosSubscription[];

  constructor({
    ros,
    assembler,
    faults,
    cameraInfoTopics,
    onMessage,
    onCameraInfo,
    onTransforms,
  }: CalibrationInputsOptions) {
    const subscribe = (
      { type, qos }: SubscribedTopic,
      topic: string,
      use: (cdr: Uint8Array) => void,
    ): RosSubscription => {
      const subscription = ros.subscribe({
        topic,
        type,
        qos,
        onMessage: (cdr) => {
          onMessage(subscription.topic, type, cdr);
          try {
            use(cdr);
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
            faults.record(error.at({ topic: subscription.topic }));
          }
        },
      });
      return subscription;
    };
    const transforms = (isStatic: boolean) => (cdr: Uint8Array) => {
      try {
        assembler.addTransforms(cdr, isStatic);
      } finally {
        // The good ones of a message that has a bad one were taken.
        onTransforms();
      }
    };
    const { staticTransforms, transforms: changing, cameraInfo } = SUBSCRIBED_TOPICS;
    this.#subscriptions = allOrNone((keep) => [
      keep(subscribe(staticTransforms, staticTransforms.topic, transforms(true))),
      keep(subscribe(changing, changing.topic, transforms(false))),
      ...[...cameraInfoTopics].map(([camera, topic]) =>
        keep(
          subscribe(cameraInfo, topic, (cdr) => {
            onCameraInfo(camera);
            assembler.addCameraInfo(camera, cdr);
          }),
        ),
      ),
    ]);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.destroy();
  }
}
