import { pointLayout } from "./pointLayout.js";
import { readPointTimes, timeSpan } from "./pointTimes.js";
import type { PointCloud2 } from "./types.js";

/**
 * Nanoseconds from a scan's stamp to its middle: the mean of the first and last time of its points, 0 where they have no
 * times. A camera that looks ahead is usually triggered when the spinning LiDAR looks its way, which is then the best guess
 * for its offset. Throws Fault("malformed-message") when the times contradict the cloud.
 */
export function scanMidpoint(cloud: PointCloud2): bigint {
  const { time } = pointLayout(cloud);
  const span = time && timeSpan(readPointTimes(cloud, time));
  return span === undefined ? 0n : BigInt(Math.round((span[0] + span[1]) / 2));
}
