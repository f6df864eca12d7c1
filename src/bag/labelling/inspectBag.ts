import type { PointCloud2 } from "../../messages/types.js";
import { CAMERA_INFO_TYPE, decodeCameraInfo } from "../../messages/cameraInfo.js";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeCompressedImage,
  decodeImage,
  IMAGE_TYPE,
} from "../../messages/image.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { pointLayout } from "../../messages/pointLayout.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { Fault } from "../../faults/Fault.js";
import type { BagReader, BagTopic } from "../types.js";
import type {
  BagSummary,
  CameraInfoSummary,
  CloudSummary,
  ImageSummary,
  TopicSummary,
} from "./BagSummary.js";
import { firstMessage } from "./firstMessage.js";
import { isStaticTf, readFrames } from "./frameTree.js";

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
