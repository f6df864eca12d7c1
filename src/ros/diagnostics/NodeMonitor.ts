import type { Fault } from "../../faults/Fault.js";
import type { DiagnosticArray, DiagnosticStatus } from "../../messages/types.js";
import type { ScanOutcome } from "../../perception/ScanFrame.js";
import type { SyncStatistics } from "../../sync/SyncLedger.js";
import { CameraMonitor } from "./CameraMonitor.js";
import { keyValues, levelOf, messageOf, type SubjectReport } from "./DiagnosticFinding.js";
import { EventLoopMonitor } from "./EventLoopMonitor.js";
import { FaultMonitor } from "./FaultMonitor.js";
import { FindingLog, type FindingLogOptions } from "./FindingLog.js";
import { HostMonitor, type HostReading } from "./HostMonitor.js";
import { InputMonitor, type MonitoredCamera, type MonitoredInput, type MonitorTime } from "./InputMonitor.js";
import { LabellingMonitor, type LabellingLimits } from "./LabellingMonitor.js";
import { modelReport, type ModelSnapshot } from "./modelReport.js";
import type { ScanInfo } from "./ScanInfo.js";
import { SyncReporter } from "./SyncReporter.js";

export interface NodeMonitorOptions {
  /** Without its namespace: statuses are named "<node>: <subject>", as diagnostic_updater does. */
  readonly nodeName: string;
  /** Tells robots apart in an aggregator; may be empty. */
  readonly hardwareId: string;
  /** The first sets the stamps of the scans; further ones are joined to it under their names. */
  readonly clouds: readonly MonitoredInput[];
  /** Under the names of the join. */
  readonly cameras: readonly MonitoredCamera[];
  /** Read at each arrival and report. */
  readonly clock: () => MonitorTime;
  /** Read at each report. By default the process, with an event loop monitor that runs until `close`. */
  readonly host?: () => HostReading;
  /** Where what was found about inputs is said, besides in the reports. */
  readonly log?: FindingLogOptions;
}

/** What the node itself knows at the time of a report. */
export interface NodeSnapshot extends ModelSnapshot, LabellingLimits {
  /** The account of the join; absent while not active. */
  readonly sync?: SyncStatistics;
  /** Subscribers of the outputs that need a scan labelled. */
  readonly listeners: number;
}

/**
 * Gathers what /diagnostics says. Each event costs the same however long the node runs and whatever the rates are;
 * `report` does the sums. Counts "of the last period" are since the last report. No timer runs here.
 */
export class NodeMonitor {
  readonly #options: NodeMonitorOptions;
  readonly #clouds: ReadonlyMap<string, InputMonitor>;
  readonly #cameras: ReadonlyMap<string, CameraMonitor>;
  readonly #sync = new SyncReporter();
  readonly #labelling = new LabellingMonitor();
  readonly #host = new HostMonitor();
  readonly #faults = new FaultMonitor();
  readonly #log: FindingLog | undefined;
  readonly #readHost: () => HostReading;
  readonly #eventLoop: EventLoopMonitor | undefined;

