import { Fault } from "../../faults/Fault.js";
import type { COMPRESSED_IMAGE_TYPE } from "../../messages/image.js";
import { IMAGE_TYPE } from "../../messages/image.js";
import { isRectifiedTopic } from "../../messages/imageTopics.js";
import type { BagSummary, CameraInfoSummary, CloudSummary, ImageSummary } from "./inspectBag.js";
import { withoutSlash } from "./inspectBag.js";
import { isOverlay } from "./outputTopics.js";

/** What the user decided; the rest is chosen. */
export interface InputOverrides {
  /**
   * PointCloud2 topics, or depth images to make points of; needed when a bag has several. Several are merged, at the
   * stamps of the first.
   */
  readonly cloudTopics?: readonly string[];
  /** Merge the points in this frame; by default that of the first topic when there are several, else none. */
  readonly targetFrame?: string;
  /** Exactly these, in this order; an empty list for none. By default every camera that can be used. */
  readonly imageTopics?: readonly string[];
  /** CameraInfo topic by image topic, where names do not tell. */
  readonly cameraInfoTopics?: Readonly<Record<string, string>>;
  /** Image topics that are rectified, and that are not; by default their names tell. */
  readonly rectifiedTopics?: readonly string[];
  readonly rawTopics?: readonly string[];
}

export type CloudInput =
  | { readonly kind: "points"; readonly topic: string }
  | {
      readonly kind: "depth";
      readonly topic: string;
      readonly cameraInfoTopic: string;
      /** P of the CameraInfo holds, not K and D. */
      readonly rectified: boolean;
    };

export interface CameraInput {
  /** Unique: the last part of the image topic's namespace, or as much of the topic as tells cameras apart. */
  readonly name: string;
  readonly imageTopic: string;
  readonly imageType: typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;
  readonly cameraInfoTopic: string;
  /** P of the CameraInfo holds, not K and D. */
  readonly rectified: boolean;
}

export interface InputSelection {
  /** The first sets the stamps of the scans. */
  readonly clouds: readonly [CloudInput, ...CloudInput[]];
  /** The points of all clouds are merged in this frame; absent when the only cloud stays as it came. */
  readonly mergedFrame?: string;
  readonly cameras: readonly CameraInput[];
  /** Those named tf_static first. */
  readonly tfTopics: readonly string[];
  /** Why cameras of the bag are not used: `camera-info-missing`, `transform-missing`, `camera-info-mismatch`. */
  readonly problems: readonly Fault[];
}

/**
 * Decides which topics of a bag are labelled and fused.
 *
 * A camera is an image topic with the CameraInfo beside it (image_transport: `<namespace>/camera_info`)
 * and a way from the cloud's frame to its own in the transforms. Of several images in one namespace one
 * whose name says so (image*, color*, rgb*) is used, then that with the most messages, rectified before raw,
 * uncompressed before compressed; depth images are no cameras, but a bag without a cloud and with one depth image that
 * has a CameraInfo is labelled by that.
 *
 * @throws Fault `invalid-configuration` when an override does not fit the bag, or none was given and the
 * bag has no cloud or several; an image topic that the user named and that cannot be used is one too
 */
export function chooseInputs(summary: BagSummary, overrides: InputOverrides = {}): InputSelection {
  const sources = chooseSources(summary, overrides);
  const [first] = sources;
  const mergedFrame = overrides.targetFrame ?? (sources.length > 1 ? first.frameId : undefined);
  const scan = { topic: first.input.topic, frameId: mergedFrame ?? first.frameId };
  for (const { input, frameId } of sources) {
    const problem = unconnected(summary, scan, { topic: input.topic, frameId });
    if (problem !== undefined) throw problem;
  }
  const used = new Set(sources.map(({ input }) => input.topic));
  // A recording of the node has the images that it paints beside those of cameras.
  const topics = new Set(summary.topics.map(({ topic }) => topic));
  const candidates =
    overrides.imageTopics?.map((topic) => namedImage(summary, topic)) ??
    onePerCamera(summary.images.filter(({ topic }) => !used.has(topic) && !isOverlay(topic, topics)));
  const problems: Fault[] = [];
  const usable: { image: ImageSummary; cameraInfoTopic: string }[] = [];
  for (const image of candidates) {
    const result = checkCamera(summary, scan, image, overrides.cameraInfoTopics?.[image.topic]);
    if (!(result instanceof Fault)) usable.push({ image, cameraInfoTopic: result.topic });
    else if (overrides.imageTopics !== undefined) throw result;
    else problems.push(result);
  }
  const names = uniqueNames(usable.map(({ image }) => image.topic));
  return {
    clouds: sources.map(({ input }) => input) as [CloudInput, ...CloudInput[]],
    ...(mergedFrame !== undefined && { mergedFrame }),
    cameras: usable.map(({ image, cameraInfoTopic }, i) => ({
      name: names[i]!,
      imageTopic: image.topic,
      imageType: image.type,
      cameraInfoTopic,
      rectified: isRectified(image.topic, overrides),
    })),
    tfTopics: summary.tfTopics,
    problems,
  };
}

