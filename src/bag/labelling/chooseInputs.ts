import { sentWindow } from "../../camera/sentWindow.js";
import { Fault } from "../../faults/Fault.js";
import type { BagSummary, CameraInfoSummary, ImageSummary } from "./BagSummary.js";
import { chooseSources } from "./chooseClouds.js";
import { unconnected } from "./frameTree.js";
import { onePerCamera } from "./imagePreference.js";
import { infoOf, isRectified, namespaceOf, withoutInfo } from "./imageRoles.js";
import type { CloudInput, InputOverrides, InputSelection } from "./InputSelection.js";
import { listed } from "./listed.js";
import { isOverlay } from "./outputTopics.js";

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
    const problem = unconnected(summary.frames, scan, { topic: input.topic, frameId });
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
  summary: BagSummary,
  scan: { readonly topic: string; readonly frameId: string },
  image: ImageSummary,
  wantedInfo: string | undefined,
): CameraInfoSummary | Fault {
  const info = infoOf(summary, image, wantedInfo);
  if (info === undefined) return withoutInfo(summary, image, wantedInfo);
  if (image.size !== undefined) {
    const problem = sizeMismatch(info, image.size);
    if (problem !== undefined) return problem.at(`${image.topic} with ${info.topic}`);
  }
  return unconnected(summary.frames, scan, image) ?? info;
}

/** Why the CameraInfo is not for images of this size. */
function sizeMismatch(
  { first }: CameraInfoSummary,
  [width, height]: readonly [number, number],
): Fault | undefined {
  try {
    sentWindow(first, width, height);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error;
  }
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