  constructor(options: NodeMonitorOptions) {
    this.#options = options;
    this.#log = options.log && new FindingLog(options.log);
    const since = options.clock().steady;
    this.#clouds = new Map(
      options.clouds.map((input) => [input.name, new InputMonitor(input, "cloud", since)]),
    );
    this.#cameras = new Map(options.cameras.map((input) => [input.name, new CameraMonitor(input, since)]));
    if (options.host === undefined) {
      const eventLoop = new EventLoopMonitor();
      this.#eventLoop = eventLoop;
      this.#readHost = () => readProcess(eventLoop);
    } else {
      this.#readHost = options.host;
    }
  }

  /** The node was activated: everything is counted from now on, but faults, which are counted since the start. */
  activated(): void {
    const { steady } = this.#options.clock();
    for (const cloud of this.#clouds.values()) cloud.restart(steady);
    for (const camera of this.#cameras.values()) camera.restart(steady);
    this.#sync.restart();
    this.#labelling.restart();
  }

  /**
   * @param cloud its name
   * @param stamp nanoseconds; undefined when the message has none that can be read
   */
  cloudArrived(cloud: string, stamp: bigint | undefined, bytes: number): void {
    known(this.#clouds, cloud).arrived(this.#options.clock(), stamp, bytes);
  }

  /** As `cloudArrived`. */
  imageArrived(camera: string, stamp: bigint | undefined, bytes: number): void {
    known(this.#cameras, camera).images.arrived(this.#options.clock(), stamp, bytes);
  }

  cameraInfoArrived(camera: string): void {
    known(this.#cameras, camera).cameraInfoArrived();
  }

  /** @param latencyMs from the arrival of the cloud to the publication of its labels */
  scanFinished(outcome: ScanOutcome, info: ScanInfo, latencyMs: number): void {
    this.#labelling.scanFinished(this.#options.clock().steady, outcome, latencyMs);
    for (const camera of this.#cameras.values()) camera.scanFinished(info);
  }

  faultRecorded(fault: Fault): void {
    this.#faults.faultRecorded(this.#options.clock().steady, fault);
  }

  /** The message for /diagnostics; call once per period. */
  report(snapshot: NodeSnapshot): DiagnosticArray {
    const now = this.#options.clock();
    const reports = this.#reports(now, snapshot);
    this.#log?.reported(now.steady, reports);
    return {
      header: { stamp: now.ros, frameId: "" },
      status: reports.map((report) => this.#status(report)),
    };
  }

  close(): void {
    this.#eventLoop?.close();
  }

  #reports(now: MonitorTime, snapshot: NodeSnapshot): SubjectReport[] {
    const active = snapshot.state === "active";
    const { sync } = snapshot;
    const [first] = this.#clouds.values();
    return [
      modelReport(snapshot),
      ...[...this.#clouds.values()].map((cloud) => {
        const statistics = cloud === first ? sync?.clouds : sync?.cameras.get(cloud.input.name);
        return cloudReport(cloud, now, active, statistics);
      }),
      ...[...this.#cameras].map(([name, camera]) =>
        camera.report(now, active, sync?.cameras.get(name), first!),
      ),
      this.#sync.report(sync),
      this.#labelling.report(now.steady, {
        active,
        listeners: snapshot.listeners,
        lastCloud: first?.lastArrival,
        sync,
        maxLatencyMs: snapshot.maxLatencyMs,
        minRate: snapshot.minRate,
      }),
      this.#host.report(now.steady, this.#readHost()),
      this.#faults.report(now.steady),
    ];
  }

  #status(report: SubjectReport): DiagnosticStatus {
    const { nodeName, hardwareId } = this.#options;
    return {
      level: levelOf(report.findings),
      name: `${nodeName}: ${report.title}`,
      message: messageOf(report),
      hardwareId,
      values: report.values,
    };
  }
}

function cloudReport(
  cloud: InputMonitor,
  now: MonitorTime,
  active: boolean,
  statistics: SyncStatistics["clouds"] | undefined,
): SubjectReport {
  const { name, topic } = cloud.input;
  const findings = active
    ? [cloud.silence("cloud-silent", now.steady), cloud.strangeStamp("cloud-stamp")]
    : [];
  return {
    title: `cloud ${name}`,
    summary: active ? `${cloud.hertz(now.steady).toFixed(1)} clouds/s on ${topic}` : "not subscribed",
    findings: findings.filter((finding) => finding !== undefined),
    values: keyValues({ ...cloud.values(now, statistics) }),
  };
}

function known<T>(monitors: ReadonlyMap<string, T>, name: string): T {
  const monitor = monitors.get(name);
  if (monitor === undefined) throw new RangeError(`no input "${name}" is monitored`);
  return monitor;
}

function readProcess(eventLoop: EventLoopMonitor): HostReading {
  const { user, system } = process.cpuUsage();
  return {
    eventLoop: eventLoop.read(),
    residentMemory: process.memoryUsage.rss(),
    processorTime: user + system,
  };
}
