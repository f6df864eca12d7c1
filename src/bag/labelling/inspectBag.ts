import type { CameraInfo, PointCloud2 } from "../../messages/types.js";
import { CAMERA_INFO_TYPE, decodeCameraInfo } from "../../messages/cameraInfo.js";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeCompressedImage,
  decodeImage,
  IMAGE_TYPE,
} from "../../messages/image.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { pointLayout, type PointLayout } from "../../messages/pointLayout.js";
import { decodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { Fault, type MessagePlace } from "../../faults/Fault.js";
import type { QosProfile } from "../qosProfile.js";
import type { BagReader, BagTopic } from "../types.js";

export interface TopicSummary {
  readonly topic: string;
  readonly type: string;
  readonly messageCount: number;
  /** Messages per second over the length of the bag; undefined for fewer than two messages. */
  readonly rate: number | undefined;
  readonly offeredQos: readonly QosProfile[];
}

export interface CloudSummary extends TopicSummary {
  readonly frameId: string;
  /** Of the first cloud. */
  readonly pointCount: number;
  readonly fields: readonly string[];
  /** What they mean. */
  readonly layout: PointLayout;
}

export interface ImageSummary extends TopicSummary {
  readonly type: typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;
  readonly frameId: string;
  /** `encoding` of an Image, `format` of a CompressedImage. */
  readonly encoding: string;
  /** Width and height in pixels of an Image; unknown before decompression. */
  readonly size?: readonly [width: number, height: number];
}

export interface CameraInfoSummary extends TopicSummary {
  readonly first: CameraInfo;
}

export interface FrameSummary {
  readonly frame: string;
  readonly parent: string;
  readonly isStatic: boolean;
}

/** What is in a bag, as far as labelling its clouds goes. */
export interface BagSummary {
  readonly path: string;
  /** Nanoseconds of log time; undefined in an empty bag. */
  readonly startTime: bigint | undefined;
  readonly endTime: bigint | undefined;
  readonly topics: readonly TopicSummary[];
  readonly clouds: readonly CloudSummary[];
  readonly images: readonly ImageSummary[];
  readonly cameraInfos: readonly CameraInfoSummary[];
  /** Topics with transforms, those named tf_static first. */
  readonly tfTopics: readonly string[];
  /** Frames with a parent, by name. */
  readonly frames: readonly FrameSummary[];
  /** What is wrong with the bag, or with the messages that were looked at. */
  readonly warnings: readonly Fault[];
}

/** Moving frames are looked for in this much of the bag, in nanoseconds: each of them moves more often. */
const TF_SPAN = 5_000_000_000n;
/** Messages of a topic that are tried until one can be decoded. */
const ATTEMPTS = 5;

/** Reads the first message of each topic of interest, all static transforms, and the first seconds of others. */
export async function inspectBag(reader: BagReader): Promise<BagSummary> {
  const warnings: Fault[] = [];
  const topics = reader.topics.filter(({ messageEncoding }) => messageEncoding === "cdr");
  const inspect = async <T, S>(
    type: string,
    decode: (cdr: Uint8Array) => T,
    describe: (summary: TopicSummary, first: T) => S,
  ): Promise<S[]> => {
    const found: S[] = [];
    for (const topic of topics.filter((candidate) => candidate.type === type && candidate.messageCount > 0)) {
      const first = await firstMessage(reader, topic.topic, decode, warnings);
      if (first !== undefined) found.push(describe(summarize(topic, reader), first));
    }
    return found;
  };
  const clouds = await inspect(POINT_CLOUD2_TYPE, decodePointCloud2, describeCloud);
  const raw = await inspect(IMAGE_TYPE, decodeImage, (summary, image): ImageSummary => ({
    ...summary,
    type: IMAGE_TYPE,
    frameId: image.header.frameId,
    encoding: image.encoding,
    size: [image.width, image.height],
  }));
  const compressed = await inspect(
    COMPRESSED_IMAGE_TYPE,
    decodeCompressedImage,
    (summary, image): ImageSummary => ({
      ...summary,
      type: COMPRESSED_IMAGE_TYPE,
      frameId: image.header.frameId,
      encoding: image.format,
    }),
  );
  const cameraInfos = await inspect(
    CAMERA_INFO_TYPE,
    decodeCameraInfo,
    (summary, first): CameraInfoSummary => ({
      ...summary,
      first,
    }),
  );
  const tfTopics = topics
    .filter(({ type, messageCount }) => type === TF_MESSAGE_TYPE && messageCount > 0)
    .map(({ topic }) => topic)
    .sort((a, b) => Number(isStaticTf(b)) - Number(isStaticTf(a)));
  const frames = await readFrames(reader, tfTopics, warnings);
  return {
    path: reader.path,
    startTime: reader.startTime,
    endTime: reader.endTime,
    topics: reader.topics.map((topic) => summarize(topic, reader)),
    clouds,
    images: [...raw, ...compressed],
    cameraInfos,
    tfTopics,
    frames,
    warnings: [...reader.warnings, ...warnings],
  };
}

/** Is this a topic of transforms that hold for all time? */
export function isStaticTf(topic: string): boolean {
  return /(^|\/)tf_static$/.test(topic);
}

function summarize(
  { topic, type, messageCount, offeredQos }: BagTopic,
  { startTime, endTime }: BagReader,
): TopicSummary {
  const seconds = startTime === undefined || endTime === undefined ? 0 : Number(endTime - startTime) / 1e9;
  const rate = messageCount < 2 || seconds === 0 ? undefined : (messageCount - 1) / seconds;
  return { topic, type, messageCount, rate, offeredQos };
}

function describeCloud(summary: TopicSummary, cloud: PointCloud2): CloudSummary {
  const { header, width, height, fields } = cloud;
  return {
    ...summary,
    frameId: header.frameId,
    pointCount: width * height,
    fields: fields.map(({ name }) => name),
    layout: pointLayout(cloud),
  };
}

async function firstMessage<T>(
  reader: BagReader,
  topic: string,
  decode: (cdr: Uint8Array) => T,
  warnings: Fault[],
): Promise<T | undefined> {
  let attempts = 0;
  for await (const { data, logTime } of reader.messages({ topics: [topic] })) {
    const message = decoded(() => decode(data), { topic, logTime }, warnings);
    attempts++;
    if (message !== undefined || attempts === ATTEMPTS) return message;
  }
  return undefined;
}

async function readFrames(
  reader: BagReader,
  tfTopics: readonly string[],
  warnings: Fault[],
): Promise<readonly FrameSummary[]> {
  const frames = new Map<string, FrameSummary>();
  const { startTime } = reader;
  if (startTime === undefined) return [];
  for (const topic of tfTopics) {
    const isStatic = isStaticTf(topic);
    const span = isStatic ? {} : { endTime: startTime + TF_SPAN };
    for await (const { data, logTime } of reader.messages({ topics: [topic], ...span })) {
      const message = decoded(() => decodeTFMessage(data), { topic, logTime }, warnings);
      for (const { header, childFrameId } of message?.transforms ?? []) {
        const frame = withoutSlash(childFrameId);
        if (!frames.has(frame)) frames.set(frame, { frame, parent: withoutSlash(header.frameId), isStatic });
      }
    }
  }
  return [...frames.values()].sort((a, b) => (a.frame < b.frame ? -1 : 1));
}

/** The result, or undefined and a warning when the message is malformed. */
function decoded<T>(decode: () => T, place: MessagePlace, warnings: Fault[]): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    warnings.push(error.at(place));
    return undefined;
  }
}

/** tf2 ignores the slash that ROS 1 put in front of frame names. */
export function withoutSlash(frame: string): string {
  return frame.startsWith("/") ? frame.slice(1) : frame;
}
