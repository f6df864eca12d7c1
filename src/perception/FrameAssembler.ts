import { Fault, type MessagePlace } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { decodeCameraInfo } from "../messages/cameraInfo.js";
import { equalButForStamp } from "../messages/equalButForStamp.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { pointLayout } from "../messages/pointLayout.js";
import { readPointTimes, timeSpan } from "../messages/pointTimes.js";
import { decodeTFMessage } from "../messages/tfMessage.js";
import type { CameraInfo } from "../messages/types.js";
import type { MatchedImage, SyncedFrame } from "../sync/types.js";
import { scanMotion, type ScanMotion } from "../transforms/ScanMotion.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import type { TransformFault } from "../transforms/TransformFault.js";
import { AwaitedTransforms, type TransformLookup } from "./AwaitedTransforms.js";
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

/** Nanoseconds: a transform of the same time is at most so much newer than a scan that has just come. */
const TRANSFORMS_AHEAD = 2_000_000_000n;

/** What is done about motion. */
export interface MotionOptions {
  /**
   * A frame in which the world stands still (usually odom): the motion between scan and image, between sources and
   * within a scan whose points have times is then compensated. Without it extrinsics are taken at the image's stamp.
   */
  readonly fixedFrame?: string;
  /** Compensate the motion within a scan, when there is a fixed frame: true unless told. */
  readonly deskew?: boolean;
  /** Stamp of transforms minus stamp of clouds at the same moment, nanoseconds: 0 unless told. */
  readonly transformOffset?: bigint;
}

export interface FrameAssemblerOptions extends MotionOptions {
  /** Cameras, and topics of depth images, that are rectified: their CameraInfo's P holds. */
  readonly rectified: ReadonlySet<string>;
  /** Members of a synchronized frame that are no cameras but further sources of points; in the order of their indexes. */
  readonly otherSources?: ReadonlySet<string>;
  /**
   * The frame that the points of all sources are merged in; without it several sources are merged in the frame of the
   * first, and a single one stays as it came.
   */
  readonly mergedFrame?: string;
}

/**
 * Gives each image of a synchronized frame its CameraInfo and its pose relative to the points, and each source of
 * points its place in the scan.
 */
export class FrameAssembler {
  readonly #transforms = new TransformBuffer();
  readonly #awaited = new AwaitedTransforms();
  /** Frames whose transforms were found to be on their way. */
  readonly #waited = new WeakSet<object>();
  /** By camera name; by topic for depth images that points are made of. */
  readonly #cameraInfos = new Map<string, { readonly cdr: Uint8Array; readonly info: CameraInfo }>();
  /** Those of them whose frame stands in for that of their images. */
  readonly #nameless = new Set<string>();
  readonly #options: Omit<FrameAssemblerOptions, keyof MotionOptions>;
  /** Index of each by name. */
  readonly #otherSources: ReadonlyMap<string, number>;
  readonly #faults: FaultLog;
  /** When the points of a cloud were measured. */
  readonly #spans = new WeakMap<object, readonly [first: number, last: number]>();
  #motionOptions: MotionOptions;
  #offsets = new Float64Array(0);
  #epoch = 0;

  /** @param faults where images and sources that are left out are recorded */
  constructor(options: FrameAssemblerOptions, faults: FaultLog) {
    this.#options = options;
    this.#otherSources = new Map([...(options.otherSources ?? [])].map((name, i) => [name, i + 1]));
    this.#motionOptions = options;
    this.#faults = faults;
  }

  /** Replaces both options, for the frames that are assembled from now on. */
  configure(options: MotionOptions): void {
    this.#motionOptions = options;
    this.#awaited.clear();
  }

  /** Frames to come are of another time than those before; transforms that are added from now on are of that time. */
  beginEpoch(epoch: number): void {
    this.forgetMotion();
    this.#epoch = epoch;
  }

  /** Time jumped: dynamic transforms of another time are forgotten, static ones stay. */
  forgetMotion(): void {
    this.#transforms.clear();
    this.#awaited.clear();
  }

