import type { FaultSummary } from "../faults/FaultLog.js";
import { LatencyStatistics } from "../evaluation/LatencyStatistics.js";
import type { LabelledScan, ScanOutcome, StageTimes } from "../perception/ScanFrame.js";
import { STAGES, stagesOf } from "../perception/stages.js";

/** Consecutive scans that were labelled alike. */
export interface ModeSpan {
  /** Numbers of the first and last scan, from 1. */
  readonly first: number;
  readonly last: number;
  readonly mode: "fused" | "image-free" | "failed";
  readonly reason: string;
}

/** One scan in the JSON summary. */
export interface ScanRecord {
  /** Nanoseconds; a string, since JSON numbers would lose digits. */
  readonly stamp: string;
  readonly mode: "fused" | "image-free" | "failed";
  readonly reason: string;
  readonly images: readonly { readonly camera: string; readonly delta_ms: number }[];
  readonly missing: readonly { readonly camera: string; readonly reason: string }[];
  readonly seen_share?: number;
  readonly points?: number;
  readonly voxels?: number;
  readonly unlabeled?: number;
  readonly no_return?: number;
  /** Absent when the model finds none. */
  readonly boxes?: number;
  readonly stage_ms?: StageTimes;
}

export interface StageSummary {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Collects what happened to each scan of a run, for the summary on the terminal and in JSON. */
export class RunRecorder {
  readonly #scans: ScanRecord[] = [];
  readonly #stages = new Map(STAGES.map((stage) => [stage, new LatencyStatistics()]));
  readonly #classes = new Map<number, number>();
  readonly #boxes = new Map<string, number>();
  /** By camera: how many images labels were made with, and the stamp of the last. */
  readonly #usedImages = new Map<string, { count: number; last: bigint }>();
  #points = 0;
  #unlabeled = 0;
  #noReturn = 0;
  #withoutLabels = 0;

  add(outcome: ScanOutcome): void {
    const stamp = outcome.stamp.toString();
    if (outcome.kind === "failed") {
      const { code, message } = outcome.fault;
      this.#scans.push({ stamp, mode: "failed", reason: `${code}: ${message}`, images: [], missing: [] });
      return;
    }
    this.#scans.push({
      stamp,
      mode: outcome.mode,
      reason: outcome.reason,
      images: outcome.imagesUsed.map(({ camera, delta }) => ({ camera, delta_ms: Number(delta) / 1e6 })),
      missing: outcome.missing.map(({ camera, reason }) => ({ camera, reason })),
      seen_share: outcome.seenShare,
      points: outcome.pointCount,
      voxels: outcome.voxelCount,
      unlabeled: outcome.unlabeledCount,
      no_return: outcome.noReturnCount,
      ...(outcome.boxes && { boxes: outcome.boxes.found.length }),
      stage_ms: outcome.times,
    });
    for (const { camera, stamp: taken } of outcome.imagesUsed) {
      const used = this.#usedImages.get(camera);
      // An image that serves several scans is one image.
      if (used?.last !== taken) this.#usedImages.set(camera, { count: (used?.count ?? 0) + 1, last: taken });
    }
    for (const [stage, ms] of stagesOf(outcome)) this.#stages.get(stage)!.add(ms);
    for (const { className } of outcome.boxes?.found ?? [])
      this.#boxes.set(className, (this.#boxes.get(className) ?? 0) + 1);
    for (const [id, count] of outcome.classCounts)
      this.#classes.set(id, (this.#classes.get(id) ?? 0) + count);
    this.#points += outcome.pointCount;
    this.#unlabeled += outcome.unlabeledCount;
    this.#noReturn += outcome.noReturnCount;
    if (isWithoutLabels(outcome)) this.#withoutLabels++;
  }

  get scans(): readonly ScanRecord[] {
    return this.#scans;
  }

  count(mode: ScanRecord["mode"]): number {
    return this.#scans.filter((scan) => scan.mode === mode).length;
  }

  /** Scans that the model could make nothing of, though their points were measured: none of them has a label. */
  get withoutLabels(): number {
    return this.#withoutLabels;
  }

  /** Images of a camera that labels were made with: neither those that were lost nor those of image-free scans. */
  imagesUsed(camera: string): number {
    return this.#usedImages.get(camera)?.count ?? 0;
  }

  /** Points in all, those without a label, and those among them that are no returns. */
  get points(): { readonly total: number; readonly unlabeled: number; readonly no_return: number } {
    return { total: this.#points, unlabeled: this.#unlabeled, no_return: this.#noReturn };
  }

  /** Boxes per class, of all scans. */
  get boxCounts(): ReadonlyMap<string, number> {
    return this.#boxes;
  }

  /** Points per class id. */
  get classCounts(): ReadonlyMap<number, number> {
    return this.#classes;
  }

  modeSpans(): ModeSpan[] {
    const spans: ModeSpan[] = [];
    this.#scans.forEach(({ mode, reason }, index) => {
      const current = spans.at(-1);
      if (current?.mode === mode && current.reason === reason)
        spans[spans.length - 1] = { ...current, last: index + 1 };
      else spans.push({ first: index + 1, last: index + 1, mode, reason });
    });
    return spans;
  }

  /** Milliseconds per stage, in the order in which a scan goes through them. */
  stageSummaries(): ReadonlyMap<keyof StageTimes, StageSummary> {
    return new Map(
      [...this.#stages].flatMap(([stage, statistics]) => {
        const summary = statistics.summary();
        return summary === undefined
          ? []
          : [[stage, { p50: summary.p50, p95: summary.p95, max: summary.max }]];
      }),
    );
  }
}

/** Clouds that are empty, or hold no return, have nothing that could be labelled, and are whole as they are. */
function isWithoutLabels({ pointCount, unlabeledCount, faults }: LabelledScan): boolean {
  return (
    unlabeledCount === pointCount &&
    faults.some(({ code, severity }) => code === "implausible-points" && severity === "error")
  );
}

/** Faults as lines for the terminal: the count and the first message of each code that cost something. */
export function faultLines(faults: readonly FaultSummary[]): string[] {
  return faults
    .filter(({ severity }) => severity !== "info")
    .map(
      ({ severity, code, count, messages }) => `${severity} ${code}: ${count}, first: ${messages[0] ?? ""}`,
    );
}
