import type { FaultLog } from "../faults/FaultLog.js";
import type { RunRecorder } from "../report/RunRecorder.js";
import type { StreamStatistics } from "../sync/SyncLedger.js";

/** What became of the scans of a run. */
export interface ScanAccount {
  /** Messages of the cloud's topic. */
  readonly inBag: number;
  /** Of the bag, or of the part that the run was about. */
  readonly total: number;
  readonly labelled: number;
  /** In the output, but without a label: the coordinates are not what the model takes, or no scan of the run has any. */
  readonly withoutLabels: number;
  /** Not in the output: unreadable, dropped by the join, or refused by the model. */
  readonly lost: number;
  /** Some are lost, perhaps uncounted (a split is missing, for one), or none is labelled. */
  readonly isIncomplete: boolean;
}

export interface ScanAccountInput {
  /** Messages of the cloud's topic. */
  readonly inBag: number;
  /** Was the run about the whole bag? */
  readonly isWhole: boolean;
  /** Of the join. */
  readonly clouds: StreamStatistics;
  readonly outcomes: ScanOutcomes;
  readonly faults: FaultLog;
}

/** Scans that came through, and those that did not. */
export interface ScanOutcomes {
  /** In the output. */
  readonly answered: number;
  /** See ScanAccount; they are among `answered`. */
  readonly withoutLabels: number;
  /** Refused by the model, or unreadable. */
  readonly failed: number;
}

export function outcomesOf(recorder: RunRecorder): ScanOutcomes {
  const answered = recorder.count("fused") + recorder.count("image-free");
  const { total, unlabeled } = recorder.points;
  return {
    answered,
    withoutLabels: unlabeled === total ? answered : recorder.withoutLabels,
    failed: recorder.count("failed"),
  };
}

/** Counts from both ends, so that no way of losing a scan can be forgotten: what is not labelled is lost. */
export function accountScans({ inBag, isWhole, clouds, outcomes, faults }: ScanAccountInput): ScanAccount {
  const { answered, withoutLabels, failed } = outcomes;
  const labelled = answered - withoutLabels;
  const dropped = Object.values(clouds.dropped).reduce((sum, count) => sum + count, 0);
  const counted = failed + dropped;
  const lost = isWhole ? Math.max(inBag - answered, counted) : counted;
  // Nobody knows how many were in a split that is missing, or in what is damaged.
  const isCounted = faults
    .summary()
    .every(({ code, severity }) => severity !== "error" && code !== "bag-damaged");
  return {
    inBag,
    total: answered + lost,
    labelled,
    withoutLabels,
    lost,
    isIncomplete: lost > 0 || withoutLabels > 0 || !isCounted || labelled === 0,
  };
}
