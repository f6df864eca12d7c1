import { Fault } from "../../faults/Fault.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { BagSummary, CameraInfoSummary, CloudSummary, ImageSummary } from "./BagSummary.js";
import { cameraInfoOf } from "./cameraInfoOf.js";
import { isDepth, isRectified } from "./imageRoles.js";
import { bestPerNamespace } from "./imagePreference.js";
import type { CloudInput, InputOverrides } from "./InputSelection.js";
import { listed } from "./listed.js";

/** Topics in a sentence. */
const MOST_TOPICS = 8;

/** A cloud, or a depth image, and the frame of its points. */
export interface Source {
  readonly input: CloudInput;
  readonly frameId: string;
}

/** @throws Fault `invalid-configuration`: see `chooseInputs` */
export function chooseSources(
  summary: BagSummary,
  overrides: InputOverrides,
): readonly [Source, ...Source[]] {
  const { cloudTopics } = overrides;
  if (cloudTopics !== undefined && cloudTopics.length > 0) {
    const repeated = cloudTopics.find((topic, i) => cloudTopics.indexOf(topic) < i);
    if (repeated !== undefined) {
      throw new Fault(
        "invalid-configuration",
        `${repeated} is given twice as a cloud; each can be used once`,
      );
    }
    return cloudTopics.map((topic) => namedSource(summary, topic, overrides)) as [Source, ...Source[]];
  }
  const { path, clouds } = summary;
  const withPoints = clouds.filter(({ fields }) => ["x", "y", "z"].every((name) => fields.includes(name)));
  // A recording of the node, or a labelled bag, has results beside what they were made from.
  const unlabelled = withPoints.filter(({ fields }) => !isResult(fields));
  const usable = unlabelled.length > 0 ? unlabelled : withPoints;
  const sources = usable.length > 0 ? usable.map(pointSource) : depthSources(summary, overrides);
  const [source, ...others] = sources;
  if (source === undefined) {
    throw withoutCloud(summary);
  }
  if (others.length > 0) {
    throw new Fault(
      "invalid-configuration",
      `${path} has ${sources.length} ${usable.length > 0 ? "clouds" : "depth images"}, choose one of them: ` +
        listed(sources.map(({ input }) => input)),
    );
  }
  return [source];
}

/** What labelColumns adds. */
function isResult(fields: readonly string[]): boolean {
  return ["label", "confidence", "rgb"].every((name) => fields.includes(name));
}

function pointSource({ topic, frameId }: CloudSummary): Source {
  return { input: { kind: "points", topic }, frameId };
}

/** The depth images that have a CameraInfo; of those in one namespace the best recorded. */
function depthSources(summary: BagSummary, overrides: InputOverrides): Source[] {
  const infos = new Map<ImageSummary, CameraInfoSummary>();
  for (const image of summary.images.filter((candidate) => isDepth(candidate) && !candidate.unreadable)) {
    const info = cameraInfoOf(summary, image, overrides);
    if (!(info instanceof Fault)) infos.set(image, info);
  }
  return bestPerNamespace([...infos.keys()]).map((image) => depthSource(image, infos.get(image)!, overrides));
}

function depthSource(
  { topic, frameId }: ImageSummary,
  info: CameraInfoSummary,
  overrides: InputOverrides,
): Source {
  const rectified = isRectified(topic, overrides);
  return {
    input: { kind: "depth", topic, cameraInfoTopic: info.topic, rectified },
    frameId: frameId || info.first.header.frameId,
  };
}

function namedSource(summary: BagSummary, wanted: string, overrides: InputOverrides): Source {
  const { path, clouds, images } = summary;
  const cloud = clouds.find(({ topic }) => topic === wanted);
  if (cloud !== undefined) return pointSource(cloud);
  const image = images.find(({ topic }) => topic === wanted);
  if (image !== undefined && isDepth(image)) {
    if (image.unreadable !== undefined) throw image.unreadable;
    const info = cameraInfoOf(summary, image, overrides);
    if (info instanceof Fault) throw info;
    return depthSource(image, info, overrides);
  }
  const reason = notACloud(summary, wanted, image);
  const depths = images.filter(isDepth);
  throw new Fault(
    "invalid-configuration",
    `${path}: ${reason}; its clouds are: ${listed(clouds)}` +
      (depths.length > 0 ? `; its depth images are: ${listed(depths)}` : ""),
  );
}

function notACloud(
  { topics, nearMisses, undecodable }: BagSummary,
  wanted: string,
  image: ImageSummary | undefined,
): string {
  const isWanted = ({ topic }: { readonly topic: string }): boolean => topic === wanted;
  const known = nearMisses.find(isWanted)?.sentence ?? undecodable.find(isWanted)?.fault.message;
  if (known !== undefined) return known;
  const other = topics.find(isWanted);
  if (other === undefined) return `${wanted} is not in the bag`;
  return `${wanted} carries ${other.type} and no readable PointCloud2${image === undefined ? "" : " or depth image"}`;
}

/** What comes nearest to a cloud is named, with what would make one of it. */
function withoutCloud(summary: BagSummary): Fault {
  const { path, topics, clouds, images, undecodable, nearMisses } = summary;
  const looked = new Set([...clouds, ...undecodable, ...nearMisses].map(({ topic }) => topic));
  const reasons = [
    ...undecodable.filter(({ type }) => type === POINT_CLOUD2_TYPE).map(({ fault }) => fault.message),
    ...clouds.map(({ topic, fields }) =>
      fields.length === 0
        ? `the clouds on ${topic} have no fields at all`
        : `the clouds on ${topic} have only the fields ${fields.join(" ")}`,
    ),
    ...nearMisses.filter(({ role }) => role === "cloud").map(({ sentence }) => sentence),
    ...topics
      .filter(({ topic, type }) => type === POINT_CLOUD2_TYPE && !looked.has(topic))
      .map(({ topic, messageCount }) =>
        messageCount === 0
          ? `${topic} has the type, but no message was recorded`
          : `none of the ${messageCount} messages on ${topic} can be read from the file`,
      ),
    ...images.filter(isDepth).flatMap(({ unreadable }) => (unreadable ? [unreadable.message] : [])),
  ];
  return new Fault(
    "invalid-configuration",
    `${path} has no topic of type PointCloud2 with fields x, y and z` +
      (images.some(isDepth) ? ", and no depth image with a CameraInfo" : "") +
      (reasons.length > 0 ? reasons : [contents(topics)]).map((reason) => `; ${reason}`).join(""),
  );
}

/** Where nothing comes near a cloud, what there is tells best whether it is the wrong file. */
function contents(topics: BagSummary["topics"]): string {
  if (topics.length === 0) return "it has no topics at all";
  const some = topics.slice(0, MOST_TOPICS).map(({ topic, type }) => `${topic} (${type || "no type"})`);
  const rest = topics.length > MOST_TOPICS ? ` and ${topics.length - MOST_TOPICS} more` : "";
  return `its topics are ${some.join(", ")}${rest}`;
}
