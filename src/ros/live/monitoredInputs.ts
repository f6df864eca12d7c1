import type { MonitoredInput } from "../diagnostics/InputMonitor.js";
import type { CameraSettings, CloudSettings, NodeSettings } from "../parameters/NodeSettings.js";
import type { RosNode } from "../port/RosNode.js";

/** What diagnostics watch, by the settings; names and topics of inputs do not change while the node runs. */
export function monitoredInputs(
  ros: RosNode,
  { clouds, cameras }: NodeSettings,
  publisherCount: (name: string) => number,
): { clouds: MonitoredInput[]; cameras: MonitoredInput[] } {
  const monitored = ({ name, topic, qos }: CloudSettings | CameraSettings): MonitoredInput => ({
    name,
    topic: ros.resolveTopic(topic),
    reliability: qos.reliability,
    publisherCount: () => publisherCount(name),
  });
  return { clouds: clouds.map(monitored), cameras: cameras.map(monitored) };
}
