import { Fault } from "../faults/Fault.js";

/**
 * Why a lookup has no answer, in tf2's terms. `extrapolation-future` may be cured by waiting; the others
 * are not. `one-sample` is tf2's "only time t is in the buffer".
 */
export type TransformFaultReason =
  "unknown-frame" | "not-connected" | "extrapolation-past" | "extrapolation-future" | "one-sample";

/** A lookup that failed; its code is "transform-missing". */
export class TransformFault extends Fault {
  readonly reason: TransformFaultReason;

  constructor(reason: TransformFaultReason, message: string) {
    super("transform-missing", message);
    this.name = "TransformFault";
    this.reason = reason;
  }
}

/** "12.000000500 s", exactly. */
export function formatStamp(stamp: bigint): string {
  const nanoseconds = ((stamp % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (stamp - nanoseconds) / 1_000_000_000n;
  return `${seconds.toString()}.${nanoseconds.toString().padStart(9, "0")} s`;
}