  /**
   * @param stamp in place of the transforms' own, nanoseconds
   * Throws Fault("malformed-message").
   */
  addTransforms(cdr: Uint8Array, isStatic: boolean, stamp?: bigint): void {
    // The stamps of static transforms, and those that are replaced, are not needed.
    const message = decodeTFMessage(cdr, { anyStamp: isStatic || stamp !== undefined });
    const stamped =
      stamp === undefined
        ? message
        : {
            transforms: message.transforms.map((transform) => ({
              ...transform,
              header: { ...transform.header, stamp },
            })),
          };
    this.#transforms.add(stamped, isStatic);
  }

  /** See TransformBuffer. */
  takeTransformConflicts(): readonly Fault[] {
    return this.#transforms.takeConflicts();
  }

  /**
   * Replaces what was known of the camera; one that says the same again costs next to nothing.
   * @param camera its name; the topic of a depth image that points are made of
   * Throws Fault("malformed-message").
   */
  addCameraInfo(camera: string, cdr: Uint8Array): void {
    const known = this.#cameraInfos.get(camera);
    if (known !== undefined && equalButForStamp(known.cdr, cdr)) return;
    this.#cameraInfos.set(camera, { cdr: cdr.slice(), info: decodeCameraInfo(cdr) });
  }

  /**
   * Why `assemble` would leave something out of this frame although it may still come: a transform that has not arrived
   * yet. A transform that was waited for in vain (`assemble` was called all the same) is not waited for again before
   * it has come, so that a frame that nobody publishes costs one wait and not one per scan.
   */
  awaits(frame: SyncedFrame<SensorMessage, SensorMessage>): TransformFault | undefined {
    this.#enter(frame);
    const fault = this.#awaited.awaited(this.#lookups(frame));
    if (fault !== undefined) this.#waited.add(frame);
    return fault;
  }

