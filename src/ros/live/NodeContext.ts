import type { FaultLog } from "../../faults/FaultLog.js";
import type { NodeMonitor } from "../diagnostics/NodeMonitor.js";
import type { RosNode } from "../port/RosNode.js";
import type { RecentMessages } from "../recording/RecentMessages.js";
import type { RosTime } from "./RosTime.js";

/** What the parts of the node share from its start to its end. */
export interface NodeContext {
  readonly ros: RosNode;
  readonly time: RosTime;
  readonly faults: FaultLog;
  readonly monitor: NodeMonitor;
  readonly recent: RecentMessages;
}
