import { Fault } from "../../faults/Fault.js";
import type { BagSummary } from "./BagSummary.js";
import { chooseCameras, noSuchImage } from "./chooseCameras.js";
import { chooseSources, type Source } from "./chooseClouds.js";
import { chooseTransforms } from "./chooseTransforms.js";
import { unconnected } from "./frameTree.js";
import { namespaceOf } from "./imageRoles.js";
import type { CloudInput, InputOverrides, InputSelection } from "./InputSelection.js";

/**
 * Decides which topics of a bag are labelled and fused.
 *
 * A camera is an image topic whose first pictures can be decoded, with a CameraInfo (see `cameraInfoOf`) that fits them,
 * and a way from the cloud's frame to its own in the transforms. Of several images in one namespace one
 * whose name says so (image*, color*, rgb*) is used, then that with the most messages, rectified before raw,
 * uncompressed before compressed; depth images are no cameras, but a bag without a cloud and with one depth image that
 * has a CameraInfo is labelled by that.
 *
 * @throws Fault `invalid-configuration` when an override does not fit the bag, or none was given and the
 * bag has no cloud or several; an image topic that the user named and that cannot be used is one too
 */
export function chooseInputs(summary: BagSummary, overrides: InputOverrides = {}): InputSelection {
  checkOverrides(summary, overrides);
  const sources = chooseSources(summary, overrides);
  checkIntensityField(summary, sources, overrides);
  const [first] = sources;
  const mergedFrame = overrides.targetFrame ?? (sources.length > 1 ? first.frameId : undefined);
  const scan = { topic: first.input.topic, frameId: mergedFrame ?? first.frameId };
  const transforms = chooseTransforms(
    summary,
    { topic: first.input.topic, frameId: first.frameId },
    overrides.tfTopics,
  );
  for (const { input, frameId } of sources) {
    const problem = unconnected(transforms.frames, scan, { topic: input.topic, frameId });
    if (problem !== undefined) throw problem;
  }
  const left =
    overrides.tfTopics === undefined
      ? summary.tfTopics.filter((topic) => !transforms.tfTopics.includes(topic))
      : [];
  const { cameras: usable, problems } = chooseCameras(
    { ...summary, frames: transforms.frames },
    scan,
    left,
    sources,
    overrides,
  );
  const names = uniqueNames(usable.map(({ image }) => image.topic));
  return {
    clouds: sources.map(({ input }) => input) as [CloudInput, ...CloudInput[]],
    ...(mergedFrame !== undefined && { mergedFrame }),
    cameras: usable.map(({ image, cameraInfoTopic, rectified, placedSince }, i) => ({
      name: names[i]!,
      imageTopic: image.topic,
      imageType: image.type,
      cameraInfoTopic,
      rectified,
      ...(placedSince !== undefined && { placedSince }),
    })),
    tfTopics: transforms.tfTopics,
    problems: [...transforms.problems, ...problems],
    oddities: usable.flatMap(({ oddities }) => oddities),
  };
}

/** Topics that an option is about must be there, so that a typing error is no choice. */
function checkOverrides({ path, images }: BagSummary, overrides: InputOverrides): void {
  const { cameraInfoTopics = {}, rectifiedTopics = [], rawTopics = [] } = overrides;
  const wanted = [...Object.keys(cameraInfoTopics), ...rectifiedTopics, ...rawTopics];
  const missing = wanted.find((wantedTopic) => !images.some(({ topic }) => topic === wantedTopic));
  if (missing !== undefined) throw noSuchImage(path, missing, images);
  const both = rectifiedTopics.find((topic) => rawTopics.includes(topic));
  if (both !== undefined) {
    throw new Fault(
      "invalid-configuration",
      `${both} is said to be rectified and raw; it can be one of them`,
    );
  }
}

/** One of several clouds may do without it. */
function checkIntensityField(
  { path, clouds }: BagSummary,
  sources: readonly Source[],
  { intensityField }: InputOverrides,
): void {
  if (intensityField === undefined) return;
  const fields = sources.map(({ input: { topic } }) => {
    const known = clouds.find((cloud) => cloud.topic === topic)?.fields ?? [];
    return { topic, known };
  });
  if (fields.some(({ known }) => known.includes(intensityField))) return;
  throw new Fault(
    "invalid-configuration",
    `${path}: there is no field "${intensityField}" for intensity; ` +
      fields
        .map(({ topic, known }) =>
          known.length === 0
            ? `${topic} is a depth image, which has none`
            : `${topic} has ${known.join(", ")}`,
        )
        .join("; "),
  );
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
