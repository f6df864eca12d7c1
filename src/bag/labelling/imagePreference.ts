import { IMAGE_TYPE } from "../../messages/image.js";
import type { ImageSummary } from "./BagSummary.js";
import { isDepth, namespaceOf } from "./imageRoles.js";

/** The best picture of each camera. */
export function onePerCamera(images: readonly ImageSummary[]): readonly ImageSummary[] {
  return bestPerNamespace(images.filter((candidate) => !isDepth(candidate)));
}

/** By topic. */
export function bestPerNamespace(images: readonly ImageSummary[]): readonly ImageSummary[] {
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
