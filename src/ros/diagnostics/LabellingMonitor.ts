import type { LabellingMode } from "../../perception/FusionPolicy.js";
import type { ScanOutcome, StageTimes } from "../../perception/ScanFrame.js";
import { STAGES, stagesOf } from "../../perception/stages.js";
import type { SyncStatistics } from "../../sync/SyncLedger.js";
import { counted, type DiagnosticFinding, keyValues, type SubjectReport } from "./DiagnosticFinding.js";
import { STALLED_LATENCIES, STALLED_MS, SUPERSEDED_SHARE } from "./diagnosticRules.js";
import type { ValuesOf } from "./diagnosticValues.js";
import { RATE_WINDOW_MS, RateMeter } from "./RateMeter.js";
import { SlidingWindow } from "./SlidingWindow.js";

/** Scans over which percentiles are taken: half a minute at 10 Hz. */
const WINDOW = 300;

type ScanKind = LabellingMode | "failed";

/** How often something happened since activation, and how often it does now. */
class Occurrences {
  readonly #rate = new RateMeter();
  count = 0;

  add(now: number): void {
    this.#rate.add(now);
    this.count++;
  }

  hertz(now: number): number {
    return this.#rate.rate(now).hertz;
  }
}

export interface LabellingLimits {
  /** `diagnostics.max_latency` in milliseconds; 0 for none. */
  readonly maxLatencyMs: number;
  /** `diagnostics.min_rate` in scans per second; 0 for none. */
  readonly minRate: number;
}

export interface LabellingContext extends LabellingLimits {
  readonly active: boolean;
  /** Subscribers of the outputs that need a scan labelled. */
  readonly listeners: number;
  /** Steady milliseconds of the last cloud. */
  readonly lastCloud: number | undefined;
  readonly sync: SyncStatistics | undefined;
}

/** What is said of the last scan; not the scan itself, whose clouds would stay in memory with it. */
interface LastScan {
  readonly mode: ScanKind;
  readonly reason: string;
  readonly seenShare?: number;
}

