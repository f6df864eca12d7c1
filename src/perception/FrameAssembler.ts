import { Fault, type MessagePlace } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { decodeCameraInfo } from "../messages/cameraInfo.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { pointLayout } from "../messages/pointLayout.js";
import { readPointTimes, timeSpan } from "../messages/pointTimes.js";
import { decodeTFMessage } from "../messages/tfMessage.js";
import type { CameraInfo } from "../messages/types.js";
import type { SyncedFrame } from "../sync/types.js";
import { scanMotion, type ScanMotion } from "../transforms/ScanMotion.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import type { FrameImage, MissingImage, ScanFrame, ScanSource } from "./ScanFrame.js";

/** A cloud, image or depth image as it came, with what its header says. */
export interface SensorMessage {
  readonly topic: string;
  /** sensor_msgs/msg/PointCloud2, Image or CompressedImage. */
  readonly type: string;
  readonly frameId: string;
  /** Alone in its buffer; that of a scan's first source is taken over by the pipeline. */
  readonly cdr: Uint8Array<ArrayBuffer>;
}

export interface FrameAssemblerOptions {
  /**
   * A frame in which the world stands still (usually odom): the motion between scan and image, between sources and
   * within a scan whose points have times is then compensated. Without it extrinsics are taken at the image's stamp.
   */
  readonly fixedFrame?: string;
  /** Compensate the motion within a scan, when there is a fixed frame: true unless told. */
  readonly deskew?: boolean;
  /** Cameras, and topics of depth images, that are rectified: their CameraInfo's P holds. */
  readonly rectified: ReadonlySet<string>;
  /** Members of a synchronized frame that are no cameras but further sources of points. */
  readonly otherSources?: ReadonlySet<string>;
  /** The frame that the points of all sources are merged in; without it the first source stays as it came. */
  readonly mergedFrame?: string;
}

/**
 * Gives each image of a synchronized frame its CameraInfo and its pose relative to the points, and each source of
 * points its place in the scan.
 */
export class FrameAssembler {
  readonly #transforms = new TransformBuffer();
  /** By camera name; by topic for depth images that points are made of. */
  readonly #cameraInfos = new Map<string, CameraInfo>();
  readonly #options: FrameAssemblerOptions;
  readonly #faults: FaultLog;
  #offsets = new Float64Array(0);
  #epoch = 0;

  /** @param faults where images and sources that are left out are recorded */
  constructor(options: FrameAssemblerOptions, faults: FaultLog) {
    this.#options = options;
    this.#faults = faults;
  }

  /** Throws Fault("malformed-message"). */
  addTransforms(cdr: Uint8Array, isStatic: boolean): void {
    this.#transforms.add(decodeTFMessage(cdr), isStatic);
  }

  /**
   * Replaces what was known of the camera.
   * @param camera its name; the topic of a depth image that points are made of
   * Throws Fault("malformed-message").
   */
  addCameraInfo(camera: string, cdr: Uint8Array): void {
    this.#cameraInfos.set(camera, decodeCameraInfo(cdr));
  }

