import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import type { Clock } from "./types.js";

export const CLOCK_TYPE = "rosgraph_msgs/msg/Clock";

export const NANOSECONDS_PER_SECOND = 1_000_000_000;
const INT32_MIN = -0x8000_0000;
const INT32_MAX = 0x7fff_ffff;

/** sec (4) + nanosec (4) */
export const TIME_BYTES = 4 + 4;

export interface StampOptions {
  /** Read past a stamp that is impossible (a whole second or more of nanoseconds), where none is needed. */
  readonly anyStamp?: boolean;
}

/**
 * builtin_interfaces/Time and Duration, which have the same fields, as nanoseconds. `path` names the field in errors.
 * Throws Fault("malformed-message") for an impossible one.
 */
export function readTime(input: CdrInput, path: string, { anyStamp = false }: StampOptions = {}): bigint {
  const seconds = input.int32(`${path}.sec`);
  const nanoseconds = input.uint32(`${path}.nanosec`);
  if (nanoseconds >= NANOSECONDS_PER_SECOND && !anyStamp) {
    throw input.fault(`${path}.nanosec`, `${nanoseconds} is not below ${NANOSECONDS_PER_SECOND}`);
  }
  return BigInt(seconds) * BigInt(NANOSECONDS_PER_SECOND) + BigInt(nanoseconds);
}

/** Throws Fault("malformed-message") when the seconds do not fit an int32. */
export function writeTime(output: CdrOutput, path: string, time: bigint): void {
  const perSecond = BigInt(NANOSECONDS_PER_SECOND);
  // nanosec is unsigned, so the seconds of what is negative are rounded down, as rclcpp does.
  const nanoseconds = ((time % perSecond) + perSecond) % perSecond;
  const seconds = (time - nanoseconds) / perSecond;
  if (seconds < INT32_MIN || seconds > INT32_MAX) {
    throw output.fault(
      path,
      `${time.toString()} ns is ${seconds.toString()} s, outside ${INT32_MIN} to ${INT32_MAX} s`,
    );
  }
  output.int32(Number(seconds));
  output.uint32(`${path}.nanosec`, Number(nanoseconds));
}

export function decodeClock(cdr: Uint8Array): Clock {
  return { clock: readTime(new CdrInput(cdr, CLOCK_TYPE), "clock") };
}

export function encodeClock({ clock }: Clock, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(CLOCK_TYPE, options);
  writeTime(output, "clock", clock);
  return output.finish();
}
