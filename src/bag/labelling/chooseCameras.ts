import { cameraModelFromInfo, type CameraModel } from "../../camera/CameraModel.js";
import { Fault } from "../../faults/Fault.js";
import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import { frameOfCameraInfo } from "../../perception/FrameAssembler.js";
import type { BagSummary, CameraInfoSummary, ImageSize, ImageSummary } from "./BagSummary.js";
import { cameraInfoOf } from "./cameraInfoOf.js";
import type { Source } from "./chooseClouds.js";
import { otherRobotOf } from "./chooseTransforms.js";
import { reachableSince, unconnected } from "./frameTree.js";
import { onePerCamera } from "./imagePreference.js";
import { isRectified, namespaceOf } from "./imageRoles.js";
import type { InputOverrides } from "./InputSelection.js";
import { listed } from "./listed.js";
import { isOverlay } from "./outputTopics.js";

export interface ChosenCamera {
  readonly image: ImageSummary;
  readonly cameraInfoTopic: string;
  readonly rectified: boolean;
  /** See CameraInput. */
  readonly placedSince?: bigint;
  /** What of image and CameraInfo is not believed; the run says it again. */
  readonly oddities: readonly Fault[];
}

/**
 * The cameras that can be used, and why others cannot: those whose every image would be lost are not taken, and those of
 * other robots, whose frames may have the same names.
 *
 * @param leftTransforms topics of transforms that are not used
 * @throws Fault when an image that the user named cannot be used, or is not there
 */
export function chooseCameras(
  summary: BagSummary,
  scan: { readonly topic: string; readonly frameId: string },
  leftTransforms: readonly string[],
  sources: readonly Source[],
  overrides: InputOverrides,
): { readonly cameras: readonly ChosenCamera[]; readonly problems: readonly Fault[] } {
  const used = new Set(sources.map(({ input }) => input.topic));
  // A recording of the node has the images that it paints beside those of cameras.
  const topics = new Set(summary.topics.map(({ topic }) => topic));
  const candidates =
    overrides.imageTopics?.map((topic) => namedImage(summary, topic)) ??
    onePerCamera(summary.images.filter(({ topic }) => !used.has(topic) && !isOverlay(topic, topics)));
  const problems: Fault[] = [];
  const cameras: ChosenCamera[] = [];
  for (const image of candidates) {
    const robot = otherRobotOf(image.topic, scan.topic, leftTransforms);
    if (robot !== undefined && overrides.imageTopics === undefined) {
      const sentence =
        `${image.topic} is not used: it is in ${robot}, whose transforms are not those of ${scan.topic} ` +
        `(\`--camera ${image.topic}\` takes it all the same)`;
      problems.push(new Fault("transforms-conflict", sentence, { place: { topic: image.topic } }));
      continue;
    }
    const result = checkCamera(summary, scan, image, overrides);
    if (!(result instanceof Fault)) cameras.push(result);
    else if (overrides.imageTopics !== undefined) throw result;
    else problems.push(result);
  }
  if (overrides.imageTopics === undefined) problems.push(...lostImages(summary, cameras));
  return { cameras, problems };
}

/** Images that cannot even be looked at, of cameras that have no others. */
function lostImages({ undecodable, nearMisses }: BagSummary, cameras: readonly ChosenCamera[]): Fault[] {
  const served = new Set(cameras.map(({ image }) => namespaceOf(image.topic)));
  const isServed = (topic: string): boolean =>
    [...served].some((namespace) => namespace !== "" && topic.startsWith(`${namespace}/`));
  return [
    ...undecodable
      .filter(
        ({ type }) => type === IMAGE_TYPE || type === COMPRESSED_IMAGE_TYPE || type === CAMERA_INFO_TYPE,
      )
      .filter(({ topic }) => !isServed(topic))
      .map(({ fault }) => fault),
    ...nearMisses
      .filter(({ role, topic }) => role !== "cloud" && !isServed(topic))
      .map(({ topic, sentence }) => new Fault("unsupported-encoding", sentence, { place: { topic } })),
  ];
}

function namedImage({ path, images, undecodable, nearMisses }: BagSummary, wanted: string): ImageSummary {
  const found = images.find(({ topic }) => topic === wanted);
  if (found !== undefined) return found;
  const reason =
    undecodable.find(({ topic }) => topic === wanted)?.fault.message ??
    nearMisses.find(({ topic }) => topic === wanted)?.sentence;
  if (reason !== undefined) throw new Fault("invalid-configuration", `${path}: ${reason}`);
  throw noSuchImage(path, wanted, images);
}

export function noSuchImage(path: string, wanted: string, images: readonly ImageSummary[]): Fault {
  return new Fault(
    "invalid-configuration",
    `${path} has no image topic ${wanted}; its image topics are: ${listed(images)}`,
  );
}

/** The camera that an image makes, or why it cannot be used. */
function checkCamera(
  summary: BagSummary,
  scan: { readonly topic: string; readonly frameId: string },
  image: ImageSummary,
  overrides: InputOverrides,
): ChosenCamera | Fault {
  if (image.unreadable !== undefined) return image.unreadable;
  const info = cameraInfoOf(summary, image, overrides);
  if (info instanceof Fault) return info;
  const { topic } = image;
  const frameId = image.frameId || info.first.header.frameId;
  const apart = unconnected(summary.frames, scan, { topic, frameId });
  if (apart !== undefined) return apart;
  const rectified = isRectified(topic, overrides);
  const models = image.sizes.map((size) => cameraModel(info, image, size, rectified));
  const model = models.find((result) => !(result instanceof Fault)) ?? models[0];
  if (model instanceof Fault) return model;
  const ofFrame = image.frameId === "" ? [frameOfCameraInfo(frameId)] : [];
  const oddities = [...ofFrame, ...(model?.oddities ?? [])].map((oddity) =>
    new Fault("redundant-field", oddity).at({ topic }),
  );
  const placedSince = reachableSince(summary.frames, scan.frameId, frameId);
  return {
    image,
    cameraInfoTopic: info.topic,
    rectified,
    oddities,
    ...(placedSince !== undefined && { placedSince }),
  };
}

/** Of an image and its CameraInfo, or why there is none, as each scan would find it. */
function cameraModel(
  { topic, first }: CameraInfoSummary,
  image: ImageSummary,
  [imageWidth, imageHeight]: ImageSize,
  rectified: boolean,
): CameraModel | Fault {
  try {
    return cameraModelFromInfo(first, { rectified, imageWidth, imageHeight });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message } = error;
    return new Fault(
      code,
      `${image.topic} cannot be used with ${topic}: ${message} (\`--camera-info ${image.topic}=TOPIC\` names another CameraInfo)`,
      { cause: error, place: { topic: image.topic } },
    );
  }
}