  /** An image or a source without CameraInfo or transform is left out, with the reason. */
  assemble(frame: SyncedFrame<SensorMessage, SensorMessage>): ScanFrame {
    this.#enter(frame);
    if (this.#waited.delete(frame)) this.#awaited.giveUp(this.#lookups(frame));
    const { cloud, stamp: scanStamp } = frame;
    const mergedFrame = this.#mergedFrame(cloud);
    const scanFrame = mergedFrame ?? this.#frameOf(cloud.topic, cloud);
    const missing: MissingImage[] = frame.missing.map(({ camera, reason, nearest }) => ({
      camera,
      reason,
      ...(nearest !== undefined && { nearest }),
    }));
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
      this.#source(0, cloud, scanStamp, mergedFrame, scanFrame, scanStamp),
    );
    const images: FrameImage[] = [];
    for (const { camera, image, stamp, cloudTime, delta } of frame.images) {
      const place = { topic: image.topic, stamp };
      const index = this.#otherSources.get(camera);
      if (index !== undefined) {
        sources.push(
          ...orMissing(camera, place, () =>
            this.#source(index, image, cloudTime, mergedFrame, scanFrame, scanStamp),
          ),
        );
      } else {
        images.push(
          ...orMissing(camera, place, () =>
            this.#image(camera, image, { stamp, cloudTime, delta }, scanFrame, scanStamp),
          ),
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

  /**
   * 4x4, column-major: from the frame of a scan's points, at its stamp, to the fixed frame. Undefined where there is none,
   * or where no transform says it.
   */
  pose({ cloud, stamp }: SyncedFrame<SensorMessage, SensorMessage>): Float64Array | undefined {
    const { fixedFrame } = this.#motionOptions;
    if (fixedFrame === undefined) return undefined;
    try {
      const scanFrame = this.#mergedFrame(cloud) ?? this.#frameOf(cloud.topic, cloud);
      return this.#transforms.lookup(fixedFrame, scanFrame, this.#transformTime(stamp));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return undefined; // the sentence of the scan's own transforms says why
    }
  }

  #image(
    camera: string,
    image: SensorMessage,
    { stamp, cloudTime, delta }: Pick<MatchedImage<SensorMessage>, "stamp" | "cloudTime" | "delta">,
    scanFrame: string,
    scanStamp: bigint,
  ): FrameImage {
    const { topic, type, cdr } = image;
    const info = this.#cameraInfo(camera, topic);
    const frameId = this.#frameOf(camera, image);
    const { rectified } = this.#options;
    const cloudToCamera = this.#cloudToCamera(frameId, cloudTime, scanFrame, scanStamp);
    return {
      camera,
      topic,
      type,
      frameId,
      cdr,
      info,
      cloudToCamera,
      rectified: rectified.has(camera),
      stamp,
      delta,
    };
  }

  #source(
    index: number,
    message: SensorMessage,
    stamp: bigint,
    mergedFrame: string | undefined,
    scanFrame: string,
    scanStamp: bigint,
  ): ScanSource {
    const { topic, type, cdr } = message;
    const frameId = this.#frameOf(topic, message);
    // Points that are not merged need not be moved, nor the first ones in a frame without a name.
    const stays = mergedFrame === undefined || (index === 0 && mergedFrame === "");
    const toScan = stays ? undefined : this.#toScan(frameId, stamp, mergedFrame, scanStamp);
    const placed = { index, topic, frameId, cdr, ...(toScan && { toScan }) };
    if (type !== POINT_CLOUD2_TYPE) {
      const rectified = this.#options.rectified.has(topic);
      return { ...placed, kind: "depth", type, info: this.#cameraInfo(topic, topic), rectified };
    }
    const motion = this.#motion(message, stamp, scanFrame, scanStamp);
    return { ...placed, kind: "points", ...(motion && { motion }) };
  }

  /** Undefined when it is not wanted, or cannot be known: the latter is recorded. */
  #motion(
    message: SensorMessage,
    stamp: bigint,
    scanFrame: string,
    scanStamp: bigint,
  ): ScanMotion | undefined {
    const { fixedFrame } = this.#motionOptions;
    if (fixedFrame === undefined) return undefined;
    const { topic, frameId: sensorFrame } = message;
    try {
      const span = this.#span(message);
      if (span === undefined) return undefined;
      return scanMotion(this.#transforms, {
        sensorFrame,
        sensorStamp: this.#transformTime(stamp),
        span,
        scanFrame,
        scanStamp: this.#transformTime(scanStamp),
        fixedFrame,
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#faults.record(error.at("the motion within the scan is not compensated").at({ topic, stamp }));
      return undefined;
    }
  }

  /**
   * When the points of a cloud were measured, nanoseconds after its stamp; undefined when they have no times, or no
   * motion within scans is compensated.
   */
  #span(message: SensorMessage): readonly [first: number, last: number] | undefined {
    const { fixedFrame, deskew = true } = this.#motionOptions;
    if (fixedFrame === undefined || !deskew || message.type !== POINT_CLOUD2_TYPE) return undefined;
    const known = this.#spans.get(message);
    if (known !== undefined) return known;
    const cloud = decodePointCloud2(message.cdr);
    const { time } = pointLayout(cloud);
    if (time === undefined) return undefined;
    const times = readPointTimes(cloud, time, this.#offsets);
    this.#offsets = new Float64Array(times.offsets.buffer as ArrayBuffer);
    const span = timeSpan(times);
    if (span !== undefined) this.#spans.set(message, span);
    return span;
  }

  /** Both times on the clouds' clock, nanoseconds. */
  #cloudToCamera(cameraFrame: string, taken: bigint, scanFrame: string, scanStamp: bigint): Float64Array {
    return this.#place(cameraFrame, taken, scanFrame, scanStamp);
  }

  /** Both times on the clouds' clock, nanoseconds. */
  #toScan(sourceFrame: string, taken: bigint, scanFrame: string, scanStamp: bigint): Float64Array {
    const { fixedFrame } = this.#motionOptions;
    return fixedFrame === undefined
      ? this.#transforms.lookup(scanFrame, sourceFrame, this.#transformTime(taken))
      : this.#place(scanFrame, scanStamp, sourceFrame, taken);
  }

  /** From the source at its time to the target at its own, in a world that stands still in the fixed frame, if any. */
  #place(target: string, targetTime: bigint, source: string, sourceTime: bigint): Float64Array {
    const { fixedFrame } = this.#motionOptions;
    const time = this.#transformTime(targetTime);
    return fixedFrame === undefined
      ? this.#transforms.lookup(target, source, time)
      : this.#transforms.lookupThrough(target, time, source, this.#transformTime(sourceTime), fixedFrame);
  }

