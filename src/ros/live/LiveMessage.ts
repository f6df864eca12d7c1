import { MESSAGE_TYPES } from "../../messages/messageTypes.js";
import type { SensorMessage } from "../../perception/FrameAssembler.js";
import type { Stamped } from "../../sync/types.js";
import type { SensorMessageType } from "../parameters/NodeSettings.js";

/** A cloud, depth image or image as it came over ROS. */
export interface LiveMessage extends SensorMessage {
  /** `performance.now()` when it came. */
  readonly arrivedAt: number;
}

/**
 * The whole message is checked, its payload is not looked at: garbage whose first bytes read as a stamp in the far
 * future must not reach the join, which would take the next good message for a jump of time.
 * Throws Fault("malformed-message").
 */
export function liveMessage(
  topic: string,
  type: SensorMessageType,
  cdr: Uint8Array<ArrayBuffer>,
  arrivedAt: number,
): Stamped<LiveMessage> {
  const { header } = MESSAGE_TYPES[type].decode(cdr);
  return { stamp: header.stamp, payload: { topic, type, frameId: header.frameId, cdr, arrivedAt } };
}