/** What became of the scans, and how long that took. */
export class LabellingMonitor {
  #occurrences = noOccurrences();
  #labelled = new Occurrences();
  readonly #latency = new SlidingWindow(WINDOW);
  readonly #stages: Record<keyof StageTimes, SlidingWindow> = {
    decode: new SlidingWindow(WINDOW),
    geometry: new SlidingWindow(WINDOW),
    images: new SlidingWindow(WINDOW),
    projection: new SlidingWindow(WINDOW),
    imageEncoder: new SlidingWindow(WINDOW),
    backbone: new SlidingWindow(WINDOW),
    detection: new SlidingWindow(WINDOW),
    compose: new SlidingWindow(WINDOW),
  };
  #last: LastScan | undefined;
  /** Steady milliseconds of the first outcome. */
  #first: number | undefined;
  /** Steady milliseconds: since when scans should come out. */
  #expectedSince: number | undefined;
  /** Since the last report. */
  #period = emptyPeriod();
  #longest = 0;
  #superseded = 0;
  #received = 0;

  scanFinished(now: number, outcome: ScanOutcome, latencyMs: number): void {
    const kind = outcome.kind === "failed" ? "failed" : outcome.mode;
    this.#occurrences[kind].add(now);
    if (kind !== "failed") this.#labelled.add(now);
    this.#first ??= now;
    this.#last = lastScan(outcome);
    this.#expectedSince = now;
    this.#latency.add(latencyMs);
    this.#period.scans++;
    this.#longest = Math.max(this.#longest, latencyMs);
    // A report comes each second; without one, what it would count stays bounded.
    if (this.#period.latencies.length < WINDOW) this.#period.latencies.push(latencyMs);
    if (outcome.kind === "failed") {
      this.#period.failed++;
      return;
    }
    for (const [stage, ms] of stagesOf(outcome)) this.#stages[stage].add(ms);
    const implausible = outcome.faults.find(({ code }) => code === "implausible-points");
    if (implausible === undefined) return;
    this.#period.implausible++;
    this.#period.lastImplausible = implausible.message;
  }

  restart(): void {
    this.#occurrences = noOccurrences();
    this.#labelled = new Occurrences();
    this.#latency.clear();
    for (const stage of STAGES) this.#stages[stage].clear();
    this.#last = this.#first = this.#expectedSince = undefined;
    this.#period = emptyPeriod();
    this.#longest = this.#superseded = this.#received = 0;
  }

  report(now: number, context: LabellingContext): SubjectReport {
    const { active, listeners, sync } = context;
    if (!active || listeners === 0) this.#expectedSince = undefined;
    else this.#expectedSince ??= now;
    const findings = active ? this.#findings(now, context) : [];
    this.#period = emptyPeriod();
    this.#superseded = sync?.clouds.dropped.superseded ?? 0;
    this.#received = sync?.clouds.received ?? 0;
    return {
      title: "labelling",
      summary: this.#summary(now, context),
      findings,
      values: keyValues(this.#values(now, context)),
    };
  }

  #summary(now: number, { active, listeners }: LabellingContext): string {
    if (!active) return "not active";
    if (listeners === 0) return "nobody listens, so that no scan is labelled";
    if (this.#last === undefined) return "waiting for the first scan";
    return `${this.#last.mode} (${this.#last.reason}), ${this.#labelled.hertz(now).toFixed(1)} scans/s`;
  }

  #findings(now: number, context: LabellingContext): DiagnosticFinding[] {
    const { listeners, maxLatencyMs, minRate, lastCloud } = context;
    const findings: DiagnosticFinding[] = [];
    const { scans, failed, implausible, lastImplausible, latencies } = this.#period;
    const quiet = now - (this.#expectedSince ?? now);
    if (
      quiet > Math.max(STALLED_MS, STALLED_LATENCIES * this.#longest) &&
      lastCloud !== undefined &&
      now - lastCloud < STALLED_MS
    ) {
      findings.push({
        rule: "labelling-stalled",
        sentence: `no scan was finished for ${(quiet / 1000).toFixed(1)} s, though clouds come`,
      });
    }
    if (failed > 0) {
      const reason = this.#last?.mode === "failed" ? `, the last: ${this.#last.reason}` : "";
      findings.push({
        rule: failed === scans ? "all-scans-failed" : "scans-failed",
        sentence: `${failed} of ${counted(scans, "scan")} failed${reason}`,
      });
    }
    if (implausible > 0) {
      findings.push({
        rule: "points-implausible",
        sentence: `${implausible} of ${counted(scans, "scan")} made no sense, the last: ${lastImplausible}`,
      });
    }
    const late = latencies.filter((latency) => latency > maxLatencyMs).length;
    if (maxLatencyMs > 0 && late > 0) {
      findings.push({
        rule: "latency-high",
        sentence: `${late} of ${counted(latencies.length, "scan")} took longer than ${maxLatencyMs} ms, up to ${Math.max(...latencies).toFixed(0)} ms`,
      });
    }
    const hertz = this.#labelled.hertz(now);
    const measured = this.#first !== undefined && now - this.#first >= RATE_WINDOW_MS;
    if (measured && listeners > 0 && hertz < minRate) {
      findings.push({
        rule: "rate-low",
        sentence: `${hertz.toFixed(1)} scans/s are labelled, fewer than ${minRate}`,
      });
    }
    findings.push(...this.#supersededFinding(context));
    return findings;
  }

  #supersededFinding({ sync }: LabellingContext): DiagnosticFinding[] {
    if (sync === undefined) return [];
    const superseded = sync.clouds.dropped.superseded - this.#superseded;
    const received = sync.clouds.received - this.#received;
    if (superseded <= SUPERSEDED_SHARE * received || superseded <= 0) return [];
    const sentence = `${superseded} of ${counted(received, "cloud")} were overtaken by a newer one: the model is slower than the scanner`;
    return [{ rule: "scans-superseded", sentence }];
  }

  #values(now: number, { listeners, sync }: LabellingContext): ValuesOf<"labelling"> {
    const last = this.#last;
    const { fused, "image-free": imageFree, failed } = this.#occurrences;
    return {
      Mode: last?.mode,
      Reason: last?.reason,
      "Share seen": last?.seenShare?.toFixed(3),
      Listeners: String(listeners),
      "Labelled per second": this.#labelled.hertz(now).toFixed(2),
      "Fused per second": fused.hertz(now).toFixed(2),
      "Image-free per second": imageFree.hertz(now).toFixed(2),
      "Failed per second": failed.hertz(now).toFixed(2),
      Fused: String(fused.count),
      "Image-free": String(imageFree.count),
      Failed: String(failed.count),
      ...(sync && { Superseded: String(sync.clouds.dropped.superseded) }),
      "Latency p50 / p99 (ms)": percentiles(this.#latency),
      "Decode p50 / p99 (ms)": percentiles(this.#stages.decode),
      "Geometry p50 / p99 (ms)": percentiles(this.#stages.geometry),
      "Images p50 / p99 (ms)": percentiles(this.#stages.images),
      "Projection p50 / p99 (ms)": percentiles(this.#stages.projection),
      "Image encoder p50 / p99 (ms)": percentiles(this.#stages.imageEncoder),
      "Backbone p50 / p99 (ms)": percentiles(this.#stages.backbone),
      "Detection p50 / p99 (ms)": percentiles(this.#stages.detection),
      "Compose p50 / p99 (ms)": percentiles(this.#stages.compose),
    };
  }
}

function emptyPeriod(): {
  scans: number;
  failed: number;
  implausible: number;
  lastImplausible: string;
  latencies: number[];
} {
  return { scans: 0, failed: 0, implausible: 0, lastImplausible: "", latencies: [] };
}

function lastScan(outcome: ScanOutcome): LastScan {
  if (outcome.kind === "failed") return { mode: "failed", reason: outcome.fault.message };
  const { mode, reason, seenShare } = outcome;
  return { mode, reason, seenShare };
}

function noOccurrences(): Record<ScanKind, Occurrences> {
  return { fused: new Occurrences(), "image-free": new Occurrences(), failed: new Occurrences() };
}

function percentiles(window: SlidingWindow): string | undefined {
  const [p50, p99] = window.percentiles(50, 99);
  return p50 === undefined ? undefined : `${p50.toFixed(1)} / ${p99!.toFixed(1)}`;
}
