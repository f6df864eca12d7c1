import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import type { Header } from "./types.js";

export const HEADER_TYPE = "std_msgs/msg/Header";

const NANOSECONDS_PER_SECOND = 1_000_000_000;
const INT32_MIN = -0x8000_0000;
const INT32_MAX = 0x7fff_ffff;

/** sec (4) + nanosec (4) + length of frame_id (4) */
export const MINIMUM_HEADER_BYTES = 4 + 4 + 4;

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
  const seconds = input.int32(`${path}stamp.sec`);
  const nanoseconds = input.uint32(`${path}stamp.nanosec`);
  if (nanoseconds >= NANOSECONDS_PER_SECOND) {
    throw input.fault(`${path}stamp.nanosec`, `${nanoseconds} is not below ${NANOSECONDS_PER_SECOND}`);
  }
  return {
    stamp: BigInt(seconds) * BigInt(NANOSECONDS_PER_SECOND) + BigInt(nanoseconds),
    frameId: input.string(`${path}frame_id`),
  };
}

/** Throws Fault("malformed-message") when the stamp's seconds do not fit an int32. */
export function writeHeader(output: CdrOutput, path: string, { stamp, frameId }: Header): void {
  const perSecond = BigInt(NANOSECONDS_PER_SECOND);
  // nanosec is unsigned, so the seconds of a time before the epoch are rounded down, as rclcpp does.
  const nanoseconds = ((stamp % perSecond) + perSecond) % perSecond;
  const seconds = (stamp - nanoseconds) / perSecond;
  if (seconds < INT32_MIN || seconds > INT32_MAX) {
    throw output.fault(
      `${path}stamp`,
      `${stamp.toString()} ns is ${seconds.toString()} s, outside ${INT32_MIN} to ${INT32_MAX} s`,
    );
  }
  output.int32(Number(seconds));
  output.uint32(`${path}stamp.nanosec`, Number(nanoseconds));
  output.string(frameId);
}
