import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { frameName } from "./frameName.js";
import { NANOSECONDS_PER_SECOND, readTime, type StampOptions, TIME_BYTES, writeTime } from "./time.js";
import type { Header } from "./types.js";

export const HEADER_TYPE = "std_msgs/msg/Header";

/** Behind the encapsulation. */
const SEC_START = 4;
const NANOSEC_START = 8;

/** stamp + length of frame_id (4) */
export const MINIMUM_HEADER_BYTES = TIME_BYTES + 4;

/**
 * Also reads the header alone of any message that starts with one (clouds, images, camera info), since
 * the bytes behind it are ignored.
 */
export function decodeHeader(cdr: Uint8Array, options?: StampOptions): Header {
  return readHeader(new CdrInput(cdr, HEADER_TYPE), "", options);
}

/** A message that starts with a header whose stamp is impossible, with another stamp, nanoseconds since 1970; any other message as it is. */
export function withPossibleStamp(cdr: Uint8Array<ArrayBuffer>, stamp: bigint): Uint8Array<ArrayBuffer> {
  const littleEndian = (cdr[1]! & 1) === 1;
  if (cdr.byteLength < SEC_START + TIME_BYTES) return cdr;
  const view = new DataView(cdr.buffer, cdr.byteOffset, cdr.byteLength);
  if (view.getUint32(NANOSEC_START, littleEndian) < NANOSECONDS_PER_SECOND) return cdr;
  const mended = Uint8Array.from(cdr);
  const bytes = new DataView(mended.buffer);
  bytes.setInt32(SEC_START, Number(stamp / BigInt(NANOSECONDS_PER_SECOND)), littleEndian);
  bytes.setUint32(NANOSEC_START, Number(stamp % BigInt(NANOSECONDS_PER_SECOND)), littleEndian);
  return mended;
}

export function encodeHeader(header: Header, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(HEADER_TYPE, options);
  writeHeader(output, "", header);
  return output.finish();
}

/** `path` is put in front of field names in error messages: "header." or "". */
export function readHeader(input: CdrInput, path: string, options?: StampOptions): Header {
  return {
    stamp: readTime(input, `${path}stamp`, options),
    frameId: frameName(input.string(`${path}frame_id`)),
  };
}

/** Throws Fault("malformed-message") when the stamp's seconds do not fit an int32. */
export function writeHeader(output: CdrOutput, path: string, { stamp, frameId }: Header): void {
  writeTime(output, `${path}stamp`, stamp);
  output.string(frameId);
}
