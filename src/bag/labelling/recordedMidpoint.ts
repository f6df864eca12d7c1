import type { FaultLog } from "../../faults/FaultLog.js";
import { Fault } from "../../faults/Fault.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { scanMidpoint } from "../../messages/scanMidpoint.js";
import type { BagReader } from "../types.js";

/** Clouds that are tried until one can be read. */
const ATTEMPTS = 5;

/**
 * `scanMidpoint` of the first readable cloud of a topic, nanoseconds; 0 where it has none.
 * @param faults where it is recorded that the times cannot be used
 */
export async function recordedMidpoint(
  reader: BagReader,
  cloudTopic: string,
  faults?: FaultLog,
): Promise<bigint> {
  let attempts = 0;
  for await (const { data, type } of reader.messages({ topics: [cloudTopic] })) {
    if (type !== POINT_CLOUD2_TYPE || attempts++ === ATTEMPTS) return 0n;
    try {
      return scanMidpoint(decodePointCloud2(data));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults?.record(error.at({ topic: cloudTopic }));
    }
  }
  return 0n;
}
