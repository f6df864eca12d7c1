/** image_transport: what the topics of a camera are called. */

const TRANSPORT = /\/compressed(Depth)?$/;

/** `front/camera_info` for `front/image_raw` and `front/image_raw/compressed`. */
export function cameraInfoBeside(imageTopic: string): string {
  const base = imageTopic.replace(TRANSPORT, "");
  return `${base.slice(0, base.lastIndexOf("/") + 1)}camera_info`;
}

/** The topic that carries the images of a transport: the base topic, or the one below it unless it is given. */
export function transportTopic(
  imageTopic: string,
  transport: "raw" | "compressed" | "compressedDepth",
): string {
  return transport === "raw" || imageTopic.endsWith(`/${transport}`)
    ? imageTopic
    : `${imageTopic}/${transport}`;
}

/** image_proc's names for rectified images: image_rect, image_rect_color, image_rect_raw. */
export function isRectifiedTopic(imageTopic: string): boolean {
  return /(^|[/_])rect(_|\/|$)/.test(imageTopic);
}
