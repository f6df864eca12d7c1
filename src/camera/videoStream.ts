import { Fault } from "../faults/Fault.js";

const VIDEO_FORMAT = /\b(h\.?26[45]|hevc|avc|av1|vp[89]|mpeg[24])\b/i;

/**
 * Video in a CompressedImage, as some drivers send it: a single message of it is no picture. Undefined for anything
 * else. H.264 and H.265 are known by the start code of their units, whatever the format says.
 */
export function videoFault({
  format,
  data,
}: {
  readonly format: string;
  readonly data: Uint8Array;
}): Fault | undefined {
  const named = VIDEO_FORMAT.exec(format)?.[1];
  const zeros = data[0] === 0 && data[1] === 0;
  const startsUnit = zeros && (data[2] === 1 || (data[2] === 0 && data[3] === 1));
  if (named === undefined && !startsUnit) return undefined;
  return new Fault(
    "unsupported-encoding",
    `the compressed image with format "${format}" is ${named ?? "H.264 or H.265"} video, of which a single message is ` +
      "no picture, where JPEG, PNG, TIFF or WebP is expected; let the driver send JPEG or raw images, or decode the " +
      "video with a node that republishes sensor_msgs/msg/Image (`ros2 run image_transport republish`, for transports " +
      "that it has a plugin for), and use those",
  );
}
