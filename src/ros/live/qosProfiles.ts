import type { RosQos } from "../port/RosNode.js";

/** tf2_ros's listener: /tf may come in bursts from many broadcasters. */
export const TRANSFORMS_QOS: RosQos = { reliability: "reliable", durability: "volatile", depth: 100 };
/** tf2_ros's listener: static transforms are latched by each of their broadcasters. */
export const STATIC_TRANSFORMS_QOS: RosQos = {
  reliability: "reliable",
  durability: "transient_local",
  depth: 100,
};
/** rclcpp::ClockQoS: only the newest time matters. */
export const CLOCK_QOS: RosQos = { reliability: "best_effort", durability: "volatile", depth: 1 };
/** CameraInfo comes with every image; the newest is enough. */
export const CAMERA_INFO_QOS: RosQos = { reliability: "best_effort", durability: "volatile", depth: 1 };
/** The last message for every late joiner. */
export const LATCHED_QOS: RosQos = { reliability: "reliable", durability: "transient_local", depth: 1 };
/** diagnostic_updater's */
export const DIAGNOSTICS_QOS: RosQos = { reliability: "reliable", durability: "volatile", depth: 1 };
