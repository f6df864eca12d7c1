import type { MonitoredCamera, MonitoredInput } from "../diagnostics/InputMonitor.js";
import type { CameraSettings, CloudSettings, NodeSettings } from "../parameters/NodeSettings.js";
import type { RosNode } from "../port/RosNode.js";
import type { SensorSubscription } from "./SensorSubscription.js";

/**
 * What diagnostics watch; names and topics of inputs do not change while the node runs.
 *
 * @param settings of the time of the call
 * @param subscription of a cloud or camera; undefined while there is none
 */
export function monitoredInputs(
  ros: RosNode,
  settings: () => NodeSettings,
  subscription: (name: string) => SensorSubscription | undefined,
): { clouds: MonitoredInput[]; cameras: MonitoredCamera[] } {
  const monitored = ({ name, topic, messageType }: CloudSettings | CameraSettings): MonitoredInput => ({
    name,
    topic: ros.resolveTopic(topic),
    reliability: () => subscription(name)?.reliability,
    subscribedAnew: () => subscription(name)?.changes ?? 0,
    offered: () => ros.offeredQos(topic, messageType).map(({ reliability }) => reliability),
  });
  const { clouds, cameras } = settings();
  return {
    clouds: clouds.map(monitored),
    cameras: cameras.map((camera) => ({
      ...monitored(camera),
      offset: () => settings().sync.cameras.get(camera.name)!.offset,
      tolerance: () => settings().sync.cameras.get(camera.name)!.tolerance,
    })),
  };
}
