import type { Reliability } from "../port/RosNode.js";
import type { DatedMessages } from "../../sync/ClockDifference.js";
import { PeriodEstimator } from "../../sync/PeriodEstimator.js";
import type { StreamStatistics } from "../../sync/SyncLedger.js";
import { counted, type DiagnosticFinding, formatCounts } from "./DiagnosticFinding.js";
import {
  type DiagnosticRuleName,
  FIRST_MESSAGE_MS,
  SILENT_MS,
  SILENT_PERIODS,
  STAMP_AHEAD_S,
  STAMP_BEHIND_S,
} from "./diagnosticRules.js";
import type { ValuesOf } from "./diagnosticValues.js";

import { RateMeter } from "./RateMeter.js";

/** Messages whose stamps are compared with those of other inputs. */
const DATED_MESSAGES = 100;

/** A topic with clouds or images that the node subscribes to. */
export interface MonitoredInput {
  readonly name: string;
  /** Fully qualified, after remapping. */
  readonly topic: string;
  /** What the subscription asks for now; undefined while there is none. */
  readonly reliability: () => Reliability | undefined;
  /** How often the subscription was replaced by one of another reliability, since activation. */
  readonly subscribedAnew: () => number;
  /** What each publisher on the topic offers now. */
  readonly offered: () => readonly Reliability[];
  /** What is published in its place, when nothing is published of its type; one sentence. */
  readonly elsewhere?: () => string | undefined;
}

/** A topic with images of a camera. */
export interface MonitoredCamera extends MonitoredInput {
  /** The parameter `cameras.<name>.offset` now, nanoseconds. */
  readonly offset: () => bigint;
  /** The parameter `cameras.<name>.tolerance` now, nanoseconds. */
  readonly tolerance: () => bigint;
  /** Where CameraInfo is, when it does not come on its topic; one sentence. */
  readonly cameraInfoElsewhere?: () => string | undefined;
  /** Where transforms are, when they do not come; one sentence. */
  readonly transformsElsewhere?: () => string | undefined;
}

/** The moment of an arrival or report. */
export interface MonitorTime {
  /** Milliseconds of a clock that never goes back. */
  readonly steady: number;
  /** The node's ROS time, nanoseconds. */
  readonly ros: bigint;
}

/** What came on one topic, when, and how old it was. Each arrival costs the same; memory does not grow. */
export class InputMonitor {
  readonly input: MonitoredInput;
  readonly #noun: "cloud" | "image";
  #rate = new RateMeter();
  #period = new PeriodEstimator();
  #messages = 0;
  #since: number;
  #last: number | undefined;
  #stamp: bigint | undefined;
  /** Nanoseconds. */
  #delay: bigint | undefined;
  /** Stamps and times of arrival of the last messages, nanoseconds. */
  readonly #stamps: bigint[] = [];
  readonly #times: bigint[] = [];

  /** @param since steady milliseconds: when messages could first come */
  constructor(input: MonitoredInput, noun: "cloud" | "image", since: number) {
    this.input = input;
    this.#noun = noun;
    this.#since = since;
  }

