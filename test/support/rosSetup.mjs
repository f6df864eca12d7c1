import { existsSync, readdirSync } from "node:fs";

/** setup.bash of the ROS 2 that is there; "" when one is sourced already, undefined when there is none. */
export function rosSetup() {
  if (process.env.ROS_DISTRO && process.env.AMENT_PREFIX_PATH) return "";
  const distributions = existsSync("/opt/ros") ? readdirSync("/opt/ros") : [];
  return distributions.map((name) => `/opt/ros/${name}/setup.bash`).find((file) => existsSync(file));
}