/** A cloud, or a depth image, and the frame of its points. */
interface Source {
  readonly input: CloudInput;
  readonly frameId: string;
}

function chooseSources(summary: BagSummary, overrides: InputOverrides): readonly [Source, ...Source[]] {
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
    throw new Fault(
      "invalid-configuration",
      `${path} has no topic of type PointCloud2 with fields x, y and z` +
        (summary.images.some(isDepth) ? ", and no depth image with a CameraInfo" : ""),
    );
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
  const infoOfDepth = (image: ImageSummary): CameraInfoSummary | undefined =>
    infoOf(summary, image, overrides.cameraInfoTopics?.[image.topic]);
  const depths = summary.images.filter((image) => isDepth(image) && infoOfDepth(image) !== undefined);
  return bestPerNamespace(depths).map((image) => depthSource(image, infoOfDepth(image)!, overrides));
}

function depthSource(
  { topic, frameId }: ImageSummary,
  info: CameraInfoSummary,
  overrides: InputOverrides,
): Source {
  const rectified = isRectified(topic, overrides);
  return { input: { kind: "depth", topic, cameraInfoTopic: info.topic, rectified }, frameId };
}

/** What the user says, else the name. */
function isRectified(imageTopic: string, { rectifiedTopics, rawTopics }: InputOverrides): boolean {
  if (rectifiedTopics?.includes(imageTopic) === true) return true;
  return rawTopics?.includes(imageTopic) !== true && isRectifiedTopic(imageTopic);
}

function namedSource(summary: BagSummary, wanted: string, overrides: InputOverrides): Source {
  const wantedInfo = overrides.cameraInfoTopics?.[wanted];
  const { path, clouds, images, topics } = summary;
  const cloud = clouds.find(({ topic }) => topic === wanted);
  if (cloud !== undefined) return pointSource(cloud);
  const image = images.find(({ topic }) => topic === wanted);
  if (image !== undefined && isDepth(image)) {
    const info = infoOf(summary, image, wantedInfo);
    if (info === undefined) throw withoutInfo(summary, image, wantedInfo);
    return depthSource(image, info, overrides);
  }
  const other = topics.find(({ topic }) => topic === wanted);
  const reason =
    other === undefined
      ? "is not in the bag"
      : `carries ${other.type} and no readable PointCloud2${image === undefined ? "" : " or depth image"}`;
  const depths = images.filter(isDepth);
  throw new Fault(
    "invalid-configuration",
    `${path}: ${wanted} ${reason}; its clouds are: ${listed(clouds)}` +
      (depths.length > 0 ? `; its depth images are: ${listed(depths)}` : ""),
  );
}

function namedImage({ path, images }: BagSummary, wanted: string): ImageSummary {
  const found = images.find(({ topic }) => topic === wanted);
  if (found !== undefined) return found;
  throw new Fault(
    "invalid-configuration",
    `${path} has no image topic ${wanted}; its image topics are: ${listed(images)}`,
  );
}

/**
 * The CameraInfo of an image: the one that is wanted, or the one beside it. Depth that lies in a namespace below its
 * camera's (`<camera>/depth/image`) may share the camera's, when that is for the same frame.
 */
function infoOf(
  { cameraInfos }: BagSummary,
  image: ImageSummary,
  wanted?: string,
): CameraInfoSummary | undefined {
  const infoTopic = infoTopicOf(image, wanted);
  const info = cameraInfos.find(({ topic }) => topic === infoTopic);
  if (info !== undefined || wanted !== undefined || !isDepth(image)) return info;
  const above = `${namespaceOf(namespaceOf(image.topic))}/camera_info`;
  return cameraInfos.find(
    ({ topic, first }) =>
      topic === above && withoutSlash(first.header.frameId) === withoutSlash(image.frameId),
  );
}

function infoTopicOf({ topic }: ImageSummary, wanted?: string): string {
  return wanted ?? `${namespaceOf(topic)}/camera_info`;
}

function withoutInfo({ cameraInfos }: BagSummary, image: ImageSummary, wanted?: string): Fault {
  return new Fault(
    "camera-info-missing",
    `${image.topic} has no CameraInfo: there is no ${infoTopicOf(image, wanted)}; CameraInfo is on: ${listed(cameraInfos)}`,
  );
}

