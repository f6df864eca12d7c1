import { readFile } from "node:fs/promises";
import { Fault } from "../../../faults/Fault.js";
import { isSystemError, reasonOf } from "../../../files/systemError.js";

const LINE = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;

/**
 * The time in one line of a KITTI timestamps file, such as `2011-09-26 13:02:25.594360375`, taken as UTC.
 * @returns nanoseconds since the epoch; undefined when it is not a time
 */
export function parseKittiTimestamp(line: string): bigint | undefined {
  const match = LINE.exec(line.trim());
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const milliseconds = Date.UTC(year!, month! - 1, day, hour, minute, second);
  // Date.UTC carries the 31st of February into March; a time that is not written as it reads is damage.
  const written = line.trim().slice(0, 19).replace(" ", "T");
  if (new Date(milliseconds).toISOString().slice(0, 19) !== written) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt((match[7] ?? "0").padEnd(9, "0"));
}

/**
 * Reads a timestamps file: one line per frame number.
 * @returns the time of each frame in nanoseconds, undefined where its line is malformed; undefined when there is no such file
 * @throws Fault `data-set-unreadable` when the file cannot be read
 */
export async function readKittiTimestamps(
  file: string,
): Promise<readonly (bigint | undefined)[] | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw new Fault("data-set-unreadable", `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  return text.trimEnd().split("\n").map(parseKittiTimestamp);
}
