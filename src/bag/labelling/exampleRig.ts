/** Small recordings for tests of what is chosen from them. */
import path from "node:path";
import { exampleOf } from "../../messages/exampleMessages.js";
import type { CameraInfo, CompressedImage, Header, Image, PointCloud2 } from "../../messages/types.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { RecordedMessage } from "../RecordedMessage.js";
import type { BagSummary } from "./BagSummary.js";
import { inspectBag } from "./inspectBag.js";

/** Writes the messages as a bag and inspects it. */
export async function inspect(
  messages: Iterable<RecordedMessage> | AsyncIterable<RecordedMessage>,
): Promise<BagSummary> {
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "drive.mcap"));
    for await (const message of messages) await writer.record(message);
    await writer.close();
    const reader = await openBag(writer.path);
    const summary = await inspectBag(reader);
    await reader.close();
    return { ...summary, path: "BAG" };
  });
}

/** 3x2 pixels, as the example image. */
export const PNG = Uint8Array.from(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQImWM4kWIEQQxwFgBVoAg1QjrHiwAAAABJRU5ErkJggg==",
    "base64",
  ),
);
/** compressedDepth of 3x2 pixels: its header of 12 bytes, and a grey PNG of 16 bits. */
const DEPTH_PNG = Uint8Array.from([
  ...new Uint8Array(12),
  ...Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAFElEQVQImWN48YKZ+cULBhDBzAwALN8Fgx4JLAwAAAAASUVORK5CYII=",
    "base64",
  ),
]);

export const header = (frameId: string): Header => ({ stamp: 5n, frameId });

export function cloud(topic: string, frameId = "lidar"): RecordedMessage {
  const message = exampleOf("sensor_msgs/msg/PointCloud2") as PointCloud2;
  return {
    topic,
    type: "sensor_msgs/msg/PointCloud2",
    stamp: 5n,
    message: { ...message, header: header(frameId) },
  };
}

export function image(topic: string, frameId: string, changes: Partial<Image> = {}): RecordedMessage {
  const message = exampleOf("sensor_msgs/msg/Image") as Image;
  return {
    topic,
    type: "sensor_msgs/msg/Image",
    stamp: 5n,
    message: { ...message, header: header(frameId), ...changes },
  };
}

export function compressed(
  topic: string,
  frameId: string,
  format = "rgb8; jpeg compressed bgr8",
): RecordedMessage {
  const message: CompressedImage = {
    header: header(frameId),
    format,
    data: format.includes("Depth") ? DEPTH_PNG : PNG,
  };
  return { topic, type: "sensor_msgs/msg/CompressedImage", stamp: 5n, message };
}

/** For the 3x2 pixels of the example image. */
export function info(topic: string, changes: Partial<CameraInfo> = {}): RecordedMessage {
  const message = exampleOf("sensor_msgs/msg/CameraInfo") as CameraInfo;
  const whole = { xOffset: 0, yOffset: 0, width: 0, height: 0, doRectify: false };
  const size = { width: 3, height: 2, binningX: 0, binningY: 0, roi: whole };
  return {
    topic,
    type: "sensor_msgs/msg/CameraInfo",
    stamp: 5n,
    message: { ...message, ...size, ...changes },
  };
}

export function transform(parent: string, child: string, topic = "/tf_static"): RecordedMessage {
  const pose = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] } as const;
  const transforms = [{ header: header(parent), childFrameId: child, ...pose }];
  return { topic, type: "tf2_msgs/msg/TFMessage", stamp: 5n, message: { transforms } };
}

/** A cloud and a camera, connected. */
export const RIG: readonly RecordedMessage[] = [
  cloud("/points"),
  image("/front/image_raw", "front"),
  info("/front/camera_info"),
  transform("base_link", "lidar"),
  transform("/base_link", "/front"),
];

/** Of an image of 3x2 pixels. */
export const DEPTH = { encoding: "16UC1", step: 6, data: new Uint8Array(12) };
