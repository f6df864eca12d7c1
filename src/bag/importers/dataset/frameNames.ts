/** What the names of a data set's files say about their order and their times. */
import { Fault } from "../../../faults/Fault.js";

export interface FrameName {
  /** File name without the extension. */
  readonly name: string;
  /**
   * Of the frame: what the name ends with, or the place in the order where names say no number of a frame. Of a file that
   * is not named as the others are, such as a copy, `NO_NUMBER`.
   */
  readonly number: number;
  /** Nanoseconds since the epoch, where all names are times. */
  readonly time: bigint | undefined;
}

/** Text in front, digits, and perhaps a fraction behind a point or a second number behind an underscore or hyphen. */
const TIME = /^(.*?)(\d+)(?:([._-])(\d{1,9}))?$/;
/** A date and a time of the day, with or without separators, as recorders write them: 2024-05-01T12-30-00.123, 20240501_123000_123. */
const DATE =
  /^((?:.*?\D)?)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[T_ -]?(\d\d)[-_:.h]?(\d\d)[-_:.m]?(\d\d)(?:[-_.,]?(\d{1,9}))?(?:Z|_?UTC)?$/;
/** By the number of digits that a time since the epoch has from 2001 to 2286. */
const NANOSECONDS_OF_UNIT: ReadonlyMap<number, bigint> = new Map([
  [10, 1_000_000_000n],
  [13, 1_000_000n],
  [16, 1000n],
  [19, 1n],
]);
const SECOND_DIGITS = 10;
/** Later stamps do not fit into a message. */
const LATEST = (2n ** 31n - 1n) * 1_000_000_000n;

/** Of names that have one, in a folder of frames. */
const NUMBERED_SHARE = 0.9;
export const NO_NUMBER = -1;

const natural = new Intl.Collator("en", { numeric: true });

/**
 * The frames of a folder in their order. Names that are times since the epoch in seconds, milli-, micro- or nanoseconds
 * (one unit in a folder, told by its digits; text in front is allowed), or dates with times of the day, which are taken as
 * UTC, are ordered as times; others by the number that
 * they end with (`frame_2` before `frame_10`), if nearly all differ in nothing else, else in natural order.
 *
 * @param names without extension, no two the same
 */
export function orderFrames(names: readonly string[]): readonly FrameName[] {
  const times = timesOf(names) ?? datesOf(names);
  if (times !== undefined) {
    return names
      .map((name, i) => ({ name, time: times[i]! }))
      .sort((a, b) => (a.time < b.time ? -1 : 1))
      .map(({ name, time }, number) => ({ name, number, time }));
  }
  const numbers = numbersOf(names);
  if (numbers !== undefined) {
    const frames = names.map((name, i) => ({ name, number: numbers[i]!, time: undefined }));
    const [numbered, odd] = [frames.filter(hasNumber), frames.filter((frame) => !hasNumber(frame))];
    return [
      ...numbered.sort((a, b) => a.number - b.number || natural.compare(a.name, b.name)),
      ...odd.sort((a, b) => natural.compare(a.name, b.name)),
    ];
  }
  return [...names]
    .sort((a, b) => natural.compare(a, b))
    .map((name, number) => ({ name, number, time: undefined }));
}

/** Nanoseconds; undefined unless all names are times in one unit, no two the same. */
function timesOf(names: readonly string[]): readonly bigint[] | undefined {
  const parts = names.map((name) => TIME.exec(name));
  const [first] = parts;
  if (first === undefined || first === null) return undefined;
  const [, prefix, whole] = first;
  const separator = parts.find((part) => part?.[3] !== undefined)?.[3];
  const unit = NANOSECONDS_OF_UNIT.get(whole!.length);
  if (unit === undefined || (separator !== undefined && whole!.length !== SECOND_DIGITS)) return undefined;
  const hasSame = (part: RegExpExecArray | null): part is RegExpExecArray =>
    part !== null &&
    part[1] === prefix &&
    part[2]!.length === whole!.length &&
    !part[2]!.startsWith("0") &&
    (part[3] === separator || part[3] === undefined);
  if (!parts.every(hasSame)) return undefined;
  const scale = fractionScale(separator, parts);
  const times = (parts as readonly RegExpExecArray[]).map(
    ([, , units, , fraction = ""]) => BigInt(units!) * unit + scale(fraction),
  );
  return times.every((time) => time <= LATEST) && new Set(times).size === times.length ? times : undefined;
}

