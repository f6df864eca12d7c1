import { map, type Observable } from "rxjs";
import type { RunHelpers } from "rxjs/testing";
import { TestScheduler } from "rxjs/testing";
import { expect } from "@jest/globals";
import { type StreamStatistics, SyncLedger, type SyncStatistics } from "./SyncLedger.js";
import { type CameraSyncOptions, syncOptions, type SyncSettings } from "./SyncOptions.js";
import { synchronize } from "./synchronize.js";
import type { Stamped, SyncedFrame } from "./types.js";

/** Test support: joins written as marbles. One character is one frame is one millisecond. */

/** Stamps count from here, so that frame 0 is not the forbidden stamp zero. */
const START = 1_000_000_000_000n;

export interface CameraMarbles extends Partial<
  Record<"offset" | "tolerance" | "maximumAge" | "period", number>
> {
  readonly marbles: string;
  /** Frames from stamp to arrival. */
  readonly latency?: number;
  readonly queueSize?: number;
}

export interface Scenario {
  readonly clouds: string;
  /** By camera; a string stands for `{ marbles }`. */
  readonly images: Readonly<Record<string, string | CameraMarbles>>;
  /** Stamp in frames of a message, by its character, where it is not its arrival; null is a zero stamp. */
  readonly stamps?: Readonly<Record<string, number | null>>;
  readonly resets?: string;
  /** In frames; 3 by default. */
  readonly tolerance?: number;
  /** In frames; 20 by default. */
  readonly maxWait?: number;
  /** In frames; 1000 by default. */
  readonly jumpThreshold?: number;
  readonly settings?: Partial<Pick<SyncSettings, "inactiveAfter" | "cloudQueueSize">>;
  /** When frames are released; `|` is the end. A character names the frames that leave together in `frames`. */
  readonly expected: string;
  /** Texts of `describeFrame`, joined by ", " where frames leave together. */
  readonly frames: Readonly<Record<string, string>>;
}

const milliseconds = (frames: number) => BigInt(frames) * 1_000_000n;

/** `cloud image image release`, a missing image is `-reason`. */
export function describeFrame(frame: SyncedFrame<string, string>, cameras: readonly string[]): string {
  const images = cameras.map(
    (camera) =>
      frame.images.find((matched) => matched.camera === camera)?.image ??
      `-${frame.missing.find((absent) => absent.camera === camera)!.reason}`,
  );
  return [frame.cloud, ...images, frame.release].join(" ");
}

/** Runs the scenario in virtual time, checks output and accounts, and returns the final accounts. */
export function runScenario(scenario: Scenario): SyncStatistics {
  const ledger = new SyncLedger();
  const cameras = Object.keys(scenario.images);
  const released: Record<number, string> = {};
  const scheduler = new TestScheduler(() => {
    throw new Error("scenarios compare what was released, not what TestScheduler recorded");
  });
  scheduler.run((helpers) => {
    const note = (text: string) => {
      const before = released[scheduler.now()];
      released[scheduler.now()] = before === undefined ? text : `${before}, ${text}`;
    };
    synchronize(scenarioInputs(scenario, helpers, scheduler, ledger)).subscribe({
      next: (frame) => {
        note(describeFrame(frame, cameras));
      },
      complete: () => {
        note("|");
      },
    });
  });
  expect(released).toEqual(expectedReleases(scenario));
  const statistics = ledger.statistics();
  expectBalanced(statistics);
  return statistics;
}

/** Text by frame. Unlike RxJS's own marbles, frames that leave together take one character of time. */
function expectedReleases({ expected, frames }: Scenario): Record<number, string> {
  const marbles = Array.from(expected.replaceAll(" ", "")).map((marble, frame) => [frame, marble] as const);
  return Object.fromEntries(
    marbles
      .filter(([, marble]) => marble !== "-")
      .map(([frame, marble]) => [frame, marble === "|" ? marble : frames[marble]!]),
  );
}

function scenarioInputs(
  scenario: Scenario,
  { cold }: RunHelpers,
  scheduler: TestScheduler,
  ledger: SyncLedger,
) {
  const stamped = (marbles: string, latency = 0): Observable<Stamped<string>> =>
    cold(marbles).pipe(
      map((payload) => {
        const frame = scenario.stamps?.[payload];
        const stamp = frame === null ? 0n : START + milliseconds(frame ?? scheduler.now() - latency);
        return { stamp, payload };
      }),
    );
  const cameras = Object.entries(scenario.images).map(
    ([name, camera]) => [name, typeof camera === "string" ? { marbles: camera } : camera] as const,
  );
  const options = syncOptions({
    maxWait: milliseconds(scenario.maxWait ?? 20),
    jumpThreshold: milliseconds(scenario.jumpThreshold ?? 1000),
    ...scenario.settings,
    cameras: Object.fromEntries(
      cameras.map(([name, camera]) => [name, cameraSettings(camera, scenario.tolerance ?? 3)]),
    ),
  });
  return {
    clouds: stamped(scenario.clouds),
    images: new Map(cameras.map(([name, { marbles, latency }]) => [name, stamped(marbles, latency)])),
    ...(scenario.resets !== undefined && { resets: cold(scenario.resets) }),
    options,
    scheduler,
    ledger,
  };
}

function cameraSettings(camera: CameraMarbles, tolerance: number): Partial<CameraSyncOptions> {
  const { queueSize, offset, maximumAge, period } = camera;
  return {
    tolerance: milliseconds(camera.tolerance ?? tolerance),
    ...(offset !== undefined && { offset: milliseconds(offset) }),
    ...(maximumAge !== undefined && { maximumAge: milliseconds(maximumAge) }),
    ...(period !== undefined && { period: milliseconds(period) }),
    ...(queueSize !== undefined && { queueSize }),
  };
}

/** in = out + drops + pending, for the clouds and every camera. */
export function expectBalanced(statistics: SyncStatistics): void {
  for (const stream of [statistics.clouds, ...statistics.cameras.values()]) {
    expect(stream.received).toBe(stream.delivered + droppedCount(stream) + stream.pending);
    expect(stream.pending).toBeGreaterThanOrEqual(0);
  }
}

export function droppedCount({ dropped }: StreamStatistics): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

/** Only the causes that occurred. */
export function dropsOf({ dropped }: StreamStatistics): Record<string, number> {
  return Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0));
}
