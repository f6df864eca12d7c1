import { Fault } from "../faults/Fault.js";
import type { COMPRESSED_IMAGE_TYPE } from "../messages/image.js";
import { IMAGE_TYPE } from "../messages/image.js";
import type { BagSummary, CameraInfoSummary, CloudSummary, ImageSummary } from "./inspectBag.js";
import { withoutSlash } from "./inspectBag.js";

/** What the user decided; the rest is chosen. */
export interface InputOverrides {
  /** Needed when a bag has several clouds. */
  readonly cloudTopic?: string;
  /** Exactly these, in this order; an empty list for none. By default every camera that can be used. */
  readonly imageTopics?: readonly string[];
  /** CameraInfo topic by image topic, where names do not tell. */
  readonly cameraInfoTopics?: Readonly<Record<string, string>>;
}

export interface CameraInput {
  /** Unique: the last part of the image topic's namespace, or as much of the topic as tells cameras apart. */
  readonly name: string;
  readonly imageTopic: string;
  readonly imageType: typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;
  readonly cameraInfoTopic: string;
}

export interface InputSelection {
  readonly cloudTopic: string;
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
 * uncompressed before compressed; depth images are no cameras.
 *
 * @throws Fault `invalid-configuration` when an override does not fit the bag, or none was given and the
 * bag has no cloud or several; an image topic that the user named and that cannot be used is one too
 */
export function chooseInputs(summary: BagSummary, overrides: InputOverrides = {}): InputSelection {
  const cloud = chooseCloud(summary, overrides.cloudTopic);
  const candidates =
    overrides.imageTopics?.map((topic) => namedImage(summary, topic)) ?? onePerCamera(summary.images);
  const problems: Fault[] = [];
  const usable: { image: ImageSummary; cameraInfoTopic: string }[] = [];
  for (const image of candidates) {
    const result = checkCamera(summary, cloud, image, overrides.cameraInfoTopics?.[image.topic]);
    if (!(result instanceof Fault)) usable.push({ image, cameraInfoTopic: result.topic });
    else if (overrides.imageTopics !== undefined) throw result;
    else problems.push(result);
  }
  const names = uniqueNames(usable.map(({ image }) => image.topic));
  return {
    cloudTopic: cloud.topic,
    cameras: usable.map(({ image, cameraInfoTopic }, i) => ({
      name: names[i]!,
      imageTopic: image.topic,
      imageType: image.type,
      cameraInfoTopic,
    })),
    tfTopics: summary.tfTopics,
    problems,
  };
}

function chooseCloud({ path, clouds, topics }: BagSummary, wanted: string | undefined): CloudSummary {
  if (wanted !== undefined) {
    const found = clouds.find(({ topic }) => topic === wanted);
    if (found !== undefined) return found;
    const other = topics.find(({ topic }) => topic === wanted);
    const reason =
      other === undefined ? "is not in the bag" : `carries ${other.type} and no readable PointCloud2`;
    throw new Fault(
      "invalid-configuration",
      `${path}: ${wanted} ${reason}; its clouds are: ${listed(clouds)}`,
    );
  }
  const [cloud, ...others] = clouds.filter(({ fields }) =>
    ["x", "y", "z"].every((name) => fields.includes(name)),
  );
  if (cloud === undefined) {
    throw new Fault(
      "invalid-configuration",
      `${path} has no topic of type PointCloud2 with fields x, y and z`,
    );
  }
  if (others.length > 0) {
    throw new Fault(
      "invalid-configuration",
      `${path} has ${others.length + 1} clouds, choose one of them: ${listed([cloud, ...others])}`,
    );
  }
  return cloud;
}

function namedImage({ path, images }: BagSummary, wanted: string): ImageSummary {
  const found = images.find(({ topic }) => topic === wanted);
  if (found !== undefined) return found;
  throw new Fault(
    "invalid-configuration",
    `${path} has no image topic ${wanted}; its image topics are: ${listed(images)}`,
  );
}

/** The CameraInfo of the image, or why it cannot be used. */
function checkCamera(
  { cameraInfos, frames }: BagSummary,
  cloud: CloudSummary,
  image: ImageSummary,
  wantedInfo: string | undefined,
): CameraInfoSummary | Fault {
  const infoTopic = wantedInfo ?? `${namespaceOf(image.topic)}/camera_info`;
  const info = cameraInfos.find(({ topic }) => topic === infoTopic);
  if (info === undefined) {
    return new Fault(
      "camera-info-missing",
      `${image.topic} has no CameraInfo: there is no ${infoTopic}; CameraInfo is on: ${listed(cameraInfos)}`,
    );
  }
  const { width, height } = info.first;
  if (image.size !== undefined && !fits(image.size, info)) {
    return new Fault(
      "camera-info-mismatch",
      `${image.topic} has ${image.size[0]}x${image.size[1]} pixels, ${infoTopic} is for ${width}x${height}`,
    );
  }
  const cloudRoot = rootOf(cloud.frameId, frames);
  const cameraRoot = rootOf(image.frameId, frames);
  if (cloudRoot !== cameraRoot) {
    return new Fault(
      "transform-missing",
      `${image.topic} cannot be used: no transform connects its frame '${image.frameId}' (in the tree of '${cameraRoot}') ` +
        `with the frame '${cloud.frameId}' of ${cloud.topic} (in the tree of '${cloudRoot}')`,
    );
  }
  return info;
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
  const cameras = new Map<string, ImageSummary>();
  for (const image of images.filter((candidate) => !isDepth(candidate))) {
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
  const base = imageTopic.replace(/\/compressed$/, "");
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
