import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { decodeScanStatus, SCAN_STATUS_TYPE } from "../messages/scanStatus.js";
import type { SceneLabelling } from "../scene/SceneIndex.js";

/** How scans were labelled, by stamp, as the live node says it on its topic of status; empty where the bag has none. */
export async function recordedLabelling(
  bag: BagReader,
  faults: FaultLog,
): Promise<ReadonlyMap<bigint, SceneLabelling>> {
  const topics = bag.topics.filter(({ type }) => type === SCAN_STATUS_TYPE).map(({ topic }) => topic);
  const labelling = new Map<bigint, SceneLabelling>();
  if (topics.length === 0) return labelling;
  for await (const { topic, logTime, data } of bag.messages({ topics })) {
    try {
      const status = decodeScanStatus(data);
      labelling.set(status.header.stamp, {
        mode: status.mode,
        reason: status.reason,
        seenShare: status.seenShare,
        stages: [
          ["decode", status.decodeMs],
          ["geometry", status.geometryMs],
          ["images", status.imagesMs],
          ["projection", status.projectionMs],
          ["imageEncoder", status.imageEncoderMs],
          ["backbone", status.backboneMs],
          ...(status.detectionMs > 0 ? [["detection", status.detectionMs] as const] : []),
          ["compose", status.composeMs],
        ],
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.record(error.at({ topic, logTime }));
    }
  }
  return labelling;
}
