import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { frameName } from "./frameName.js";
import { readTime, TIME_BYTES, writeTime } from "./time.js";
import type { Header } from "./types.js";

export const HEADER_TYPE = "std_msgs/msg/Header";

/** stamp + length of frame_id (4) */
export const MINIMUM_HEADER_BYTES = TIME_BYTES + 4;

/**
 * Also reads the header alone of any message that starts with one (clouds, images, camera info), since
 * the bytes behind it are ignored.
 */
export function decodeHeader(cdr: Uint8Array): Header {
  return readHeader(new CdrInput(cdr, HEADER_TYPE), "");
}

export function encodeHeader(header: Header, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(HEADER_TYPE, options);
  writeHeader(output, "", header);
  return output.finish();
}

/** `path` is put in front of field names in error messages: "header." or "". */
export function readHeader(input: CdrInput, path: string): Header {
  return { stamp: readTime(input, `${path}stamp`), frameId: frameName(input.string(`${path}frame_id`)) };
}

/** Throws Fault("malformed-message") when the stamp's seconds do not fit an int32. */
export function writeHeader(output: CdrOutput, path: string, { stamp, frameId }: Header): void {
  writeTime(output, `${path}stamp`, stamp);
  output.string(frameId);
}