/** Why points in one frame cannot be moved to another. */
function unconnected(
  { frames }: BagSummary,
  scan: { readonly topic: string; readonly frameId: string },
  other: { readonly topic: string; readonly frameId: string },
): Fault | undefined {
  const scanRoot = rootOf(scan.frameId, frames);
  const otherRoot = rootOf(other.frameId, frames);
  if (scanRoot === otherRoot) return undefined;
  return new Fault(
    "transform-missing",
    `${other.topic} cannot be used: no transform connects its frame '${other.frameId}' (in the tree of '${otherRoot}') ` +
      `with the frame '${scan.frameId}' of ${scan.topic} (in the tree of '${scanRoot}')`,
  );
}

/** The CameraInfo of the image, or why it cannot be used. */
function checkCamera(
  summary: BagSummary,
  scan: { readonly topic: string; readonly frameId: string },
  image: ImageSummary,
  wantedInfo: string | undefined,
): CameraInfoSummary | Fault {
  const info = infoOf(summary, image, wantedInfo);
  if (info === undefined) return withoutInfo(summary, image, wantedInfo);
  const { width, height } = info.first;
  if (image.size !== undefined && !fits(image.size, info)) {
    return new Fault(
      "camera-info-mismatch",
      `${image.topic} has ${image.size[0]}x${image.size[1]} pixels, ${info.topic} is for ${width}x${height}`,
    );
  }
  return unconnected(summary, scan, image) ?? info;
}

/** Binning and region of interest change the size of the image, not that of the CameraInfo. */
function fits([width, height]: readonly [number, number], { first }: CameraInfoSummary): boolean {
  const { roi } = first;
  const full = [
    roi.width === 0 ? first.width : roi.width,
    roi.height === 0 ? first.height : roi.height,
  ] as const;
  const binned = [
    Math.floor(full[0] / Math.max(1, first.binningX)),
    Math.floor(full[1] / Math.max(1, first.binningY)),
  ];
  return width === binned[0] && height === binned[1];
}

function rootOf(frame: string, frames: BagSummary["frames"]): string {
  const parents = new Map(frames.map(({ frame: child, parent }) => [child, parent]));
  let root = withoutSlash(frame);
  // A tree has no more steps than frames; a loop in the recording ends here too.
  for (let step = 0; step < frames.length; step++) {
    const parent = parents.get(root);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}

function onePerCamera(images: readonly ImageSummary[]): readonly ImageSummary[] {
  return bestPerNamespace(images.filter((candidate) => !isDepth(candidate)));
}

function bestPerNamespace(images: readonly ImageSummary[]): readonly ImageSummary[] {
  const cameras = new Map<string, ImageSummary>();
  for (const image of images) {
    const namespace = namespaceOf(image.topic);
    const best = cameras.get(namespace);
    if (best === undefined || preference(image, best) > 0) cameras.set(namespace, image);
  }
  return [...cameras.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

/** Positive when `a` is to be preferred. */
function preference(a: ImageSummary, b: ImageSummary): number {
  const rank = ({ topic, type }: ImageSummary): number =>
    (topic.includes("rect") ? 2 : 0) + (type === IMAGE_TYPE ? 1 : 0);
  // Masks and overlays are often published beside the picture.
  const isPicture = ({ topic }: ImageSummary): boolean =>
    /\/(image|color|rgb)[^/]*(\/compressed)?$/.test(topic);
  return Number(isPicture(a)) - Number(isPicture(b)) || a.messageCount - b.messageCount || rank(a) - rank(b);
}

/** REP-118 encodings, and the payload of compressed_depth_image_transport. */
function isDepth({ encoding }: ImageSummary): boolean {
  return /^(16UC1|32FC1|mono16)\b/.test(encoding) || encoding.includes("compressedDepth");
}

/** `/front/image_raw/compressed` and `/front/image_raw` are both of `/front`. */
function namespaceOf(imageTopic: string): string {
  const base = imageTopic.replace(/\/compressed(Depth)?$/, "");
  return base.slice(0, Math.max(0, base.lastIndexOf("/")));
}

/** The shortest that tells the cameras apart: last part of the namespace, whole namespace, image topic. */
function uniqueNames(imageTopics: readonly string[]): readonly string[] {
  const namespaces = imageTopics.map((topic) => namespaceOf(topic).slice(1) || "camera");
  const lastParts = namespaces.map((namespace) => namespace.slice(namespace.lastIndexOf("/") + 1));
  const isUnique = (names: readonly string[], name: string): boolean =>
    names.indexOf(name) === names.lastIndexOf(name);
  return imageTopics.map((topic, i) => {
    if (isUnique(lastParts, lastParts[i]!)) return lastParts[i]!;
    return isUnique(namespaces, namespaces[i]!) ? namespaces[i]! : topic.slice(1);
  });
}

function listed(topics: readonly { readonly topic: string }[]): string {
  return topics.length === 0 ? "none" : topics.map(({ topic }) => topic).join(", ");
}
