import { readFile } from "node:fs/promises";
import { Fault } from "../../../faults/Fault.js";
import { COMPRESSED_IMAGE_TYPE } from "../../../messages/image.js";
import { CAMERA_INFO_TYPE } from "../../../messages/cameraInfo.js";
import { POINT_CLOUD2_TYPE } from "../../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../../messages/tfMessage.js";
import type { TransformStamped } from "../../../messages/types.js";
import type { Pose } from "../../../transforms/Pose.js";
import { compose, inverse } from "../../../transforms/Pose.js";
import type { DataSetRecording } from "../dataset/DataSetRecording.js";
import { floatCloud } from "../dataset/floatCloud.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { reasonOf } from "../../../files/systemError.js";
import { findKittiDrive } from "./findKittiDrive.js";
import type { KittiCalibration, KittiCameraNumber } from "./kittiCalibration.js";
import { readKittiCalibration } from "./kittiCalibration.js";
import {
  cameraInfoTopic,
  cameraInVelodyne,
  imageTopic,
  kittiCameraInfo,
  opticalFrame,
} from "./kittiCameras.js";
import type { KittiFrame, KittiFrames } from "./kittiFrames.js";
import { findKittiFrames } from "./kittiFrames.js";
import type { OxtsPacket } from "./oxts.js";
import { oxtsPose, parseOxts } from "./oxts.js";
import { readPngHeader } from "./pngHeader.js";

export const KITTI_CLOUD_TOPIC = "/kitti/velo/pointcloud";
export const VELODYNE_FRAME = "velo_link";
export const BASE_FRAME = "base_link";
export const ODOM_FRAME = "odom";
/** base_link is on the ground below the scanner (sensor set-up of the KITTI car). */
export const VELODYNE_IN_BASE: Pose = { translation: [0, 0, 1.73], rotation: [0, 0, 0, 1] };

const COLUMNS = ["x", "y", "z", "intensity"];

/**
 * A drive of the KITTI raw data set as ROS messages: scans on /kitti/velo/pointcloud (x, y, z in metres and
 * intensity 0..1, float32, frame velo_link), the rectified images that are there, each with its camera_info,
 * /tf_static, and /tf (odom to base_link) where there are oxts packets and their calibration.
 *
 * Scans have the time at which the scanner faced forward (timestamps.txt), which is when the cameras fire.
 * A frame that cannot be used (file missing or cut off, no time, no PNG, another size than calibrated) is
 * skipped with a warning.
 */
export class KittiRawDrive implements DataSetRecording {
  readonly folder: string;
  readonly #calibration: KittiCalibration;
  readonly #frames: readonly KittiFrame[];
  readonly #cameras: readonly KittiCameraNumber[];
  readonly #warnings: Fault[];
  /** Scans were recorded that `scanCount` leaves out, since they have no time. */
  readonly mayLackScans: boolean;
  #firstOxts: OxtsPacket | undefined;

  private constructor(folder: string, calibration: KittiCalibration, found: KittiFrames) {
    this.folder = folder;
    this.#calibration = calibration;
    this.#frames = found.frames;
    this.#cameras = found.cameras;
    this.#warnings = [...found.warnings];
    this.mayLackScans = found.mayLackScans;
  }

  /**
   * @param folder of a drive (`2011_09_26_drive_0001_sync`), or of a day with one drive in it
   * @throws Fault `data-set-unreadable` without calibration or scans
   */
  static async open(folder: string): Promise<KittiRawDrive> {
    const { day, drive } = await findKittiDrive(folder);
    const calibration = await readKittiCalibration(day);
    return new KittiRawDrive(drive, calibration, await findKittiFrames(drive, calibration));
  }

  /** Scans that `messages()` will try to read. */
  get scanCount(): number {
    return this.#frames.filter(({ sensor }) => sensor === "velodyne_points").length;
  }

  /** What is skipped, and why; reading adds to it. */
  get warnings(): readonly Fault[] {
    return this.#warnings;
  }

