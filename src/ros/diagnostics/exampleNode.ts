/** A node in a clock of its own, for tests of its diagnostics. */
import { SyncLedger } from "../../sync/SyncLedger.js";
import type { DiagnosticStatus } from "../../messages/types.js";
import type { ScanOutcome } from "../../perception/ScanFrame.js";
import type { Reliability } from "../port/RosNode.js";
import type { MonitoredCamera, MonitoredInput } from "./InputMonitor.js";
import { exampleInfo, labelledScan } from "./exampleScans.js";
import { NodeMonitor, type NodeMonitorOptions, type NodeSnapshot } from "./NodeMonitor.js";
import type { ScanInfo } from "./ScanInfo.js";

const START = 1_700_000_000_000_000_000n;

export const CPU: NonNullable<NodeSnapshot["model"]> = {
  name: "street-tiny",
  provider: { requested: "auto", obtained: "cpu", refused: [], placement: {} },
};

/** A node in a clock of its own: 10 clouds and images a second, each labelled in 50 ms. */
export class MonitoredNode {
  /** Milliseconds since the start. */
  now = 0;
  /** On every topic. */
  publishers: readonly Reliability[] = ["reliable"];
  ledger = new SyncLedger();
  eventLoopMax = 2;
  /** Of every camera. */
  offset = 0n;
  snapshot: Omit<NodeSnapshot, "sync"> = {
    state: "active",
    model: CPU,
    restarts: 0,
    listeners: 1,
    maxLatencyMs: 1000,
    minRate: 0,
  };
  readonly monitor: NodeMonitor;

  constructor(options: Partial<NodeMonitorOptions> = {}) {
    const input = (name: string, topic: string, reliability: Reliability): MonitoredInput => ({
      name,
      topic,
      reliability: () => reliability,
      subscribedAnew: () => 0,
      offered: () => this.publishers,
    });
    const camera = (images: MonitoredInput): MonitoredCamera => ({
      ...images,
      offset: () => this.offset,
      tolerance: () => 50_000_000n,
    });
    this.monitor = new NodeMonitor({
      nodeName: "ditr_perception",
      hardwareId: "robot-7",
      clouds: [input("lidar", "/points", "reliable")],
      cameras: [
        camera(input("front", "/front/image_raw", "best_effort")),
        camera(input("rear", "/rear/image_raw", "reliable")),
      ],
      clock: () => ({ steady: 5000 + this.now, ros: this.ros }),
      host: () => ({
        eventLoop: { p50: 0.1, p99: 1, max: this.eventLoopMax },
        residentMemory: 600e6,
        processorTime: 1500 * this.now,
      }),
      ...options,
    });
    for (const name of ["front", "rear"]) this.ledger.camera(name);
  }

  get ros(): bigint {
    return START + BigInt(this.now) * 1_000_000n;
  }

  cloud(stamp: bigint | undefined = this.ros - 20_000_000n): void {
    this.monitor.cloudArrived("lidar", stamp, 1_920_000);
    this.ledger.clouds.receive();
    this.ledger.release("complete");
  }

  image(camera: string, stamp: bigint | undefined = this.ros - 30_000_000n): void {
    this.monitor.imageArrived(camera, stamp, 4_000_000);
    this.ledger.camera(camera).receive();
    this.ledger.camera(camera).deliver();
  }

  scan(outcome: ScanOutcome = labelledScan(), latency = 50, info: ScanInfo = ALL_IMAGES): void {
    this.monitor.scanFinished(outcome, info, latency);
  }

  /** Lets time pass in steps of 100 ms. */
  run(seconds: number, step: () => void): void {
    for (let i = 0; i < seconds * 10; i++) {
      this.now += 100;
      step();
    }
  }

  /** As it should be. */
  runWell(seconds: number): void {
    this.run(seconds, () => {
      this.image("front");
      this.image("rear");
      this.cloud();
      this.scan();
    });
  }

  /** By subject. */
  report(): Map<string, DiagnosticStatus> {
    const { status } = this.monitor.report({
      ...this.snapshot,
      ...(this.snapshot.state === "active" && { sync: this.ledger.statistics() }),
    });
    return new Map(status.map((one) => [one.name.replace(/^ditr_perception: /, ""), one]));
  }
}

const ALL_IMAGES: ScanInfo = {
  ...exampleInfo,
  images: ["front", "rear"].map((camera) => ({ camera, topic: `/${camera}/image_raw`, delta: 12_500_000n })),
  missing: [],
};

/** @param nearest delta of the nearest image */
export function missing(camera: string, reason: string, nearest?: bigint): ScanInfo {
  const images = ALL_IMAGES.images.filter((image) => image.camera !== camera);
  return { ...ALL_IMAGES, images, missing: [{ camera, reason, ...(nearest !== undefined && { nearest }) }] };
}

export function valuesOf(status: DiagnosticStatus | undefined): Record<string, string> {
  return Object.fromEntries(status!.values.map(({ key, value }) => [key, value]));
}

export function refusedCuda(requested: "auto" | "cuda"): NonNullable<NodeSnapshot["model"]>["provider"] {
  return {
    requested,
    obtained: "cpu",
    refused: [{ provider: "cuda", reason: "no device" }],
    placement: { CPUExecutionProvider: 310 },
  };
}