  /** An image or a source without CameraInfo or transform is left out, with the reason. */
  assemble(frame: SyncedFrame<SensorMessage, SensorMessage>): ScanFrame {
    if (frame.epoch !== this.#epoch) {
      this.#epoch = frame.epoch;
      this.#transforms.clear();
    }
    const { cloud, stamp: scanStamp } = frame;
    const { otherSources, mergedFrame } = this.#options;
    const scanFrame = mergedFrame ?? cloud.frameId;
    const missing: MissingImage[] = frame.missing.map(({ camera, reason }) => ({ camera, reason }));
    const orMissing = <T>(name: string, place: MessagePlace, locate: () => T): T[] => {
      try {
        return [locate()];
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#faults.record(error.at(place));
        missing.push({ camera: name, reason: `${error.code}: ${error.message}` });
        return [];
      }
    };
    const sources = orMissing(cloud.topic, { topic: cloud.topic, stamp: scanStamp }, () =>
      this.#source(cloud, scanStamp, scanFrame, scanStamp),
    );
    const images: FrameImage[] = [];
    for (const { camera, image, stamp, delta } of frame.images) {
      const place = { topic: image.topic, stamp };
      if (otherSources?.has(camera) === true) {
        sources.push(...orMissing(camera, place, () => this.#source(image, stamp, scanFrame, scanStamp)));
      } else {
        images.push(
          ...orMissing(camera, place, () => this.#image(camera, image, stamp, delta, scanFrame, scanStamp)),
        );
      }
    }
    return {
      stamp: scanStamp,
      topic: cloud.topic,
      sources,
      images,
      missing,
      ...(mergedFrame !== undefined && { mergedFrame }),
    };
  }

  #image(
    camera: string,
    { topic, type, frameId, cdr }: SensorMessage,
    stamp: bigint,
    delta: bigint,
    scanFrame: string,
    scanStamp: bigint,
  ): FrameImage {
    const info = this.#cameraInfo(camera, topic);
    const { fixedFrame, rectified } = this.#options;
    const cloudToCamera =
      fixedFrame === undefined
        ? this.#transforms.lookup(frameId, scanFrame, stamp)
        : this.#transforms.lookupThrough(frameId, stamp, scanFrame, scanStamp, fixedFrame);
    return {
      camera,
      topic,
      type,
      frameId,
      cdr,
      info,
      cloudToCamera,
      rectified: rectified.has(camera),
      delta,
    };
  }

  #source(
    { topic, type, frameId, cdr }: SensorMessage,
    stamp: bigint,
    scanFrame: string,
    scanStamp: bigint,
  ): ScanSource {
    const toScan = this.#toScan(frameId, stamp, scanFrame, scanStamp);
    const placed = { topic, frameId, cdr, ...(toScan && { toScan }) };
    if (type !== POINT_CLOUD2_TYPE) {
      const rectified = this.#options.rectified.has(topic);
      return { ...placed, kind: "depth", type, info: this.#cameraInfo(topic, topic), rectified };
    }
    const motion = this.#motion(placed, stamp, scanFrame, scanStamp);
    return { ...placed, kind: "points", ...(motion && { motion }) };
  }

  /** Undefined when points need not be moved. */
  #toScan(frameId: string, stamp: bigint, scanFrame: string, scanStamp: bigint): Float64Array | undefined {
    const { mergedFrame, fixedFrame } = this.#options;
    if (mergedFrame === undefined) return undefined;
    return fixedFrame === undefined
      ? this.#transforms.lookup(scanFrame, frameId, stamp)
      : this.#transforms.lookupThrough(scanFrame, scanStamp, frameId, stamp, fixedFrame);
  }

  /** Undefined when it is not wanted, or cannot be known: the latter is recorded. */
  #motion(
    { topic, frameId, cdr }: Pick<SensorMessage, "topic" | "frameId" | "cdr">,
    stamp: bigint,
    scanFrame: string,
    scanStamp: bigint,
  ): ScanMotion | undefined {
    const { fixedFrame, deskew = true } = this.#options;
    if (fixedFrame === undefined || !deskew) return undefined;
    try {
      const cloud = decodePointCloud2(cdr);
      const { time } = pointLayout(cloud);
      if (time === undefined) return undefined;
      const times = readPointTimes(cloud, time, this.#offsets);
      this.#offsets = new Float64Array(times.offsets.buffer as ArrayBuffer);
      const span = timeSpan(times);
      if (span === undefined) return undefined;
      return scanMotion(this.#transforms, {
        sensorFrame: frameId,
        sensorStamp: stamp,
        span,
        scanFrame,
        scanStamp,
        fixedFrame,
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#faults.record(error.at("the motion within the scan is not compensated").at({ topic, stamp }));
      return undefined;
    }
  }

  #cameraInfo(camera: string, topic: string): CameraInfo {
    const info = this.#cameraInfos.get(camera);
    if (info !== undefined) return info;
    throw new Fault(
      "camera-info-missing",
      `no CameraInfo has come for camera ${camera} (image topic ${topic})`,
    );
  }
}
