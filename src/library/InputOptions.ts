import type { InputOverrides } from "../bag/labelling/InputSelection.js";
import type { ClockOptions } from "../bag/labelling/recordedClocks.js";

/** What the user decided about the inputs: all that changes which messages of a bag are used, and how. */
export interface InputOptions extends InputOverrides, ClockOptions {
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** Compensate motion through this frame, for example `odom`. */
  readonly fixedFrame?: string;
  /** Compensate the motion within a scan, when there is a fixed frame: true unless told. */
  readonly deskew?: boolean;
}
