import sharp from "sharp";
import { Fault } from "../faults/Fault.js";
import type {
  CameraInfo,
  CompressedImage,
  Image,
  PointCloud2,
  TFMessage,
  TransformStamped,
} from "../messages/types.js";
import { LIDAR_PRESETS, type LidarPresetName } from "./beamTables.js";
import { CameraModel } from "./CameraModel.js";
import { EgoDrive } from "./EgoDrive.js";
import { multiply, OPTICAL_ROTATION, rigidPose, toMatrix, turned, type RigidPose } from "./RigidPose.js";
import { SpinningLidar } from "./SpinningLidar.js";
import { StreetCamera } from "./StreetCamera.js";
import { World } from "./World.js";

/** One ROS message of a simulated drive; `stamp` is its header's stamp. Messages come in stamp order. */
export type SimulatedMessage = { readonly topic: string; readonly stamp: bigint } & (
  | { readonly type: "sensor_msgs/msg/PointCloud2"; readonly message: PointCloud2 }
  | { readonly type: "sensor_msgs/msg/Image"; readonly message: Image }
  | { readonly type: "sensor_msgs/msg/CompressedImage"; readonly message: CompressedImage }
  | { readonly type: "sensor_msgs/msg/CameraInfo"; readonly message: CameraInfo }
  | { readonly type: "tf2_msgs/msg/TFMessage"; readonly message: TFMessage }
);

export interface SimulatedCamera {
  /** Topics are /camera/<name>/..., frames camera_<name>_optical_frame. */
  readonly name: string;
  /** Pixels; default 640 x 320. */
  readonly width?: number;
  readonly height?: number;
  /** Degrees; default 90. */
  readonly horizontalFov?: number;
  /** plumb_bob: k1, k2, p1, p2, k3; default none. */
  readonly distortion?: readonly [number, number, number, number, number];
  /** In base_link, metres; default 1.65 m above the ground, a little before the LiDAR. */
  readonly position?: readonly [x: number, y: number, z: number];
  /** Degrees to the left of straight ahead; default by name: left 90, rear 180, right -90, else 0. */
  readonly yaw?: number;
  /** Degrees downwards; default 0. */
  readonly pitch?: number;
  /** Images per scan of the LiDAR; default 1. */
  readonly imagesPerScan?: number;
  /**
   * Seconds from a scan's stamp to the exposure. The default is the moment at which the LiDAR looks the
   * camera's way: half a turn (0.05 s) for a front camera, 0 when the scan is frozen.
   */
  readonly timeOffset?: number;
  /** Spans [from, to) in seconds after the start in which the camera sends nothing; `to` may be Infinity. */
  readonly failures?: readonly (readonly [from: number, to: number])[];
  /** "jpeg" sends CompressedImage on .../image_raw/compressed, "raw" sends Image on .../image_raw; default "jpeg". */
  readonly encoding?: "jpeg" | "raw";
  /** Also send mono8 class ids on /camera/<name>/semantic; default false. */
  readonly semantic?: boolean;
  /** Also send 32FC1 depth on /camera/<name>/depth/image_raw; default false. */
  readonly depth?: boolean;
}

export interface SimulateDriveOptions {
  /** Any integer; default 1. */
  readonly seed?: number;
  readonly scanCount: number;
  /** Default "hdl-64e". */
  readonly lidar?: LidarPresetName;
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
  /** /tf messages per second; default 100. */
  readonly transformRate?: number;
}

/** Seconds per turn of the LiDAR: 10 Hz. */
const SCAN_PERIOD = 0.1;
const DEFAULT_START = 1_767_225_600_000_000_000n;
const LIDAR_FRAME = "lidar";
const BASE_FRAME = "base_link";
const ODOM_FRAME = "odom";
const LIDAR_POSE: RigidPose = rigidPose([0, 0, 1.73], 0);
const DEFAULT_YAW: Readonly<Record<string, number>> = { left: 90, rear: 180, right: -90 };

interface MountedCamera {
  readonly options: SimulatedCamera;
  readonly camera: StreetCamera;
  readonly frameId: string;
  /** base_link_T_optical */
  readonly mount: RigidPose;
  readonly timeOffset: number;
}

type Event =
  | { readonly kind: "transform"; readonly time: number }
  | { readonly kind: "image"; readonly time: number; readonly camera: MountedCamera; readonly index: number }
  | { readonly kind: "scan"; readonly time: number; readonly index: number };

