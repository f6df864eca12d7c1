import { encodeCameraInfo } from "../../messages/cameraInfo.js";
import { decodeDiagnosticArray } from "../../messages/diagnosticArray.js";
import { encodeImage } from "../../messages/image.js";
import { decodePointCloud2, encodePointCloud2 } from "../../messages/pointCloud2.js";
import { decodeScanStatus } from "../../messages/scanStatus.js";
import { encodeTFMessage } from "../../messages/tfMessage.js";
import {
  PointFieldType,
  type DiagnosticStatus,
  type PointCloud2,
  type ScanStatus,
} from "../../messages/types.js";
import type { MemoryRosNode } from "../port/MemoryRosNode.js";

const WIDTH = 320;
const HEIGHT = 160;

/** For tests: a robot with a LiDAR on /points and a camera on /front that talks to a node in memory. */
export class MemoryRobot {
  readonly #ros: MemoryRosNode;
  readonly labelled: PointCloud2[] = [];
  readonly statuses: ScanStatus[] = [];

  /** @param listens to labelled clouds and to the status; true unless told */
  constructor(ros: MemoryRosNode, { listens = true } = {}) {
    this.#ros = ros;
    if (!listens) return;
    ros.listen("~/points_labelled", (cdr) => this.labelled.push(decodePointCloud2(cdr)));
    ros.listen("~/status", (cdr) => this.statuses.push(decodeScanStatus(cdr)));
  }

  /** The camera looks forward from the LiDAR's place. */
  sendStaticTransform(frame = "camera"): void {
    const header = { stamp: 1n, frameId: "lidar" };
    const transform = {
      header,
      childFrameId: frame,
      translation: [0, 0, 0],
      rotation: [-0.5, 0.5, -0.5, 0.5],
    } as const;
    this.#ros.deliver("/tf_static", encodeTFMessage({ transforms: [transform] }));
  }

  /** Where the LiDAR is in odom. */
  sendOdometry(stamp: bigint): void {
    const transform = {
      header: { stamp, frameId: "odom" },
      childFrameId: "lidar",
      translation: [0, 0, 0],
      rotation: [0, 0, 0, 1],
    } as const;
    this.#ros.deliver("/tf", encodeTFMessage({ transforms: [transform] }));
  }

  /** @param latched is it kept for who subscribes later? */
  sendCameraInfo({ latched = false } = {}): void {
    const info = encodeCameraInfo({
      header: { stamp: 1n, frameId: "camera" },
      width: WIDTH,
      height: HEIGHT,
      distortionModel: "plumb_bob",
      d: [0, 0, 0, 0, 0],
      k: [160, 0, 159.5, 0, 160, 79.5, 0, 0, 1],
      r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: [160, 0, 159.5, 0, 0, 160, 79.5, 0, 0, 0, 1, 0],
      binningX: 0,
      binningY: 0,
      roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
    });
    if (latched) this.#ros.peerLatches("/front/camera_info", info);
    else this.#ros.deliver("/front/camera_info", info);
  }

  sendImage(stamp: bigint, frameId = "camera"): void {
    const image = encodeImage({
      header: { stamp, frameId },
      height: HEIGHT,
      width: WIDTH,
      encoding: "rgb8",
      isBigEndian: false,
      step: 3 * WIDTH,
      data: new Uint8Array(3 * WIDTH * HEIGHT).fill(120),
    });
    this.#ros.deliver("/front/image_raw", image);
  }

  /** @param span seconds that the scan takes; without it the points have no times */
  sendCloud(stamp: bigint, span?: number): void {
    this.#ros.deliver("/points", encodePointCloud2(streetCloud(stamp, span)));
  }

  /** The newest /diagnostics status whose name ends so. */
  diagnosis(subject: string): DiagnosticStatus | undefined {
    const messages = this.#ros.published.get("/diagnostics")?.messages ?? [];
    const newest = messages.at(-1);
    if (newest === undefined) return undefined;
    return decodeDiagnosticArray(newest).status.find(({ name }) => name.endsWith(subject));
  }
}

/** Ground ahead of the sensor with a box on it. */
function streetCloud(stamp: bigint, span?: number): PointCloud2 {
  const count = 2000;
  const names = ["x", "y", "z", "intensity", ...(span === undefined ? [] : ["time"])];
  const data = new Float32Array(count * names.length);
  for (let point = 0; point < count; point++) {
    const x = 3 + ((point * 37) % 1000) / 50;
    const y = -8 + ((point * 53) % 800) / 50;
    const z = Math.abs(x - 10) < 1 && Math.abs(y) < 1 ? 0.4 : -1.7;
    const values = [x, y, z, (point % 10) / 10];
    if (span !== undefined) values.push((span * point) / (count - 1));
    data.set(values, point * names.length);
  }
  return {
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: count,
    fields: names.map((name, index) => ({
      name,
      offset: index * 4,
      datatype: PointFieldType.FLOAT32,
      count: 1,
    })),
    isBigEndian: false,
    pointStep: 4 * names.length,
    rowStep: count * 4 * names.length,
    data: new Uint8Array(data.buffer),
    isDense: false,
  };
}
