import { FAULTS } from "../../faults/faultTable.js";
import { clockDifference, type OtherUnit } from "../../sync/ClockDifference.js";
import type { CameraStatistics } from "../../sync/SyncLedger.js";
import type { MissingReason } from "../../sync/types.js";
import { type DiagnosticFinding, formatCounts, keyValues, type SubjectReport } from "./DiagnosticFinding.js";
import type { ValuesOf } from "./diagnosticValues.js";
import { InputMonitor, type MonitoredCamera, type MonitorTime } from "./InputMonitor.js";
import { OffsetAdvice } from "./OffsetAdvice.js";
import type { ScanInfo } from "./ScanInfo.js";
import { SlidingWindow } from "./SlidingWindow.js";

const DELTAS = 100;
/** Reasons that are told apart: those of the join and the codes of faults are fewer. */
const MAX_REASONS = 32;
/** Delays from sensor to arrival may differ by this much, seconds; what is more is a difference of clocks. */
const LARGEST_DELAY_S = 1;

const NO_MATCH: MissingReason = "no_match";

const LOOK_AT: Readonly<Record<MissingReason, string>> = {
  never_seen: "look at the driver and at the topic's name",
  inactive: "its images stopped, or come too late: look at its rate and delay",
  not_arrived: "its images come too late: make the driver faster, or raise sync.max_wait",
  no_match: "its stamps are too far from the clouds': look at the deltas, set its offset or tolerance",
  ended: "its stream has ended",
};

/** What one camera sent, and what became of it. */
export class CameraMonitor {
  readonly images: InputMonitor;
  readonly #camera: MonitoredCamera;
  readonly #deltas = new SlidingWindow(DELTAS);
  readonly #advice = new OffsetAdvice();
  /** Scans without a usable image since activation, by reason. */
  readonly #missing = new Map<string, number>();
  #scansWithImage = 0;
  #cameraInfos = 0;
  /** Since the last report. */
  #scans = 0;
  #missed = new Map<string, number>();

  constructor(input: MonitoredCamera, since: number) {
    this.#camera = input;
    this.images = new InputMonitor(input, "image", since);
  }

  cameraInfoArrived(): void {
    this.#cameraInfos++;
  }

