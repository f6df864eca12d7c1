import { Fault } from "../faults/Fault.js";
import { LIDAR_PRESETS, type LidarPresetName } from "./beamTables.js";
import { STREET_STYLES, type StreetStyle } from "./StreetStyle.js";

export const SENSOR_CHOICES = ["standard", "random"] as const;
export type SensorChoice = (typeof SENSOR_CHOICES)[number];

/** Seconds per turn of the LiDAR: 10 Hz. */
export const SCAN_PERIOD = 0.1;

/** Metres: the grid of the ground grows with the square of a street, which in the end might meet itself. */
const LONGEST_DRIVE = 2000;

export interface SimulatedCamera {
  /** Topics are /camera/<name>/..., frames camera_<name>_optical_frame. */
  readonly name: string;
  /** Pixels; default 640. */
  readonly width?: number;
  /** Pixels; default 320. */
  readonly height?: number;
  /** Degrees, below 170; default 90. */
  readonly horizontalFov?: number;
  /** plumb_bob: k1, k2, p1, p2, k3; default none. */
  readonly distortion?: readonly [number, number, number, number, number];
  /** In base_link, metres; default 1.65 m above the ground, a little before the LiDAR. */
  readonly position?: readonly [x: number, y: number, z: number];
  /** Degrees to the left of straight ahead; default by name: left 90, rear 180, right -90, else 0. */
  readonly yaw?: number;
  /** Degrees downwards; default 0. */
  readonly pitch?: number;
  /** Images per scan of the LiDAR, 1 to 100; default 1. */
  readonly imagesPerScan?: number;
  /**
   * Seconds from a scan's stamp to the exposure. The default is the moment at which the LiDAR looks the
   * camera's way: half a turn (0.05 s) for a front camera, 0 when the scan is frozen. At most a turn.
   */
  readonly timeOffset?: number;
  /** Spans [from, to) in seconds after the start in which the camera sends nothing; `to` may be Infinity. */
  readonly failures?: readonly (readonly [from: number, to: number])[];
  /** "jpeg" sends CompressedImage on .../image_raw/compressed, "raw" sends Image on .../image_raw; default "jpeg". */
  readonly encoding?: "jpeg" | "raw";
  /** Also send mono8 class ids on /camera/<name>/semantic; default false. */
  readonly semantic?: boolean;
  /** Also send mono16 ids of what is one thing on /camera/<name>/regions; default false. */
  readonly regions?: boolean;
  /** Also send 32FC1 depth on /camera/<name>/depth/image_raw; default false. */
  readonly depth?: boolean;
}

export interface SimulateDriveOptions {
  /** Any 32-bit integer: which street; default 1. */
  readonly seed?: number;
  /** Scans that are sent. */
  readonly scanCount: number;
  /** Default "hdl-64e". */
  readonly lidar?: LidarPresetName;
  /** Its height, tilt, intensities and errors: the standard ones, or drawn by the seed; default "standard". */
  readonly sensor?: SensorChoice;
  /** Which kind of street; default "standard". */
  readonly street?: StreetStyle;
  /** Firings of the LiDAR per turn; default 1024. */
  readonly columns?: number;
  /** Default: one front camera. */
  readonly cameras?: readonly SimulatedCamera[];
  /** Nanoseconds since the epoch; default 2026-01-01T00:00:00Z. */
  readonly startStamp?: bigint;
  /** Metres per second; default 8. */
  readonly egoSpeed?: number;
  /** Freeze world and ego during each scan (`time` is 0 everywhere) instead of rolling; default false. */
  readonly frozenScans?: boolean;
  /** Leave out the LiDAR's noise and dropouts; default false. */
  readonly idealLidar?: boolean;
  /** Send only every n-th scan and its images, for varied training data from a short drive; default 1. */
  readonly scanStride?: number;
  /** Also send the true boxes of vehicles and people, before each cloud, on /ground_truth/boxes; default false. */
  readonly boxes?: boolean;
  /** /tf messages per second; default 100. */
  readonly transformRate?: number;
}

/** Seconds from the first scan's stamp to the end of the last scan. */
export function driveDuration({ scanCount, scanStride = 1 }: SimulateDriveOptions): number {
  return ((scanCount - 1) * scanStride + 1) * SCAN_PERIOD;
}

/** Throws a Fault ("invalid-configuration") that names the first option out of range. */
export function checkSimulateDriveOptions(options: SimulateDriveOptions): void {
  checkWhole("seed", options.seed ?? 1, -(2 ** 31), 2 ** 31 - 1);
  checkWhole("scanCount", options.scanCount, 1, 100_000);
  checkWhole("columns", options.columns ?? 1024, 4, 8192);
  checkWhole("scanStride", options.scanStride ?? 1, 1, 1000);
  checkWhole("transformRate", options.transformRate ?? 100, 1, 1000);
  checkBetween("egoSpeed", options.egoSpeed ?? 8, 0, 40, "m/s");
  const { lidar = "hdl-64e", cameras = [] } = options;
  const travel = driveDuration(options) * (options.egoSpeed ?? 8);
  if (travel > LONGEST_DRIVE) {
    throw invalid(`Simulated drive is ${travel} m long; it must be at most ${LONGEST_DRIVE} m.`);
  }
  checkChoice("lidar", lidar, Object.keys(LIDAR_PRESETS));
  checkChoice("sensor", options.sensor ?? "standard", SENSOR_CHOICES);
  checkChoice("street", options.street ?? "standard", STREET_STYLES);
  for (const camera of cameras) checkCamera(camera);
  const names = cameras.map((camera) => camera.name);
  if (new Set(names).size !== names.length) {
    throw invalid(`Camera names ${names.join(", ")} are not all different.`);
  }
}

/** All but size and field of view, which PinholeCamera checks. */
function checkCamera(camera: SimulatedCamera): void {
  const { name, imagesPerScan, timeOffset, failures, position, yaw, pitch, distortion } = camera;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw invalid(
      `Camera name "${name}" cannot be part of a topic; use small letters, digits and underscores.`,
    );
  }
  const of = (option: string) => `${option} of camera ${name}`;
  checkWhole(of("imagesPerScan"), imagesPerScan ?? 1, 1, 100);
  // Later than a turn after a scan there may be no transform any more.
  checkBetween(of("timeOffset"), timeOffset ?? 0, -SCAN_PERIOD, SCAN_PERIOD, "s");
  for (const [option, values] of Object.entries({ position, yaw, pitch, distortion })) {
    if (values === undefined || [values].flat().every(Number.isFinite)) continue;
    throw invalid(
      `Simulation option ${of(option)} is ${[values].flat().join(", ")}; only finite numbers fit.`,
    );
  }
  for (const [from, to] of failures ?? []) {
    if (from <= to) continue;
    throw invalid(
      `Simulation option ${of("failures")} has a span from ${from} to ${to} s; it must not end first.`,
    );
  }
}

function checkChoice(name: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw invalid(`Simulation option ${name} is "${value}"; it must be one of ${known.join(", ")}.`);
}

function checkWhole(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw invalid(`Simulation option ${name} is ${value}; it must be a whole number from ${low} to ${high}.`);
}

function checkBetween(name: string, value: number, low: number, high: number, unit: string): void {
  if (value >= low && value <= high) return;
  throw invalid(`Simulation option ${name} is ${value} ${unit}; it must lie between ${low} and ${high}.`);
}

function invalid(message: string): Fault {
  return new Fault("invalid-configuration", message);
}