  /** When transforms are stamped that hold at a time of the clouds' clock. */
  #transformTime(cloudTime: bigint): bigint {
    return cloudTime + (this.#motionOptions.transformOffset ?? 0n);
  }

  /** What `assemble` will ask the transforms for; of the motion within a scan its two ends. */
  #lookups(frame: SyncedFrame<SensorMessage, SensorMessage>): TransformLookup[] {
    const { cloud, stamp: scanStamp, images } = frame;
    const mergedFrame = this.#mergedFrame(cloud);
    const scanFrame = mergedFrame ?? this.#frameOf(cloud.topic, cloud);
    const lookups: TransformLookup[] = [];
    const need = (what: string, run: () => unknown): void => {
      lookups.push({ key: `${what} in ${scanFrame}`, run });
    };
    const needForSource = (message: SensorMessage, stamp: bigint): void => {
      const frameId = this.#frameOf(message.topic, message);
      if (mergedFrame !== undefined)
        need(`points of ${frameId}`, () => this.#toScan(frameId, stamp, scanFrame, scanStamp));
      const [first, last] = this.#readableSpan(message) ?? [];
      if (first === undefined || last === undefined) return;
      const [start, end] = [stamp + BigInt(Math.floor(first)), stamp + BigInt(Math.ceil(last))];
      need(`start of ${frameId}`, () => this.#toScan(frameId, start, scanFrame, scanStamp));
      need(`end of ${frameId}`, () => this.#toScan(frameId, end, scanFrame, scanStamp));
    };
    needForSource(cloud, scanStamp);
    for (const { camera, image, cloudTime } of images) {
      const frameId = this.#frameOf(camera, image);
      if (this.#otherSources.has(camera)) needForSource(image, cloudTime);
      else if (this.#cameraInfos.has(camera))
        need(`camera ${frameId}`, () => this.#cloudToCamera(frameId, cloudTime, scanFrame, scanStamp));
    }
    return lookups;
  }

  /** `assemble` reports what is wrong with times that cannot be read. */
  #readableSpan(message: SensorMessage): readonly [first: number, last: number] | undefined {
    try {
      return this.#span(message);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return undefined;
    }
  }

  /**
   * Time has jumped: forgets the transforms of the other time. Those that are already of this one stay, since they may
   * come before the first scan does.
   */
  #enter({ epoch, stamp }: SyncedFrame<SensorMessage, SensorMessage>): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#transforms.forgetFrom(this.#transformTime(stamp) + TRANSFORMS_AHEAD);
    this.#awaited.clear();
  }

  #mergedFrame(cloud: SensorMessage): string | undefined {
    const { mergedFrame } = this.#options;
    return mergedFrame ?? (this.#otherSources.size > 0 ? this.#frameOf(cloud.topic, cloud) : undefined);
  }

  /** Of a message whose header names no frame that of its CameraInfo, which is said once; empty when nothing says it. */
  #frameOf(name: string, { topic, frameId }: SensorMessage): string {
    if (frameId !== "") return frameId;
    const known = this.#cameraInfos.get(name)?.info.header.frameId ?? "";
    if (known !== "" && !this.#nameless.has(name)) {
      this.#nameless.add(name);
      this.#faults.record(new Fault("redundant-field", frameOfCameraInfo(known)).at({ topic }));
    }
    return known;
  }

  #cameraInfo(camera: string, topic: string): CameraInfo {
    const known = this.#cameraInfos.get(camera);
    if (known !== undefined) return known.info;
    throw new Fault(
      "camera-info-missing",
      `no CameraInfo has come for camera ${camera} (image topic ${topic})`,
    );
  }
}

/** What is said of an image whose header names no frame. */
export function frameOfCameraInfo(frameId: string): string {
  return `header.frame_id of the images is empty; that of their CameraInfo is taken: '${frameId}'`;
}
