import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { hasField, readColumn } from "../messages/pointColumns.js";
import type { BagReader } from "./types.js";

/**
 * Nanoseconds from a scan's stamp to its middle: half the largest per-point time (field `time`, seconds from the stamp)
 * of the first readable cloud, 0 where points have no times. A camera that looks ahead is usually triggered when the
 * spinning LiDAR looks its way, which is then the best guess for its offset.
 */
export async function scanMidpoint(reader: BagReader, cloudTopic: string): Promise<bigint> {
  for await (const { data } of reader.messages({ topics: [cloudTopic] })) {
    const cloud = decodePointCloud2(data);
    if (!hasField(cloud, "time")) return 0n;
    const times = readColumn(cloud, "time", new Float64Array(pointCount(cloud)));
    const span = times.reduce((largest, time) => (time > largest ? time : largest), 0);
    return BigInt(Math.round((span / 2) * 1e9));
  }
  return 0n;
}