  /** @param stamp nanoseconds; undefined when the message has none that can be read */
  arrived(now: MonitorTime, stamp: bigint | undefined, bytes: number): void {
    this.#messages++;
    this.#last = now.steady;
    this.#rate.add(now.steady, bytes);
    this.#period.add(BigInt(Math.round(now.steady * 1e6)));
    this.#stamp = stamp;
    this.#delay = stamp === undefined ? undefined : now.ros - stamp;
    if (stamp === undefined) return;
    this.#stamps.push(stamp);
    this.#times.push(now.ros);
    if (this.#stamps.length <= DATED_MESSAGES) return;
    this.#stamps.shift();
    this.#times.shift();
  }

  /** When the last messages were stamped and when they arrived. */
  get dated(): DatedMessages {
    return { stamps: this.#stamps, times: this.#times };
  }

  /** Steady milliseconds of the last message. */
  get lastArrival(): number | undefined {
    return this.#last;
  }

  /** Starts again, as when the node is activated. */
  restart(since: number): void {
    this.#rate = new RateMeter();
    this.#period = new PeriodEstimator();
    this.#messages = 0;
    this.#since = since;
    this.#last = this.#stamp = this.#delay = undefined;
    this.#stamps.length = this.#times.length = 0;
  }

  hertz(now: number): number {
    return this.#rate.rate(now).hertz;
  }

  /** "no cloud on /points for 3.2 s; 0 publishers on the topic", when that is too long. */
  silence(rule: DiagnosticRuleName, now: number): DiagnosticFinding | undefined {
    const silent = now - (this.#last ?? this.#since);
    const { median } = this.#period;
    const period = median === undefined ? 0 : Number(median) / 1e6;
    const allowed =
      this.#last === undefined ? FIRST_MESSAGE_MS : Math.max(SILENT_MS, SILENT_PERIODS * period);
    if (silent <= allowed) return undefined;
    const sentence = `no ${this.#noun} on ${this.input.topic} for ${(silent / 1000).toFixed(1)} s; ${this.#whySilent()}`;
    return { rule, sentence };
  }

  /** Is the last stamp far from this node's clock? */
  strangeStamp(rule: DiagnosticRuleName): DiagnosticFinding | undefined {
    if (this.#delay === undefined) return undefined;
    const seconds = Number(this.#delay) / 1e9;
    if (seconds <= STAMP_BEHIND_S && seconds >= -STAMP_AHEAD_S) return undefined;
    const how = seconds > 0 ? "behind" : "ahead of";
    const sentence = `the stamps on ${this.input.topic} are ${Math.abs(seconds).toFixed(1)} s ${how} this node's clock; synchronize the clocks, or set use_sim_time while a bag plays`;
    return { rule, sentence };
  }

  values({ steady, ros }: MonitorTime, statistics: StreamStatistics | undefined): ValuesOf<"cloud"> {
    const { hertz, bytesPerSecond } = this.#rate.rate(steady);
    const reliability = this.input.reliability();
    return {
      Topic: this.input.topic,
      Publishers: String(this.input.offered().length),
      ...(reliability && { Reliability: reliability }),
      "Subscribed anew": String(this.input.subscribedAnew()),
      "Actual frequency (Hz)": hertz.toFixed(2),
      "Bytes per second": bytesPerSecond.toFixed(0),
      Messages: String(this.#messages),
      ...(this.#last !== undefined && { "Last message (s)": ((steady - this.#last) / 1000).toFixed(3) }),
      ...(this.#stamp !== undefined && { "Last stamp age (s)": seconds(ros - this.#stamp) }),
      ...(this.#delay !== undefined && { "Delay at arrival (s)": seconds(this.#delay) }),
      ...(statistics && {
        Received: String(statistics.received),
        Delivered: String(statistics.delivered),
        Dropped: formatCounts(Object.entries(statistics.dropped)),
        Pending: String(statistics.pending),
      }),
    };
  }

  #whySilent(): string {
    const offered = this.input.offered();
    const there = counted(offered.length, "publisher");
    if (offered.length === 0) return this.input.elsewhere?.() ?? `${there} on the topic`;
    if (this.#last !== undefined) return `${there} on the topic, silent now`;
    // A best-effort, volatile subscription matches every publisher.
    const unmatched =
      this.input.reliability() === "reliable"
        ? offered.filter((reliability) => reliability === "best_effort").length
        : 0;
    return unmatched > 0
      ? `${there}, no message: ${unmatched} best effort while this node asks for reliable; the parameter reliability should be auto`
      : `${there}, no message: it is silent, or the DDS loses parts of large messages (socket buffers)`;
  }
}

function seconds(nanoseconds: bigint): string {
  return (Number(nanoseconds) / 1e9).toFixed(3);
}
