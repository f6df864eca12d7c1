import type { MonitoredInput } from "../diagnostics/InputMonitor.js";
import type { CameraSettings, CloudSettings, NodeSettings } from "../parameters/NodeSettings.js";
import type { RosNode } from "../port/RosNode.js";
import type { SensorSubscription } from "./SensorSubscription.js";

/**
 * What diagnostics watch, by the settings; names and topics of inputs do not change while the node runs.
 *
 * @param subscription of a cloud or camera; undefined while there is none
 */
export function monitoredInputs(
  ros: RosNode,
  { clouds, cameras }: NodeSettings,
  subscription: (name: string) => SensorSubscription | undefined,
): { clouds: MonitoredInput[]; cameras: MonitoredInput[] } {
  const monitored = ({ name, topic, messageType }: CloudSettings | CameraSettings): MonitoredInput => ({
    name,
    topic: ros.resolveTopic(topic),
    reliability: () => subscription(name)?.reliability,
    subscribedAnew: () => subscription(name)?.changes ?? 0,
    offered: () => ros.publisherReliabilities(topic, messageType),
  });
  return { clouds: clouds.map(monitored), cameras: cameras.map(monitored) };
}
