import type { Fault } from "../../../faults/Fault.js";
import type { RecordedMessage } from "../../RecordedMessage.js";

/** A recording of a public data set as ROS messages. */
export interface DataSetRecording {
  /** Scans (or depth images) that `messages()` will try to read. */
  readonly scanCount: number;
  /** Scans of the data set may be missing among these, since what lists them is damaged. */
  readonly mayLackScans?: boolean;
  /** What is skipped, and why; reading adds to it. */
  readonly warnings: readonly Fault[];
  /**
   * All messages in the order of their stamps. A frame that cannot be used is skipped with a warning.
   * @throws Fault `data-set-unreadable` when no scan can be read at all
   */
  messages(): AsyncGenerator<RecordedMessage, void, void>;
}
