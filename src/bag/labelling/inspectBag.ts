import { cameraModelFromInfo } from "../../camera/CameraModel.js";
import { Fault } from "../../faults/Fault.js";
import { CAMERA_INFO_TYPE, decodeCameraInfo } from "../../messages/cameraInfo.js";
import { foreignTopic } from "../../messages/foreignTypes.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { pointLayout } from "../../messages/pointLayout.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { CameraInfo, PointCloud2 } from "../../messages/types.js";
import type { BagReader, BagTopic } from "../types.js";
import type {
  BagSummary,
  CameraInfoSummary,
  CloudSummary,
  ImageSummary,
  NearMiss,
  TopicSummary,
  UndecodableTopic,
} from "./BagSummary.js";
import { decodeStamped } from "./impossibleStamps.js";
import { ALL, type ClockOptions } from "./recordedClocks.js";
import { isStaticTf, readFrames } from "./frameTree.js";
import { decodeImageMessage, encodingOf, probePictures } from "./probeImages.js";
import { probeTopic } from "./probeTopic.js";
import { sensorFrames } from "./sensorFrames.js";

/**
 * Reads the first messages of each topic of interest, all static transforms, and the first seconds of others. This is
 * all that the choice of inputs knows of a bag.
 */
export async function inspectBag(
  reader: BagReader,
  { stampedByLog = [] }: Pick<ClockOptions, "stampedByLog"> = {},
): Promise<BagSummary> {
  const warnings: Fault[] = [];
  const undecodable: UndecodableTopic[] = [];
  const topics = reader.topics.filter(
    ({ messageEncoding, messageCount }) => messageEncoding === "cdr" && messageCount > 0,
  );
  const isByLog = (topic: string) => stampedByLog.includes(topic) || stampedByLog.includes(ALL);
  const inspect = async <T, S>(
    types: readonly string[],
    decode: (cdr: Uint8Array<ArrayBuffer>, type: string) => T,
    isUsable: (message: T) => boolean,
    describe: (summary: TopicSummary, first: T) => S | Promise<S>,
  ): Promise<S[]> => {
    const found: S[] = [];
    for (const topic of topics.filter(({ type }) => types.includes(type))) {
      const probe = await probeTopic(
        reader,
        topic,
        (message) => decodeStamped(message, isByLog(topic.topic), (cdr) => decode(cdr, topic.type)),
        isUsable,
      );
      if (probe.fault !== undefined) warnings.push(probe.fault);
      warnings.push(...probe.oddities);
      if (probe.found !== undefined) found.push(await describe(summarize(topic, reader), probe.found));
      else if (probe.fault !== undefined) undecodable.push(undecodableTopic(topic, probe.tried, probe.fault));
    }
    return found;
  };
  const clouds = await inspect([POINT_CLOUD2_TYPE], decodePointCloud2, hasPoints, describeCloud);
  const images = await inspect(
    [IMAGE_TYPE, COMPRESSED_IMAGE_TYPE],
    (cdr, type) => decodeImageMessage(type, cdr),
    () => true,
    async (summary, image): Promise<ImageSummary> => ({
      ...summary,
      type: "encoding" in image ? IMAGE_TYPE : COMPRESSED_IMAGE_TYPE,
      frameId: image.header.frameId,
      encoding: encodingOf(image),
      ...(await probePictures(reader, summary)),
    }),
  );
  const cameraInfos = await inspect(
    [CAMERA_INFO_TYPE],
    decodeCameraInfo,
    isCalibrated,
    (summary, first): CameraInfoSummary => ({ ...summary, first }),
  );
  const tfTopics = topics
    .filter(({ type }) => type === TF_MESSAGE_TYPE)
    .map(({ topic }) => topic)
    .sort((a, b) => Number(isStaticTf(b)) - Number(isStaticTf(a)));
  // Images without any CameraInfo are not used.
  const wanted = sensorFrames({ clouds, images: cameraInfos.length === 0 ? [] : images, cameraInfos });
  const frames = await readFrames(reader, tfTopics, wanted, warnings);
  return {
    path: reader.path,
    startTime: reader.startTime,
    endTime: reader.endTime,
    topics: reader.topics.map((topic) => summarize(topic, reader)),
    clouds,
    images,
    cameraInfos,
    undecodable,
    nearMisses: nearMisses(reader),
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

function hasPoints({ fields, width, height }: PointCloud2): boolean {
  return width * height > 0 && ["x", "y", "z"].every((name) => fields.some((field) => field.name === name));
}

/** Drivers send zeros until a calibration is loaded. */
function isCalibrated(info: CameraInfo): boolean {
  return [false, true].some((rectified) => {
    try {
      // Of any size: which one the images have is seen where they are put together.
      const full = { ...info, binningX: 0, binningY: 0, roi: { ...info.roi, width: 0, height: 0 } };
      cameraModelFromInfo(full, { rectified, imageWidth: info.width, imageHeight: info.height });
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return false;
    }
  });
}

function undecodableTopic(
  { topic, type, messageCount }: BagTopic,
  tried: number,
  fault: Fault,
): UndecodableTopic {
  const which = tried < messageCount ? `of the first ${tried} messages` : `of the ${tried} messages`;
  return {
    topic,
    type,
    fault: new Fault(
      fault.code,
      `none ${which} (${type}) on ${topic} can be decoded, the first because: ${fault.message}`,
      { cause: fault, severity: fault.severity, place: { topic } },
    ),
  };
}

function nearMisses({ topics }: BagReader): NearMiss[] {
  return topics.flatMap(({ topic, type, messageEncoding, messageCount }) => {
    const foreign = messageCount > 0 ? foreignTopic(topic, type, messageEncoding) : undefined;
    return foreign === undefined ? [] : [{ topic, ...foreign }];
  });
}
