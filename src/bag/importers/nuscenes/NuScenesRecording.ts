import { Fault } from "../../../faults/Fault.js";
import { POINT_CLOUD2_TYPE } from "../../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../../messages/tfMessage.js";
import type { PointCloud2 } from "../../../messages/types.js";
import { compressedImage } from "../dataset/compressedImage.js";
import { fileInside, inFile, readBytes } from "../dataset/dataSetFiles.js";
import type { DataSetRecording } from "../dataset/DataSetRecording.js";
import { floatCloud } from "../dataset/floatCloud.js";
import { groundTruthInfo, withGroundTruth } from "../dataset/groundTruth.js";
import { SkippedFrames } from "../dataset/SkippedFrames.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { NUSCENES_LIDARSEG } from "./lidarsegClasses.js";
import {
  type NuScenesData,
  type NuScenesScene,
  type NuScenesSceneOptions,
  type NuScenesSensor,
  readNuScenesScene,
} from "./nuScenesScene.js";

export const NUSCENES_CLOUD_TOPIC = "/nuscenes/lidar_top/points";
const MAP_FRAME = "map";
const BASE_FRAME = "base_link";
const COLUMNS = ["x", "y", "z", "intensity", "ring"];

/**
 * A scene of nuScenes as ROS messages: scans on /nuscenes/lidar_top/points (x, y, z in metres, intensity 0..255 and
 * ring, float32; frame lidar_top; where there is nuScenes-lidarseg `ground_truth`, uint8 ids 0..16 of the challenge),
 * the cameras' images on /nuscenes/<camera>/image_rect_color/compressed with camera_info, /tf_static, and /tf (map to
 * base_link) at the time of every scan and image.
 */
export class NuScenesRecording implements DataSetRecording {
  readonly #root: string;
  readonly #scene: NuScenesScene;
  readonly #skipped: SkippedFrames;

  private constructor(root: string, scene: NuScenesScene, skipped: SkippedFrames) {
    this.#root = root;
    this.#scene = scene;
    this.#skipped = skipped;
  }

  /**
   * @param root folder of the data set, with v1.0-mini (or another version) and samples in it
   * @throws Fault `data-set-unreadable`, see `readNuScenesScene`
   */
  static async open(root: string, options: NuScenesSceneOptions = {}): Promise<NuScenesRecording> {
    const skipped = new SkippedFrames();
    return new NuScenesRecording(root, await readNuScenesScene(root, options, skipped), skipped);
  }

  /** Such as scene-0061. */
  get sceneName(): string {
    return this.#scene.name;
  }

  get scanCount(): number {
    return this.#scene.data.filter(({ sensor }) => sensor.intrinsics === undefined).length;
  }

  get mayLackScans(): boolean {
    return this.#skipped.mayLackScans;
  }

  get warnings(): readonly Fault[] {
    return this.#skipped.faults;
  }

  async *messages(): AsyncGenerator<RecordedMessage, void, void> {
    const { data, hasLabels, name } = this.#scene;
    const first = data[0]!.stamp;
    yield this.#staticTransforms(first);
    if (hasLabels) yield groundTruthInfo(first, NUSCENES_LIDARSEG.classNames);
    for (const entry of data) {
      const { sensor } = entry;
      const { intrinsics } = sensor;
      const messages =
        intrinsics === undefined
          ? await this.#skipped.unlessScan(() => this.#scan(entry))
          : await this.#skipped.unless(() => this.#image(entry, intrinsics));
      if (messages === undefined) continue;
      yield egoPose(entry);
      yield* messages;
    }
    this.#skipped.requireSome(`${name} of ${this.#root}`);
  }

  async #scan({ file, labels, sensor, stamp }: NuScenesData): Promise<readonly RecordedMessage[]> {
    const scan = fileInside(this.#root, file);
    const bytes = await readBytes(scan);
    const header = { stamp, frameId: frameOf(sensor) };
    const cloud = await inFile(scan, () => floatCloud(header, COLUMNS, bytes));
    const message = this.#scene.hasLabels ? await this.#labelled(cloud, scan, labels) : cloud;
    return [{ topic: NUSCENES_CLOUD_TOPIC, type: POINT_CLOUD2_TYPE, stamp, message }];
  }

  /** Scans without labels, those between key frames, are ignored points from first to last. */
  async #labelled(cloud: PointCloud2, scan: string, labels: string | undefined): Promise<PointCloud2> {
    if (labels === undefined) return withGroundTruth(cloud, new Uint8Array(cloud.width));
    const file = fileInside(this.#root, labels);
    const raw = await readBytes(file);
    return inFile(file, () => {
      if (raw.length !== cloud.width) {
        throw new Fault(
          "data-set-unreadable",
          `it has ${raw.length} labels for the ${cloud.width} points of ${scan}`,
        );
      }
      return withGroundTruth(cloud, NUSCENES_LIDARSEG.apply(raw));
    });
  }

  async #image(
    { file, sensor, stamp }: NuScenesData,
    intrinsics: NonNullable<NuScenesSensor["intrinsics"]>,
  ): Promise<readonly RecordedMessage[]> {
    const image = fileInside(this.#root, file);
    const bytes = await readBytes(image);
    const camera = { namespace: `/nuscenes/${sensor.channel.toLowerCase()}`, intrinsics };
    return inFile(image, () => compressedImage(camera, { stamp, frameId: frameOf(sensor) }, bytes));
  }

  #staticTransforms(stamp: bigint): RecordedMessage {
    const transforms = this.#scene.sensors.map((sensor) => ({
      header: { stamp, frameId: BASE_FRAME },
      childFrameId: frameOf(sensor),
      ...sensor.inBase,
    }));
    return { topic: "/tf_static", type: TF_MESSAGE_TYPE, stamp, message: { transforms } };
  }
}

function egoPose({ stamp, basePose }: NuScenesData): RecordedMessage {
  const transform = { header: { stamp, frameId: MAP_FRAME }, childFrameId: BASE_FRAME, ...basePose };
  return { topic: "/tf", type: TF_MESSAGE_TYPE, stamp, message: { transforms: [transform] } };
}

/** Camera frames of nuScenes are optical frames: x right, y down, z forward. */
function frameOf({ channel, intrinsics }: NuScenesSensor): string {
  const name = channel.toLowerCase();
  return intrinsics === undefined ? name : `${name}_optical_frame`;
}
