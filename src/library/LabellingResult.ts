import type { InputSelection } from "../bag/labelling/InputSelection.js";
import type { RecordedClocks } from "../bag/labelling/recordedClocks.js";
import type { FaultLog } from "../faults/FaultLog.js";
import type { ModelBundle } from "../model/ModelBundle.js";
import type { ProviderReport } from "../model/providers.js";
import type { RunRecorder } from "../report/RunRecorder.js";
import type { SyncStatistics } from "../sync/SyncLedger.js";
import type { ScanAccount } from "./scanAccount.js";

/** What became of a bag that was labelled. */
export interface LabellingResult {
  readonly input: string;
  /** Absent when nothing was to be written. */
  readonly output?: string;
  readonly bundle: ModelBundle;
  readonly provider: ProviderReport;
  readonly selection: InputSelection;
  readonly clocks: RecordedClocks;
  readonly recorder: RunRecorder;
  readonly sync: SyncStatistics;
  readonly faults: FaultLog;
  readonly seconds: number;
  /** Scans that the run was about, and those of them that have no labels, for whatever reason. */
  readonly scans: ScanAccount;
  /**
   * Why it ended early: the reason of the signal. The output has the scans until then, or is not there when that are none.
   */
  readonly stoppedBy?: string;
}
