import { once } from "node:events";
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { FrameImage, ScanFrame } from "./ScanFrame.js";
import { SentMessages } from "./SentMessages.js";

/**
 * How frames get to the preparation thread: not at all (what is left is the cost of getting the messages), as structured
 * clones, or handed over by SentMessages.
 */
export const INTAKES = ["not sent", "copied", "handed over"] as const;
export type Intake = (typeof INTAKES)[number];

export interface IntakeBenchmarkOptions {
  /** Seconds of each way; 10 by default. */
  readonly seconds?: number;
  /** 6 by default. */
  readonly cameras?: number;
  /** Points of 16 bytes per cloud; 120,000 by default. */
  readonly pointCount?: number;
}

export interface IntakeBenchmark {
  readonly intake: Intake;
  readonly scans: number;
  /** Milliseconds of handing a frame over, without getting its messages. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Processor time of the main thread per scan, milliseconds, its messages included; undefined where it is not known. */
  readonly cpuMs: number | undefined;
  /** Milliseconds by which timers of the main thread were late while messages and frames came and went. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** Megabytes of resident memory, largest. */
  readonly rss: number;
}

const CLOUD_RATE = 10;
const CAMERA_RATE = 12;
/** 1600x900 rgb8, and a header. */
const IMAGE_BYTES = 1600 * 900 * 3 + 64;
const POINT_BYTES = 16;
/** Milliseconds: monitorEventLoopDelay counts its own resolution as delay. */
const RESOLUTION = 1;

/**
 * What the main thread of a live node does with the messages of one cloud topic at 10 Hz and of cameras (1600x900 rgb8)
 * at 12 Hz: it gets each as a buffer of its own, as from rclnodejs, keeps the newest image of each camera, and sends
 * every cloud with them to another thread.
 */
export async function benchmarkIntake(
  intake: Intake,
  { seconds = 10, cameras = 6, pointCount = 120_000 }: IntakeBenchmarkOptions = {},
): Promise<IntakeBenchmark> {
  const sink = new Worker(new URL("./intakeSink.js", import.meta.url));
  const cloud = new Uint8Array(pointCount * POINT_BYTES).fill(1);
  const picture = new Uint8Array(IMAGE_BYTES).fill(2);
  const newest = Array.from({ length: cameras }, (_, index) =>
    exampleImage(`camera${index}`, picture.slice()),
  );
  const messages = new SentMessages();
  const times: number[] = [];
  let rss = 0;
  try {
    sink.postMessage("warm up");
    await once(sink, "message");
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
    delay.enable();
    const cpuStart = mainThreadCpuMs();
    const timers = newest.map((_, index) =>
      setInterval(() => {
        newest[index] = exampleImage(`camera${index}`, picture.slice());
      }, 1000 / CAMERA_RATE),
    );
    timers.push(
      setInterval(() => {
        const frame = exampleFrame(cloud.slice(), newest);
        const start = performance.now();
        if (intake === "copied") {
          sink.postMessage({ frame }, [frame.sources[0]!.cdr.buffer]);
        } else if (intake === "handed over") {
          const sent = messages.send(frame);
          sink.postMessage({ frame: sent.frame }, sent.transfer);
        }
        times.push(performance.now() - start);
        rss = Math.max(rss, process.memoryUsage.rss() / 1e6);
      }, 1000 / CLOUD_RATE),
    );
    await sleep(1000 * seconds);
    timers.forEach(clearInterval);
    delay.disable();
    const cpuEnd = mainThreadCpuMs();
    const sorted = times.toSorted((a, b) => a - b);
    const quantile = (q: number) => sorted[Math.max(Math.ceil(q * sorted.length) - 1, 0)] ?? NaN;
    return {
      intake,
      scans: times.length,
      medianMs: quantile(0.5),
      p99Ms: quantile(0.99),
      cpuMs: cpuStart === undefined || cpuEnd === undefined ? undefined : (cpuEnd - cpuStart) / times.length,
      delayP99Ms: delay.percentile(99) / 1e6 - RESOLUTION,
      delayMaxMs: delay.max / 1e6 - RESOLUTION,
      rss,
    };
  } finally {
    await sink.terminate();
  }
}

/** Linux only: time on a processor, so that a busy machine does not count. */
function mainThreadCpuMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
  return Number(nanoseconds) / 1e6;
}

function exampleFrame(cdr: Uint8Array<ArrayBuffer>, images: readonly FrameImage[]): ScanFrame {
  const source = { kind: "points", index: 0, topic: "/points", frameId: "lidar", cdr } as const;
  return { stamp: 0n, topic: "/points", sources: [source], images: [...images], missing: [] };
}

function exampleImage(camera: string, cdr: Uint8Array<ArrayBuffer>): FrameImage {
  const header = { stamp: 0n, frameId: camera };
  const [width, height] = [1600, 900];
  const roi = { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false };
  const k = [1000, 0, 800, 0, 1000, 450, 0, 0, 1];
  const matrices = { d: [0, 0, 0, 0, 0], k, r: [1, 0, 0, 0, 1, 0, 0, 0, 1], p: [...k, 0, 0, 0] };
  return {
    camera,
    topic: `/${camera}/image_raw`,
    type: "sensor_msgs/msg/Image",
    frameId: camera,
    cdr,
    info: {
      header,
      width,
      height,
      distortionModel: "plumb_bob",
      ...matrices,
      binningX: 0,
      binningY: 0,
      roi,
    },
    cloudToCamera: new Float64Array(16),
    rectified: false,
    stamp: 0n,
    delta: 0n,
  };
}
