import { isRectifiedTopic } from "../../messages/imageTopics.js";
import type { InputOverrides } from "./InputSelection.js";

/** REP-118 encodings, and the payload of compressed_depth_image_transport. */
export function isDepth({ encoding }: { readonly encoding: string }): boolean {
  return /^(16UC1|32FC1|mono16)\b/.test(encoding) || encoding.includes("compressedDepth");
}

/** `/front/image_raw/compressed` and `/front/image_raw` are both of `/front`. */
export function namespaceOf(imageTopic: string): string {
  const base = imageTopic.replace(/\/compressed(Depth)?$/, "");
  return base.slice(0, Math.max(0, base.lastIndexOf("/")));
}

/** What the user says, else the name. */
export function isRectified(imageTopic: string, { rectifiedTopics, rawTopics }: InputOverrides): boolean {
  if (rectifiedTopics?.includes(imageTopic) === true) return true;
  return rawTopics?.includes(imageTopic) !== true && isRectifiedTopic(imageTopic);
}