/** Nanoseconds; undefined unless all names are dates with the same text in front, no two the same. */
function datesOf(names: readonly string[]): readonly bigint[] | undefined {
  const parts = names.map((name) => DATE.exec(name));
  const prefix = parts[0]?.[1];
  const times = parts.map((part) => (part === null || part[1] !== prefix ? undefined : dateOf(part)));
  const known = times.filter((time) => time !== undefined);
  return known.length === names.length && new Set(known).size === names.length ? known : undefined;
}

function dateOf([, , ...parts]: RegExpExecArray): bigint | undefined {
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  const read = [year, month, day, hour, minute, second].map((part) => String(part).padStart(2, "0"));
  // The 31st of February is another day.
  if (new Date(milliseconds).toISOString().slice(0, 19).replace(/[-T:]/g, "") !== read.join(""))
    return undefined;
  const time = BigInt(milliseconds) * 1_000_000n + BigInt((parts[6] ?? "").padEnd(9, "0"));
  return time > 0n && time <= LATEST ? time : undefined;
}

/** What stands behind a point is a decimal fraction; behind other separators, nanoseconds or microseconds. */
function fractionScale(
  separator: string | undefined,
  parts: readonly RegExpExecArray[],
): (fraction: string) => bigint {
  if (separator === undefined || separator === ".") return (fraction) => BigInt(fraction.padEnd(9, "0"));
  const longest = Math.max(...parts.map(([, , , , fraction = ""]) => fraction.length));
  const unit = longest > 6 ? 1n : longest > 3 ? 1000n : 1_000_000n;
  return (fraction) => BigInt(fraction === "" ? 0 : fraction) * unit;
}

/** Undefined unless nearly all names are the same text with a number behind it. */
function numbersOf(names: readonly string[]): readonly number[] | undefined {
  const parts = names.map((name) => /^(.*?)(\d+)$/.exec(name));
  const counts = new Map<string, number>();
  for (const part of parts) if (part !== null) counts.set(part[1]!, (counts.get(part[1]!) ?? 0) + 1);
  const [prefix, count] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? ["", 0];
  if (count === 0 || count < NUMBERED_SHARE * names.length) return undefined;
  const numbers = parts.map((part) => (part?.[1] === prefix ? Number(part[2]) : NO_NUMBER));
  return numbers.every(Number.isSafeInteger) ? numbers : undefined;
}

function hasNumber({ number }: FrameName): boolean {
  return number !== NO_NUMBER;
}

/** @throws Fault `data-set-unreadable` when the name does not say which frame it is, and those of the others do */
export function requireNumber(frame: FrameName): void {
  if (hasNumber(frame)) return;
  throw new Fault(
    "data-set-unreadable",
    `${frame.name} is not named as the other frames are, so that nothing says which one it is: it is skipped`,
  );
}

/**
 * Nanoseconds: the time that the name says, or that of the frame's number.
 * @param place of the frame in the order, which counts where numbers lead beyond what a stamp can hold
 * @param timeOf the time of a frame number, nanoseconds
 * @throws Fault `data-set-unreadable`, see `requireNumber`
 */
export function stampOf(frame: FrameName, place: number, timeOf: (number: bigint) => bigint): bigint {
  const { number, time } = frame;
  requireNumber(frame);
  if (time !== undefined) return time;
  const stamp = timeOf(BigInt(number));
  return stamp <= LATEST ? stamp : timeOf(BigInt(place));
}
