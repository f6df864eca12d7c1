import type { BagSummary } from "./BagSummary.js";

/**
 * The frames of clouds and images, one for each. For images whose headers name none those of all CameraInfos stand in,
 * since one of them is theirs.
 */
export function sensorFrames({
  clouds,
  images,
  cameraInfos,
}: Pick<BagSummary, "clouds" | "images" | "cameraInfos">): readonly string[] {
  const own = [...clouds, ...images].map(({ frameId }) => frameId);
  const ofInfos = images.some(({ frameId }) => frameId === "")
    ? cameraInfos.map(({ first }) => first.header.frameId)
    : [];
  return [...own, ...ofInfos].filter((frame) => frame !== "");
}
