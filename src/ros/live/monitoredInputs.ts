import type { MonitoredCamera, MonitoredInput } from "../diagnostics/InputMonitor.js";
import type { CameraSettings, CloudSettings, NodeSettings } from "../parameters/NodeSettings.js";
import type { RosNode } from "../port/RosNode.js";
import type { SensorSubscription } from "./SensorSubscription.js";
import type { TopicSurvey } from "./TopicSurvey.js";

/** What is looked up at each report. */
export interface MonitoredSources {
  readonly ros: RosNode;
  /** Of the time of the call. */
  readonly settings: () => NodeSettings;
  /** Of a cloud or camera; undefined while there is none. */
  readonly subscription: (name: string) => SensorSubscription | undefined;
  readonly survey: TopicSurvey;
  /** Of a camera's last image. */
  readonly frameOf: (name: string) => string | undefined;
}

/** What diagnostics watch; names and topics of inputs do not change while the node runs. */
export function monitoredInputs({ ros, settings, subscription, survey, frameOf }: MonitoredSources): {
  clouds: MonitoredInput[];
  cameras: MonitoredCamera[];
} {
  const monitored = ({ name, topic, messageType }: CloudSettings | CameraSettings): MonitoredInput => ({
    name,
    topic: ros.resolveTopic(topic),
    reliability: () => subscription(name)?.reliability,
    subscribedAnew: () => subscription(name)?.changes ?? 0,
    offered: () => ros.offeredQos(topic, messageType).map(({ reliability }) => reliability),
  });
  const { clouds, cameras } = settings();
  return {
    clouds: clouds.map((cloud) => ({
      ...monitored(cloud),
      elsewhere: () => survey.cloudElsewhere(cloud),
    })),
    cameras: cameras.map((camera) => ({
      ...monitored(camera),
      elsewhere: () => survey.imagesElsewhere(camera),
      cameraInfoElsewhere: () => survey.cameraInfoElsewhere(camera, frameOf(camera.name)),
      transformsElsewhere: () => survey.transformsElsewhere(clouds[0].topic),
      offset: () => settings().sync.cameras.get(camera.name)!.offset,
      tolerance: () => settings().sync.cameras.get(camera.name)!.tolerance,
    })),
  };
}
