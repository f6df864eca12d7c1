import { MAX_PIXELS, sharp } from "../../../camera/libvips.js";
import { Fault } from "../../../faults/Fault.js";
import { CAMERA_INFO_TYPE } from "../../../messages/cameraInfo.js";
import { IMAGE_TYPE } from "../../../messages/image.js";
import { TF_MESSAGE_TYPE } from "../../../messages/tfMessage.js";
import type { Image } from "../../../messages/types.js";
import { compressedImage } from "../dataset/compressedImage.js";
import { inFile, parseNumbers, readBytes, readText } from "../dataset/dataSetFiles.js";
import type { DataSetRecording } from "../dataset/DataSetRecording.js";
import { pinholeCameraInfo } from "../dataset/pinholeCameraInfo.js";
import { poseFromRows } from "../dataset/poseFromMatrix.js";
import { SkippedFrames } from "../dataset/SkippedFrames.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { reasonOf } from "../../../files/systemError.js";
import { stampOf } from "../dataset/frameNames.js";
import { findRgbdFrames, type RgbdFrame, type RgbdFrames } from "./findRgbdFrames.js";

export const RGBD_DEPTH_TOPIC = "/camera/depth/image_rect";
export const RGBD_FRAME = "camera_optical_frame";
const DEPTH_INFO_TOPIC = "/camera/depth/camera_info";
const WORLD_FRAME = "world";

/** Files have no times, and time 0 means "no time" in ROS: frame 0 is at this one. */
const START = 1_000_000_000n * 1_000_000_000n;
/** Frames per second of the cameras of ScanNet and 7-Scenes. */
const FRAME_RATE = 30n;
/** The Kinect's mark of pixels without depth, which is 0 in REP 118. */
const NO_DEPTH = 65_535;

/**
 * A folder of depth and colour images with poses (ScanNet as its reader exports it, 7-Scenes) as ROS messages: depth in
 * millimetres on /camera/depth/image_rect (16UC1, 0 = none), colour on /camera/color/image_rect_color/compressed,
 * each with camera_info, and /tf (world to camera_optical_frame). Both images have the same frame: the few centimetres
 * between the two cameras are not in the files. A frame whose tracking was lost has no /tf.
 */
export class RgbdRecording implements DataSetRecording {
  readonly #folder: string;
  readonly #found: RgbdFrames;
  readonly #skipped: SkippedFrames;

  private constructor(folder: string, found: RgbdFrames, skipped: SkippedFrames) {
    this.#folder = folder;
    this.#found = found;
    this.#skipped = skipped;
  }

  /** @throws Fault `data-set-unreadable`, see `findRgbdFrames` */
  static async open(folder: string): Promise<RgbdRecording> {
    const skipped = new SkippedFrames();
    return new RgbdRecording(folder, await findRgbdFrames(folder, skipped), skipped);
  }

  get scanCount(): number {
    return this.#found.frames.length;
  }

  get warnings(): readonly Fault[] {
    return this.#skipped.faults;
  }

  async *messages(): AsyncGenerator<RecordedMessage, void, void> {
    for (const [place, frame] of this.#found.frames.entries()) {
      const stamp = await this.#skipped.unless(() =>
        stampOf(frame, place, (n) => START + (n * 1_000_000_000n) / FRAME_RATE),
      );
      if (stamp === undefined) continue;
      const depth = await this.#skipped.unlessScan(() => this.#depth(frame, stamp));
      if (depth === undefined) continue;
      const pose = await this.#skipped.unless(() => readPose(frame, stamp));
      if (pose !== undefined) yield pose;
      yield* (await this.#skipped.unless(() => this.#color(frame, stamp))) ?? [];
      yield* depth;
    }
    this.#skipped.requireSome(this.#folder);
  }

  async #depth({ depth: file }: RgbdFrame, stamp: bigint): Promise<readonly RecordedMessage[]> {
    const header = { stamp, frameId: RGBD_FRAME };
    const bytes = await readBytes(file);
    const { width, height, data } = await inFile(file, () => decodeMillimetres(bytes));
    const message: Image = {
      header,
      height,
      width,
      encoding: "16UC1",
      isBigEndian: false,
      step: 2 * width,
      data,
    };
    const info = pinholeCameraInfo(header, this.#found.depthIntrinsics, [width, height]);
    return [
      { topic: DEPTH_INFO_TOPIC, type: CAMERA_INFO_TYPE, stamp, message: info },
      { topic: RGBD_DEPTH_TOPIC, type: IMAGE_TYPE, stamp, message },
    ];
  }

  async #color({ color, depth }: RgbdFrame, stamp: bigint): Promise<readonly RecordedMessage[]> {
    const intrinsics = this.#found.colorIntrinsics;
    // Said once, for all frames.
    if (intrinsics === undefined) return [];
    if (color === undefined) throw new Fault("data-set-unreadable", `${depth} has no colour image`);
    const camera = { namespace: "/camera/color", intrinsics };
    const bytes = await readBytes(color);
    return inFile(color, () => compressedImage(camera, { stamp, frameId: RGBD_FRAME }, bytes));
  }
}

/** The 4x4 matrix that maps points of the camera to the world, row-major. */
async function readPose({ pose: file }: RgbdFrame, stamp: bigint): Promise<RecordedMessage> {
  const text = await readText(file);
  const rows = parseNumbers(text);
  if (rows?.length !== 16) {
    throw new Fault(
      "data-set-unreadable",
      `${file} must be 16 numbers, it is '${text.trim()}': there is no pose`,
    );
  }
  const pose = await inFile(file, () => poseFromRows(rows));
  const transform = { header: { stamp, frameId: WORLD_FRAME }, childFrameId: RGBD_FRAME, ...pose };
  return { topic: "/tf", type: TF_MESSAGE_TYPE, stamp, message: { transforms: [transform] } };
}

/** Little-endian uint16 per pixel. */
async function decodeMillimetres(png: Uint8Array): Promise<Pick<Image, "width" | "height" | "data">> {
  const image = sharp(png, { failOn: "error", limitInputPixels: MAX_PIXELS });
  const decoded = await image
    .metadata()
    .then(async ({ depth, channels }) => {
      if (depth === "ushort" && channels === 1) {
        return image.toColourspace("grey16").raw({ depth: "ushort" }).toBuffer({ resolveWithObject: true });
      }
      throw new Fault(
        "data-set-unreadable",
        `depth images have one channel of 16 bits, it has ${channels} of type ${depth}`,
      );
    })
    .catch((error: unknown) => {
      if (error instanceof Fault) throw error;
      throw new Fault("data-set-unreadable", `it cannot be decoded: ${reasonOf(error)}`, { cause: error });
    });
  const { data, info } = decoded;
  const millimetres = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
  const bytes = new Uint8Array(2 * millimetres.length);
  const view = new DataView(bytes.buffer);
  for (let pixel = 0; pixel < millimetres.length; pixel++) {
    const value = millimetres[pixel]!;
    if (value !== NO_DEPTH) view.setUint16(2 * pixel, value, true);
  }
  return { width: info.width, height: info.height, data: bytes };
}