/**
 * Drives through the street of `seed` and yields what its sensors publish: /lidar/points,
 * /camera/<name>/image_raw/compressed (or image_raw), /camera/<name>/camera_info, /tf (odom to base_link)
 * and /tf_static, in stamp order. The same options give the same messages.
 * Throws a Fault ("invalid-configuration") for options out of range.
 */
export async function* simulateDrive(options: SimulateDriveOptions): AsyncGenerator<SimulatedMessage> {
  const seed = options.seed ?? 1;
  const speed = options.egoSpeed ?? 8;
  const stride = options.scanStride ?? 1;
  const frozen = options.frozenScans ?? false;
  const preset = LIDAR_PRESETS[options.lidar ?? "hdl-64e"];
  checkOptions(options);
  const duration = ((options.scanCount - 1) * stride + 1) * SCAN_PERIOD;
  const world = new World({ seed, travel: duration * speed, egoSpeed: speed });
  const drive = new EgoDrive(world, speed);
  const lidar = new SpinningLidar({
    preset,
    columns: options.columns ?? 1024,
    period: SCAN_PERIOD,
    frozen,
    ideal: options.idealLidar ?? false,
    frameId: LIDAR_FRAME,
  });
  const cameras = (options.cameras ?? [{ name: "front" }]).map((camera) => mountCamera(camera, frozen));
  const start = options.startStamp ?? DEFAULT_START;
  const stampOf = (time: number): bigint => start + BigInt(Math.round(time * 1e9));
  const lidarMount = toMatrix(LIDAR_POSE);
  const scratch = new Float64Array(16);

  yield {
    topic: "/tf_static",
    type: "tf2_msgs/msg/TFMessage",
    stamp: start,
    message: {
      transforms: [
        transform(start, BASE_FRAME, LIDAR_FRAME, LIDAR_POSE),
        ...cameras.map(({ frameId, mount }) => transform(start, BASE_FRAME, frameId, mount)),
      ],
    },
  };
  for (const event of schedule(options, cameras, duration, stride)) {
    const stamp = stampOf(event.time);
    switch (event.kind) {
      case "transform":
        yield {
          topic: "/tf",
          type: "tf2_msgs/msg/TFMessage",
          stamp,
          message: { transforms: [transform(stamp, ODOM_FRAME, BASE_FRAME, drive.poseAt(event.time))] },
        };
        break;
      case "scan":
        yield {
          topic: "/lidar/points",
          type: "sensor_msgs/msg/PointCloud2",
          stamp,
          message: lidar.scan(world, event.time, stamp, event.index, (time) =>
            multiply(toMatrix(drive.poseAt(time)), lidarMount, scratch),
          ),
        };
        break;
      case "image":
        world.setTime(event.time);
        yield* publishImage(world, event.camera, toMatrix(drive.poseAt(event.time)), stamp, event.index);
        break;
    }
  }
}

async function* publishImage(
  world: World,
  mounted: MountedCamera,
  base: Float64Array,
  stamp: bigint,
  index: number,
): AsyncGenerator<SimulatedMessage> {
  const { options, camera, frameId, mount } = mounted;
  const { width, height } = camera.model;
  const header = { stamp, frameId };
  const { color, depth, semantic } = camera.expose(world, multiply(base, toMatrix(mount), base), index);
  const prefix = `/camera/${options.name}`;
  const image = (encoding: string, bytesPerPixel: number, data: Uint8Array): Image => ({
    header,
    height,
    width,
    encoding,
    isBigEndian: false,
    step: width * bytesPerPixel,
    data,
  });
  yield {
    topic: `${prefix}/camera_info`,
    type: "sensor_msgs/msg/CameraInfo",
    stamp,
    message: cameraInfo(camera.model, stamp, frameId),
  };
  if ((options.encoding ?? "jpeg") === "jpeg") {
    const data = await sharp(color, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90, chromaSubsampling: "4:4:4" })
      .toBuffer();
    yield {
      topic: `${prefix}/image_raw/compressed`,
      type: "sensor_msgs/msg/CompressedImage",
      stamp,
      message: { header, format: "rgb8; jpeg compressed bgr8", data },
    };
  } else {
    yield {
      topic: `${prefix}/image_raw`,
      type: "sensor_msgs/msg/Image",
      stamp,
      message: image("rgb8", 3, color),
    };
  }
  if (options.semantic === true) {
    yield {
      topic: `${prefix}/semantic`,
      type: "sensor_msgs/msg/Image",
      stamp,
      message: image("mono8", 1, semantic),
    };
  }
  if (options.depth === true) {
    yield {
      topic: `${prefix}/depth/image_raw`,
      type: "sensor_msgs/msg/Image",
      stamp,
      message: image("32FC1", 4, new Uint8Array(depth.buffer)),
    };
  }
}

