import type { FaultLog } from "../../faults/FaultLog.js";
import { Fault } from "../../faults/Fault.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { pointLayout } from "../../messages/pointLayout.js";
import { readPointTimes, timeSpan } from "../../messages/pointTimes.js";
import type { BagReader } from "../types.js";

/** Clouds that are tried until one can be read. */
const ATTEMPTS = 5;

/**
 * Nanoseconds from a scan's stamp to its middle: the mean of the first and last time of the points of the first readable
 * cloud, 0 where points have no times or the topic has no clouds. A camera that looks ahead is usually triggered when the
 * spinning LiDAR looks its way, which is then the best guess for its offset.
 * @param faults where it is recorded that the times cannot be used
 */
export async function scanMidpoint(
  reader: BagReader,
  cloudTopic: string,
  faults?: FaultLog,
): Promise<bigint> {
  let attempts = 0;
  for await (const { data, type } of reader.messages({ topics: [cloudTopic] })) {
    if (type !== POINT_CLOUD2_TYPE || attempts++ === ATTEMPTS) return 0n;
    try {
      const cloud = decodePointCloud2(data);
      const { time } = pointLayout(cloud);
      const span = time && timeSpan(readPointTimes(cloud, time));
      return span === undefined ? 0n : BigInt(Math.round((span[0] + span[1]) / 2));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults?.record(error.at({ topic: cloudTopic }));
    }
  }
  return 0n;
}