  scanFinished({ images, missing }: ScanInfo): void {
    const { name } = this.images.input;
    this.#scans++;
    const image = images.find(({ camera }) => camera === name);
    if (image !== undefined) {
      this.#scansWithImage++;
      this.#deltas.add(Number(image.delta) / 1e6);
      this.#advice.matched();
      return;
    }
    const { reason, nearest } = missing.find(({ camera }) => camera === name) ?? {};
    if (reason === undefined) return;
    if (reason === NO_MATCH && nearest !== undefined) this.#advice.missed(nearest, this.#camera.offset());
    // A fault's sentence follows its code.
    const [code] = reason.split(":", 1);
    count(this.#missing, code!);
    count(this.#missed, code!);
  }

  restart(since: number): void {
    this.images.restart(since);
    this.#deltas.clear();
    this.#advice.clear();
    this.#missing.clear();
    this.#missed.clear();
    this.#scansWithImage = this.#cameraInfos = this.#scans = 0;
  }

  /** @param clouds the input that sets the stamps of scans */
  report(
    now: MonitorTime,
    active: boolean,
    statistics: CameraStatistics | undefined,
    clouds: InputMonitor,
  ): SubjectReport {
    const clock = active ? this.#clock(clouds) : undefined;
    const findings = [...(active ? this.#findings(now, statistics, clock) : []), ...(clock ? [clock] : [])];
    this.#scans = 0;
    this.#missed = new Map();
    const { name, topic } = this.images.input;
    return {
      title: `camera ${name}`,
      summary: active ? `${this.images.hertz(now.steady).toFixed(1)} images/s on ${topic}` : "not subscribed",
      findings,
      values: keyValues({ ...this.images.values(now, statistics), ...this.#values(statistics) }),
    };
  }

  #findings(
    { steady }: MonitorTime,
    statistics: CameraStatistics | undefined,
    clock: DiagnosticFinding | undefined,
  ): DiagnosticFinding[] {
    const silence = this.images.silence("camera-silent", steady);
    // Stamps in another unit are far from every clock, and no clock has to be synchronized for that.
    const strangeStamp = clock?.rule === "stamp-unit" ? undefined : this.images.strangeStamp("camera-stamp");
    const findings = [silence, strangeStamp].filter((finding) => finding !== undefined);
    const missed = [...this.#missed.values()].reduce((sum, misses) => sum + misses, 0);
    const inactive = statistics?.active === false;
    // Why the images are missing is said once: a silent camera has no need for a second sentence.
    if (inactive) {
      const why = silence === undefined ? `: ${lookAt(this.#mostFrequent() ?? "inactive")}` : "";
      findings.push({ rule: "camera-inactive", sentence: `inactive, scans do not wait for it${why}` });
    } else if (silence === undefined && missed * 2 > this.#scans) {
      const why = this.#mostFrequent()!;
      const advice = this.#mendOf(why, statistics) ?? lookAt(why);
      const reasons = formatCounts(this.#missed);
      findings.push({
        rule: "camera-missing",
        sentence: `${missed} of ${this.#scans} scans had no usable image (${reasons}): ${advice}`,
      });
    }
    return findings;
  }

  /** Are its stamps of another clock than the clouds', by more than its offset says? */
  #clock(clouds: InputMonitor): DiagnosticFinding | undefined {
    const difference = clockDifference(clouds.dated, this.images.dated);
    if (difference === undefined) return undefined;
    if (difference.otherUnit !== undefined) return this.#unit(clouds, difference.otherUnit);
    const offset = Number(difference.offset) / 1e9;
    if (Math.abs(offset - Number(this.#camera.offset()) / 1e9) <= LARGEST_DELAY_S) return undefined;
    const { name, topic } = this.images.input;
    const apart = `${Math.abs(offset).toFixed(3)} s ${offset < 0 ? "behind" : "ahead of"}`;
    return {
      rule: "camera-clock",
      sentence:
        `the stamps on ${topic} are ${apart} those on ${clouds.input.topic} that arrive with them: synchronize the clocks, ` +
        `or set cameras.${name}.offset to ${offset.toFixed(3)}`,
    };
  }

  #unit({ input: clouds }: InputMonitor, { of, stamps, times }: OtherUnit): DiagnosticFinding {
    const { name, topic } = this.images.input;
    const wrong =
      of === "stream"
        ? { name: `cameras.${name}`, topic }
        : { name: `clouds.${clouds.name}`, topic: clouds.topic };
    return {
      rule: "stamp-unit",
      sentence:
        `the stamps on ${wrong.topic} cover ${seconds(stamps)} s while its messages arrive over ${seconds(times)} s: they are in ` +
        `another unit (microseconds or milliseconds in place of nanoseconds): mend the driver, or set ${wrong.name}.stamps to arrival`,
    };
  }

  /** What mends a reason; undefined where only the reason itself can be said. */
  #mendOf(reason: string, statistics: CameraStatistics | undefined): string | undefined {
    if (reason === NO_MATCH) return this.#offsetAdvice(statistics?.period);
    if (reason === "camera-info-missing") return this.#camera.cameraInfoElsewhere?.();
    return reason === "transform-missing" ? this.#camera.transformsElsewhere?.() : undefined;
  }

  #offsetAdvice(period: bigint | undefined): string | undefined {
    const { name, offset, tolerance } = this.#camera;
    return this.#advice.sentence(name, { offset: offset(), tolerance: tolerance(), period });
  }

  /** The reason of most misses of the period that says more than that it is inactive. */
  #mostFrequent(): string | undefined {
    const reasons = [...this.#missed].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
    return reasons.find((reason) => reason !== "inactive") ?? reasons[0];
  }

  #values(statistics: CameraStatistics | undefined): ValuesOf<"camera"> {
    const { last } = this.#deltas;
    const nearest = this.#advice.last;
    return {
      "CameraInfo messages": String(this.#cameraInfos),
      ...(statistics && {
        Active: statistics.active ? "yes" : "no",
        Reused: String(statistics.reused),
      }),
      ...(statistics?.period !== undefined && { "Period (s)": (Number(statistics.period) / 1e9).toFixed(4) }),
      ...(last !== undefined && {
        "Last delta (ms)": last.toFixed(2),
        "Mean delta (ms)": this.#deltas.mean()!.toFixed(2),
      }),
      ...(nearest !== undefined && { "Nearest delta (ms)": (nearest / 1e6).toFixed(2) }),
      "Scans with image": String(this.#scansWithImage),
      "Scans without image": formatCounts(this.#missing),
    };
  }
}

function lookAt(reason: string): string {
  if (Object.hasOwn(LOOK_AT, reason)) return LOOK_AT[reason as MissingReason];
  return Object.hasOwn(FAULTS, reason) ? `${reason}, see docs/faults.md` : reason;
}

function seconds(nanoseconds: number): string {
  return (nanoseconds / 1e9).toPrecision(3);
}

function count(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < MAX_REASONS ? name : "other";
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