/** All that happens, in order of time; at equal times transforms first, scans last. */
function schedule(
  options: SimulateDriveOptions,
  cameras: readonly MountedCamera[],
  duration: number,
  stride: number,
): Event[] {
  const events: Event[] = [];
  const rate = options.transformRate ?? 100;
  for (let index = 0; index <= Math.ceil((duration + SCAN_PERIOD) * rate); index++) {
    events.push({ kind: "transform", time: index / rate });
  }
  for (const camera of cameras) {
    const perScan = camera.options.imagesPerScan ?? 1;
    for (let index = 0; index < options.scanCount * perScan; index++) {
      const scan = Math.floor(index / perScan);
      const within = (index % perScan) / perScan;
      const time = (scan * stride + within) * SCAN_PERIOD + camera.timeOffset;
      const failed = camera.options.failures?.some(([from, to]) => time >= from && time < to) ?? false;
      if (time >= 0 && !failed) {
        events.push({ kind: "image", time, camera, index });
      }
    }
  }
  for (let index = 0; index < options.scanCount; index++) {
    events.push({ kind: "scan", time: index * stride * SCAN_PERIOD, index });
  }
  // Nanoseconds decide, so that equal stamps keep the order above; sort() is stable.
  return events.sort((a, b) => Math.round(a.time * 1e9) - Math.round(b.time * 1e9));
}

function mountCamera(options: SimulatedCamera, frozen: boolean): MountedCamera {
  const yaw = ((options.yaw ?? DEFAULT_YAW[options.name] ?? 0) * Math.PI) / 180;
  const pitch = ((options.pitch ?? 0) * Math.PI) / 180;
  const position = options.position ?? [0.27 * Math.cos(yaw), 0.27 * Math.sin(yaw), 1.65];
  const camera = new StreetCamera(
    new CameraModel({
      width: options.width ?? 640,
      height: options.height ?? 320,
      horizontalFov: options.horizontalFov ?? 90,
      ...(options.distortion ? { distortion: options.distortion } : {}),
    }),
  );
  // The LiDAR begins behind and turns clockwise: it looks along yaw after (pi - yaw) / (2 pi) of a turn.
  const facing = ((((Math.PI - yaw) / (2 * Math.PI)) % 1) + 1) % 1;
  return {
    options,
    camera,
    frameId: `camera_${options.name}_optical_frame`,
    mount: turned(rigidPose(position, yaw, pitch), OPTICAL_ROTATION),
    timeOffset: options.timeOffset ?? (frozen ? 0 : facing * SCAN_PERIOD),
  };
}

function cameraInfo(model: CameraModel, stamp: bigint, frameId: string): CameraInfo {
  const { width, height, focal, centerX, centerY, distortion } = model;
  return {
    header: { stamp, frameId },
    height,
    width,
    distortionModel: "plumb_bob",
    d: [...distortion],
    k: [focal, 0, centerX, 0, focal, centerY, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [focal, 0, centerX, 0, 0, focal, centerY, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  };
}

function transform(stamp: bigint, frameId: string, childFrameId: string, pose: RigidPose): TransformStamped {
  return { header: { stamp, frameId }, childFrameId, ...pose };
}

function checkOptions(options: SimulateDriveOptions): void {
  const whole = (name: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new Fault(
        "invalid-configuration",
        `Simulation option ${name} is ${value}; it must be a whole number from ${low} to ${high}.`,
      );
    }
  };
  whole("seed", options.seed ?? 1, -(2 ** 31), 2 ** 31 - 1);
  whole("scanCount", options.scanCount, 1, 100_000);
  whole("columns", options.columns ?? 1024, 4, 8192);
  whole("scanStride", options.scanStride ?? 1, 1, 1000);
  whole("transformRate", options.transformRate ?? 100, 1, 1000);
  const speed = options.egoSpeed ?? 8;
  if (!(speed >= 0 && speed <= 40)) {
    throw new Fault(
      "invalid-configuration",
      `Simulation option egoSpeed is ${speed} m/s; it must lie between 0 and 40.`,
    );
  }
  const names = (options.cameras ?? []).map((camera) => camera.name);
  for (const name of names) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new Fault(
        "invalid-configuration",
        `Camera name "${name}" cannot be part of a topic; use small letters, digits and underscores.`,
      );
    }
  }
  if (new Set(names).size !== names.length) {
    throw new Fault("invalid-configuration", `Camera names ${names.join(", ")} are not all different.`);
  }
}
