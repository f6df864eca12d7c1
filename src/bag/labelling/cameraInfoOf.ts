import { isDeepStrictEqual } from "node:util";
import { sentWindow } from "../../camera/sentWindow.js";
import { Fault } from "../../faults/Fault.js";
import type { BagSummary, CameraInfoSummary, ImageSize, ImageSummary } from "./BagSummary.js";
import { isDepth, namespaceOf } from "./imageRoles.js";
import type { InputOverrides } from "./InputSelection.js";
import { listed } from "./listed.js";

/**
 * The CameraInfo of an image: the one that the user names, else the one beside it (image_transport's
 * `<namespace>/camera_info`). Else one for the same frame and size, when there is only one such, all of them say the
 * same (then the first by name), or the name of one says that it is the image's: below it (`<image>/camera_info`) or with a suffix (`<image>_info`, `<image>_camera_info`).
 * Depth that lies in a namespace below its camera's (`<camera>/depth/image`) may share the camera's, when that is for
 * the same frame.
 *
 * @returns a Fault `camera-info-missing` where there is none, or no telling which
 * @throws Fault `invalid-configuration` when the user names one that is not there
 */
export function cameraInfoOf(
  { path, cameraInfos }: BagSummary,
  image: ImageSummary,
  { cameraInfoTopics }: InputOverrides,
): CameraInfoSummary | Fault {
  const wanted = cameraInfoTopics?.[image.topic];
  const called = (name: string): CameraInfoSummary | undefined =>
    cameraInfos.find(({ topic }) => topic === name);
  if (wanted !== undefined) {
    const named = called(wanted);
    if (named !== undefined) return named;
    throw new Fault(
      "invalid-configuration",
      `${path} has no CameraInfo ${wanted} for ${image.topic}; its CameraInfo topics are: ${listed(cameraInfos)}`,
    );
  }
  const beside = `${namespaceOf(image.topic)}/camera_info`;
  const found = called(beside);
  if (found !== undefined) return found;
  if (isDepth(image)) {
    const above = called(`${namespaceOf(namespaceOf(image.topic))}/camera_info`);
    if (above !== undefined && sameFrame(above, image)) return above;
  }
  const base = image.topic.replace(TRANSPORT, "");
  const names = [`${image.topic}/camera_info`, `${base}/camera_info`, `${base}_info`, `${base}_camera_info`];
  const fitting = cameraInfos.filter((info) => fits(info, image));
  const byName = fitting.find(({ topic, first }) => {
    return names.includes(topic) && (sameFrame({ first }, image) || first.header.frameId === "");
  });
  if (byName !== undefined) return byName;
  const ofFrame = fitting.filter((info) => sameFrame(info, image));
  const [firstByName, ...further] = ofFrame.sort((a, b) => (a.topic < b.topic ? -1 : 1));
  if (firstByName !== undefined && further.every((info) => saysTheSame(info, firstByName)))
    return firstByName;
  const others = ofFrame.length > 1 ? ofFrame : cameraInfos;
  return new Fault(
    "camera-info-missing",
    `${image.topic} has no CameraInfo: there is no ${beside}, and ` +
      (ofFrame.length > 1
        ? `several are for its frame '${image.frameId}' and size`
        : `none is for its frame '${image.frameId}' and size${describeSizes(image.sizes)}`) +
      `; CameraInfo is on: ${listed(others)}` +
      (others.length > 0 ? ` (\`--camera-info ${image.topic}=TOPIC\` names one)` : ""),
  );
}

const TRANSPORT = /\/compressed(Depth)?$/;

function sameFrame({ first }: Pick<CameraInfoSummary, "first">, { frameId }: ImageSummary): boolean {
  return frameId !== "" && first.header.frameId === frameId;
}

/** But for the stamp. */
function saysTheSame({ first: a }: CameraInfoSummary, { first: b }: CameraInfoSummary): boolean {
  return isDeepStrictEqual({ ...a, header: a.header.frameId }, { ...b, header: b.header.frameId });
}

function describeSizes(sizes: readonly ImageSize[]): string {
  return sizes.length === 0 ? "" : ` of ${sizes.map((size) => size.join("x")).join(" or ")} pixels`;
}

function fits({ first }: CameraInfoSummary, { sizes }: ImageSummary): boolean {
  return sizes.some(([width, height]) => {
    try {
      sentWindow(first, width, height);
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return false;
    }
  });
}
