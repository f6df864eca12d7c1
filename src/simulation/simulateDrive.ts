import sharp from "sharp";
import { GROUND_TRUTH_BOXES_TOPIC } from "../messages/boxDetections.js";
import type {
  CameraInfo,
  CompressedImage,
  Detection3DArray,
  Image,
  PointCloud2,
  TFMessage,
  TransformStamped,
} from "../messages/types.js";
import { LIDAR_PRESETS } from "./beamTables.js";
import { randomResponse, STANDARD_RESPONSE } from "./LidarResponse.js";
import { PinholeCamera } from "./PinholeCamera.js";
import { EgoDrive } from "./EgoDrive.js";
import { Random } from "./Random.js";
import { multiply, OPTICAL_ROTATION, rigidPose, toMatrix, turned, type RigidPose } from "./RigidPose.js";
import {
  checkSimulateDriveOptions,
  driveDuration,
  SCAN_PERIOD,
  type SimulatedCamera,
  type SimulateDriveOptions,
} from "./SimulateDriveOptions.js";
import { randomMount, STANDARD_MOUNT } from "./sensorMount.js";
import { SeenObjects } from "./SeenObjects.js";
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
  | { readonly type: "vision_msgs/msg/Detection3DArray"; readonly message: Detection3DArray }
);

/** 2026-01-01T00:00:00Z in nanoseconds. */
const DEFAULT_START = 1_767_225_600_000_000_000n;
/** Of a world's streams of random numbers, the one that draws its sensor. */
const SENSOR_STREAM = 20;
const LIDAR_FRAME = "lidar";
const BASE_FRAME = "base_link";
const ODOM_FRAME = "odom";
/** Degrees to the left, by the camera's name. */
const DEFAULT_YAW: ReadonlyMap<string, number> = new Map([
  ["left", 90],
  ["rear", 180],
  ["right", -90],
]);
/** Metres in front of the LiDAR and above the ground where a camera sits unless told; KITTI's are there too. */
const CAMERA_AHEAD = 0.27;
const CAMERA_HEIGHT = 1.65;

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
 * and /tf_static, in stamp order; /ground_truth/boxes where it is asked for. The same options give the same messages.
 * Throws a Fault ("invalid-configuration") for options out of range.
 */
export async function* simulateDrive(options: SimulateDriveOptions): AsyncGenerator<SimulatedMessage> {
  checkSimulateDriveOptions(options);
  const seed = options.seed ?? 1;
  const speed = options.egoSpeed ?? 8;
  const stride = options.scanStride ?? 1;
  const frozen = options.frozenScans ?? false;
  const preset = LIDAR_PRESETS[options.lidar ?? "hdl-64e"];
  const cameras = (options.cameras ?? [{ name: "front" }]).map((camera) => mountCamera(camera, frozen));
  const duration = driveDuration(options);
  const street = options.street ?? "standard";
  const world = new World({ seed, travel: duration * speed, egoSpeed: speed, street });
  const drawn = options.sensor === "random" ? new Random(seed, SENSOR_STREAM) : undefined;
  const lidarPose = drawn === undefined ? STANDARD_MOUNT : randomMount(drawn);
  const drive = new EgoDrive(world, speed);
  const lidar = new SpinningLidar({
    preset,
    columns: options.columns ?? 1024,
    period: SCAN_PERIOD,
    frozen,
    ideal: options.idealLidar ?? false,
    frameId: LIDAR_FRAME,
    response: drawn === undefined ? STANDARD_RESPONSE : randomResponse(drawn),
  });
  const start = options.startStamp ?? DEFAULT_START;
  const stampOf = (time: number): bigint => start + BigInt(Math.round(time * 1e9));
  const lidarMount = toMatrix(lidarPose);
  const scratch = new Float64Array(16);
  const sensorAt = (time: number): Float64Array =>
    multiply(toMatrix(drive.poseAt(time)), lidarMount, scratch);

  yield {
    topic: "/tf_static",
    type: "tf2_msgs/msg/TFMessage",
    stamp: start,
    message: {
      transforms: [
        transform(start, BASE_FRAME, LIDAR_FRAME, lidarPose),
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
      case "scan": {
        const seen = options.boxes === true ? new SeenObjects() : undefined;
        const cloud = lidar.scan(world, event.time, stamp, event.index, sensorAt, seen);
        if (seen !== undefined) {
          yield {
            topic: GROUND_TRUTH_BOXES_TOPIC,
            type: "vision_msgs/msg/Detection3DArray",
            stamp,
            message: seen.boxes(world, event.time, cloud.header, sensorAt),
          };
        }
        yield { topic: "/lidar/points", type: "sensor_msgs/msg/PointCloud2", stamp, message: cloud };
        break;
      }
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
  const { color, depth, semantic, regions } = camera.expose(
    world,
    multiply(base, toMatrix(mount), base),
    index,
  );
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
  if (options.regions === true) {
    yield {
      topic: `${prefix}/regions`,
      type: "sensor_msgs/msg/Image",
      stamp,
      message: image("mono16", 2, new Uint8Array(regions.buffer)),
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
  const yaw = ((options.yaw ?? DEFAULT_YAW.get(options.name) ?? 0) * Math.PI) / 180;
  const pitch = ((options.pitch ?? 0) * Math.PI) / 180;
  const position = options.position ?? [
    CAMERA_AHEAD * Math.cos(yaw),
    CAMERA_AHEAD * Math.sin(yaw),
    CAMERA_HEIGHT,
  ];
  const camera = new StreetCamera(
    new PinholeCamera({
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

function cameraInfo(model: PinholeCamera, stamp: bigint, frameId: string): CameraInfo {
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
