import { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { decodeCameraInfo } from "../messages/cameraInfo.js";
import { decodeTFMessage } from "../messages/tfMessage.js";
import type { CameraInfo } from "../messages/types.js";
import type { SyncedFrame } from "../sync/types.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import type { FrameImage, MissingImage, ScanFrame } from "./ScanFrame.js";

/** A cloud as it came, with what its header says. */
export interface CloudMessage {
  readonly topic: string;
  readonly frameId: string;
  /** Alone in its buffer, which the pipeline takes over. */
  readonly cdr: Uint8Array<ArrayBuffer>;
}

/** An image as it came, with what its header says. */
export interface ImageMessage {
  readonly topic: string;
  readonly type: string;
  readonly frameId: string;
  readonly cdr: Uint8Array<ArrayBuffer>;
}

export interface FrameAssemblerOptions {
  /**
   * A frame in which the world stands still (usually odom): the motion between scan and image is then
   * compensated. Without it extrinsics are taken at the image's stamp.
   */
  readonly fixedFrame?: string;
  /** Cameras whose images are rectified: their CameraInfo's P holds. */
  readonly rectified: ReadonlySet<string>;
}

/** Gives each image of a synchronized frame its CameraInfo and its pose relative to the cloud. */
export class FrameAssembler {
  readonly #transforms = new TransformBuffer();
  readonly #cameraInfos = new Map<string, CameraInfo>();
  readonly #options: FrameAssemblerOptions;
  readonly #faults: FaultLog;
  #epoch = 0;

  /** @param faults where images that are left out are recorded */
  constructor(options: FrameAssemblerOptions, faults: FaultLog) {
    this.#options = options;
    this.#faults = faults;
  }

  /** Throws Fault("malformed-message"). */
  addTransforms(cdr: Uint8Array, isStatic: boolean): void {
    this.#transforms.add(decodeTFMessage(cdr), isStatic);
  }

  /** Replaces what was known of the camera. Throws Fault("malformed-message"). */
  addCameraInfo(camera: string, cdr: Uint8Array): void {
    this.#cameraInfos.set(camera, decodeCameraInfo(cdr));
  }

  /** An image without CameraInfo or transform is left out, with the reason. */
  assemble(frame: SyncedFrame<CloudMessage, ImageMessage>): ScanFrame {
    if (frame.epoch !== this.#epoch) {
      this.#epoch = frame.epoch;
      this.#transforms.clear();
    }
    const images: FrameImage[] = [];
    const missing: MissingImage[] = frame.missing.map(({ camera, reason }) => ({ camera, reason }));
    for (const { camera, image, stamp, delta } of frame.images) {
      try {
        images.push(this.#locate(camera, image, stamp, delta, frame));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#faults.record(error.at({ topic: image.topic, stamp }));
        missing.push({ camera, reason: `${error.code}: ${error.message}` });
      }
    }
    const { topic, cdr } = frame.cloud;
    return { stamp: frame.stamp, topic, cdr, images, missing };
  }

  #locate(
    camera: string,
    { topic, type, frameId, cdr }: ImageMessage,
    stamp: bigint,
    delta: bigint,
    { cloud, stamp: cloudStamp }: SyncedFrame<CloudMessage, ImageMessage>,
  ): FrameImage {
    const info = this.#cameraInfos.get(camera);
    if (info === undefined) {
      throw new Fault(
        "camera-info-missing",
        `no CameraInfo has come for camera ${camera} (image topic ${topic})`,
      );
    }
    const { fixedFrame, rectified } = this.#options;
    const cloudToCamera =
      fixedFrame === undefined
        ? this.#transforms.lookup(frameId, cloud.frameId, stamp)
        : this.#transforms.lookupThrough(frameId, stamp, cloud.frameId, cloudStamp, fixedFrame);
    return { camera, topic, type, cdr, info, cloudToCamera, rectified: rectified.has(camera), delta };
  }
}