  /**
   * All messages in the order of their stamps.
   * @throws Fault `data-set-unreadable` when no scan can be read
   */
  async *messages(): AsyncGenerator<RecordedMessage, void, void> {
    const [first] = this.#frames;
    if (first !== undefined) yield this.#staticTransforms(first.stamp);
    const known = this.#warnings.length;
    let scans = 0;
    for (const frame of this.#frames) {
      const bytes = await this.#read(frame);
      if (bytes === undefined) continue;
      if (frame.sensor === "velodyne_points") {
        const scan = this.#scan(frame, bytes);
        if (scan === undefined) continue;
        scans++;
        yield scan;
      } else if (frame.sensor === "oxts") yield* this.#odometry(frame, bytes);
      else yield* this.#image(frame, frame.sensor.slice(-2) as KittiCameraNumber, bytes);
    }
    if (scans > 0) return;
    const reason = this.#warnings[known];
    throw new Fault(
      "data-set-unreadable",
      `no scan of ${this.folder} can be read${reason === undefined ? "" : `: ${reason.message}`}`,
    );
  }

  #scan({ file, stamp }: KittiFrame, data: Uint8Array): RecordedMessage | undefined {
    try {
      const message = floatCloud({ stamp, frameId: VELODYNE_FRAME }, COLUMNS, data);
      return { topic: KITTI_CLOUD_TOPIC, type: POINT_CLOUD2_TYPE, stamp, message };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#warn(`${file} is skipped: ${error.message}`);
      return undefined;
    }
  }

  *#image(
    { file, stamp }: KittiFrame,
    camera: KittiCameraNumber,
    data: Uint8Array,
  ): Generator<RecordedMessage, void, void> {
    const calibration = this.#calibration.cameras.get(camera)!;
    const png = readPngHeader(data);
    if (png === undefined) {
      this.#warn(`${file} is not a PNG image: it is skipped`);
      return;
    }
    const [width, height] = calibration.size ?? [png.width, png.height];
    if (png.width !== width || png.height !== height) {
      this.#warn(
        `${file} has ${png.width}x${png.height} pixels, its camera is calibrated for ${width}x${height}: it is skipped`,
      );
      return;
    }
    const header = { stamp, frameId: opticalFrame(camera) };
    yield {
      topic: cameraInfoTopic(camera),
      type: CAMERA_INFO_TYPE,
      stamp,
      message: kittiCameraInfo(header, calibration, [width, height]),
    };
    // compressed_image_transport: the encoding that subscribers get; then what its own decoder (OpenCV) sees.
    const decoded = png.encoding.replace("rgb", "bgr");
    yield {
      topic: imageTopic(camera),
      type: COMPRESSED_IMAGE_TYPE,
      stamp,
      message: { header, format: `${png.encoding}; png compressed ${decoded}`, data },
    };
  }

  *#odometry({ file, stamp }: KittiFrame, bytes: Uint8Array): Generator<RecordedMessage, void, void> {
    const packet = parseOxts(new TextDecoder().decode(bytes));
    const { imuToVelodyne } = this.#calibration;
    if (packet === undefined || imuToVelodyne === undefined) {
      this.#warn(
        `${file} does not start with latitude, longitude, altitude, roll, pitch and yaw: it is skipped`,
      );
      return;
    }
    this.#firstOxts ??= packet;
    const velodyneInImu = inverse(imuToVelodyne);
    const baseInImu = compose(velodyneInImu, inverse(VELODYNE_IN_BASE));
    const pose = compose(oxtsPose(packet, this.#firstOxts), baseInImu);
    const transform = { header: { stamp, frameId: ODOM_FRAME }, childFrameId: BASE_FRAME, ...pose };
    yield { topic: "/tf", type: TF_MESSAGE_TYPE, stamp, message: { transforms: [transform] } };
  }

  #staticTransforms(stamp: bigint): RecordedMessage {
    const transforms: TransformStamped[] = [
      { header: { stamp, frameId: BASE_FRAME }, childFrameId: VELODYNE_FRAME, ...VELODYNE_IN_BASE },
      ...this.#cameras.map((camera) => ({
        header: { stamp, frameId: VELODYNE_FRAME },
        childFrameId: opticalFrame(camera),
        ...cameraInVelodyne(this.#calibration, this.#calibration.cameras.get(camera)!),
      })),
    ];
    return { topic: "/tf_static", type: TF_MESSAGE_TYPE, stamp, message: { transforms } };
  }

  async #read({ file }: KittiFrame): Promise<Uint8Array | undefined> {
    try {
      return await readFile(file);
    } catch (error) {
      this.#warn(`${file} cannot be read and is skipped: ${reasonOf(error)}`);
      return undefined;
    }
  }

  #warn(message: string): void {
    this.#warnings.push(new Fault("data-set-unreadable", message));
  }
}
