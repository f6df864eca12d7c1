import { Fault, type FaultCode, type Severity } from "../faults/Fault.js";
import type { DropCause, DroppedMessage } from "./SyncLedger.js";

const WHY: Record<DropCause, readonly [FaultCode, reason: string]> = {
  no_match: ["dropped-no-match", "it is nearest to no cloud"],
  late: ["dropped-late", "the cloud that it belongs to had left"],
  superseded: ["dropped-superseded", "a newer one came while the model was busy"],
  queue_full: ["dropped-queue-full", "it left a full buffer before any cloud used it"],
  bad_stamp: ["dropped-bad-stamp", "its stamp is not positive"],
  out_of_order: ["dropped-out-of-order", "it is older than what was already decided"],
  duplicate: ["dropped-duplicate", "its stamp came twice"],
  reset: ["dropped-reset", "time jumped back while it was waiting"],
};

/**
 * A message that the join dropped, in the vocabulary of faults. A cloud that is dropped is a scan that is lost.
 * @param severity in place of what it costs, when that is told otherwise
 */
export function dropFault(
  { camera, stamp, cause }: DroppedMessage,
  topic: string,
  severity?: Severity,
): Fault {
  const [code, reason] = WHY[cause];
  const what = camera === undefined ? "cloud" : "image";
  const mend =
    cause === "bad_stamp"
      ? ` (${stamp.toString()} ns): take the times of its log or arrival instead (\`--stamp-by-log ${topic}\`, live \`stamps: arrival\`)`
      : cause === "late"
        ? ": raise `sync.max_wait`, or make its driver faster"
        : "";
  const message = `the ${what} is dropped, since ${reason}${mend}`;
  if (severity !== undefined) return new Fault(code, message, { severity }).at({ topic, stamp });
  const fault = new Fault(code, message).at({ topic, stamp });
  return what === "cloud" && cause !== "superseded" ? fault.asError() : fault;
}
