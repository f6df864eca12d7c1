import { Fault } from "../../faults/Fault.js";
import type { BagSummary, CameraInfoSummary, CloudSummary, ImageSummary } from "./BagSummary.js";
import { infoOf, isDepth, isRectified, withoutInfo } from "./imageRoles.js";
import { bestPerNamespace } from "./imagePreference.js";
import type { CloudInput, InputOverrides } from "./InputSelection.js";
import { listed } from "./listed.js";

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
