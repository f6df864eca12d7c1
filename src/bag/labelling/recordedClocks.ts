import { Fault } from "../../faults/Fault.js";
import { clockDifference, type ClockDifference, type OtherUnit } from "../../sync/ClockDifference.js";
import { nearestDeltas } from "../../sync/nearestDeltas.js";
import type { IndexedTopic } from "./IndexedTopic.js";
import type { CameraInput, InputSelection } from "./InputSelection.js";
import type { RecordingIndex } from "./RecordingIndex.js";

/** For the cameras, or all topics, that are not named. */
export const ALL = "all";

/** What the user says about stamps and clocks. */
export interface ClockOptions {
  /**
   * Image stamp minus cloud stamp of the same moment, nanoseconds, by camera, image topic or ALL; `auto` is what the
   * recording shows. By default 0, from the middle of a scan.
   */
  readonly cameraOffsets?: Readonly<Record<string, bigint | "auto">>;
  /** Stamp of transforms minus cloud stamp at the same moment, nanoseconds. */
  readonly transformOffset?: bigint | "auto";
  /** Topics, or ALL, whose log times are taken in place of their stamps. */
  readonly stampedByLog?: readonly string[];
  /** Largest distance of an image from its scan, nanoseconds. */
  readonly tolerance: bigint;
}

export interface CameraOffset {
  /** Nanoseconds. */
  readonly offset: bigint;
  /** Does it count from the middle of a scan? */
  readonly fromMiddle: boolean;
}

export interface RecordedClocks {
  /** By the camera's name. */
  readonly cameras: ReadonlyMap<string, CameraOffset>;
  /** Nanoseconds. */
  readonly transformOffset: bigint;
  /** Clocks that differ, and what mends it; without those that the options have mended. */
  readonly problems: readonly Fault[];
}

/** Transforms may be stamped ahead of time on purpose (AMCL: by a second), nanoseconds. */
const LEAST_TRANSFORM_OFFSET = 2_000_000_000n;
/** A difference that a recording shows while images match by their stamps must be larger than delays are, nanoseconds. */
const LARGEST_DELAY = 1_000_000_000n;
/** Messages are not logged later than this all the time, nanoseconds. */
const LARGEST_LATENESS = 10_000_000_000n;
/** A difference that images of another moment hide must be this many times what single messages are off by. */
const STEADY = 4;
/** Share of the scans that have an image when the stamps fit. */
const FITTING_SHARE = 0.5;

/** Topics of the selection that have log times in place of stamps. Throws a Fault for one that is not used. */
export function stampedByLog(
  { clouds, cameras, tfTopics }: InputSelection,
  { stampedByLog: wanted = [] }: Pick<ClockOptions, "stampedByLog">,
): ReadonlySet<string> {
  const topics = [
    ...clouds.map(({ topic }) => topic),
    ...cameras.map(({ imageTopic }) => imageTopic),
    ...tfTopics,
  ];
  if (wanted.includes(ALL)) return new Set(topics);
  const unknown = wanted.find((topic) => !topics.includes(topic));
  if (unknown !== undefined) {
    throw new Fault(
      "invalid-configuration",
      `${unknown} is to have log times in place of stamps, but is not used; what is used: ${topics.join(", ")}`,
    );
  }
  return new Set(wanted);
}

/** Compares the clocks of the sensors of a recording, and settles the offsets. */
export function recordedClocks(
  index: RecordingIndex,
  selection: InputSelection,
  options: ClockOptions,
): RecordedClocks {
  const { cameras } = selection;
  requireKnown(cameras, options.cameraOffsets);
  const problems: Fault[] = [];
  const offsets = new Map<string, CameraOffset>();
  for (const camera of cameras) {
    const { offset, problem } = cameraClock(index, camera, options);
    offsets.set(camera.name, offset);
    if (problem !== undefined) problems.push(problem);
  }
  const byLog = stampedByLog(selection, options);
  const transforms = [...index.transforms.values()].filter(({ topic }) => !byLog.has(topic));
  const { offset: transformOffset, problem } = transformClock(index.clouds, transforms, options);
  if (problem !== undefined) problems.push(problem);
  // Of a cloud whose stamps are wrong every camera would tell.
  const sentences = problems.map(({ message }) => message);
  const distinct = problems.filter(({ message }, i) => sentences.indexOf(message) === i);
  return { cameras: offsets, transformOffset, problems: distinct };
}

function requireKnown(cameras: readonly CameraInput[], offsets: ClockOptions["cameraOffsets"] = {}): void {
  const unknown = Object.keys(offsets).find(
    (key) => key !== ALL && !cameras.some(({ name, imageTopic }) => key === name || key === imageTopic),
  );
  if (unknown === undefined) return;
  throw new Fault(
    "invalid-configuration",
    `there is no camera ${unknown} to give an offset; the cameras that are used: ` +
      (cameras.map(({ name, imageTopic }) => `${name} (${imageTopic})`).join(", ") || "none"),
  );
}

interface Settled<T> {
  readonly offset: T;
  readonly problem?: Fault | undefined;
}

function cameraClock(
  index: RecordingIndex,
  { name, imageTopic }: CameraInput,
  { cameraOffsets = {}, tolerance }: ClockOptions,
): Settled<CameraOffset> {
  const wanted = cameraOffsets[name] ?? cameraOffsets[imageTopic] ?? cameraOffsets[ALL];
  const images = index.images.get(imageTopic)!;
  const { clouds } = index;
  const current: CameraOffset =
    wanted === undefined || wanted === "auto"
      ? { offset: 0n, fromMiddle: true }
      : { offset: wanted, fromMiddle: false };
  const difference = clockDifference(dated(clouds), dated(images));
  if (difference?.otherUnit !== undefined)
    return { offset: current, problem: unitProblem(imageTopic, clouds.topic, difference.otherUnit) };
  const unresolved = difference !== undefined && distance(difference.offset, current.offset);
  const fits = (offset: bigint): boolean =>
    matchedShare(clouds, images, { ...current, offset }, tolerance) >= FITTING_SHARE;
  const differs =
    difference !== undefined &&
    unresolved !== false &&
    (difference.drift !== 0 ||
      unresolved > LARGEST_DELAY ||
      (unresolved > tolerance && (!fits(current.offset) || isNeighbour(images, unresolved, difference))));
  const base = differs ? difference.offset : current.offset;
  const best = fits(base)
    ? base
    : base + (steadyDelta(clouds, images, { ...current, offset: base }, tolerance) ?? 0n);
  if (wanted === "auto") {
    const problem = difference?.drift ? driftProblem(imageTopic, clouds.topic, difference) : undefined;
    return { offset: { ...current, offset: best }, problem };
  }
  if (differs && difference.drift !== 0)
    return { offset: current, problem: driftProblem(imageTopic, clouds.topic, difference) };
  if (distance(best, current.offset) <= tolerance) return { offset: current };
  const how = differs ? " at the same log time" : ", image by image";
  // From the stamp, as the option counts.
  const value = milliseconds(best + (current.fromMiddle ? typicalMiddle(clouds) : 0n));
  const are = `the stamps of ${imageTopic} are ${apart(best)} those of ${clouds.topic}${how}`;
  const mend = `--camera-offset ${name}=auto (or ${name}=${value}) takes that into account`;
  const late = differs ? lateness(best, imageTopic, clouds.topic) : undefined;
  const message =
    late === undefined
      ? `${are}, so that its images go with no scan or with wrong ones: ${mend}`
      : fits(current.offset)
        ? `${are}: either its clock differs, so that its images go with wrong scans, and ${mend}; or ${late}, and nothing ` +
          "needs to be done"
        : `${are}, so that its images go with no scan or with wrong ones: ${mend}, unless ${late}`;
  return { offset: current, problem: new Fault("clocks-differ", message, { place: { topic: imageTopic } }) };
}

function transformClock(
  clouds: IndexedTopic,
  transforms: readonly IndexedTopic[],
  { transformOffset: wanted }: ClockOptions,
): Settled<bigint> {
  const current = wanted === undefined || wanted === "auto" ? 0n : wanted;
  const unstamped = transforms.find(isUnstamped);
  if (unstamped !== undefined) return { offset: current, problem: unstampedProblem(unstamped.topic) };
  const compared = transforms.map((topic) => ({
    topic: topic.topic,
    difference: clockDifference(dated(clouds), dated(topic)),
  }));
  for (const { topic, difference } of compared) {
    if (difference?.otherUnit !== undefined)
      return { offset: current, problem: unitProblem(topic, clouds.topic, difference.otherUnit) };
  }
  const found = compared.find(
    ({ difference }) => distance(difference?.offset ?? current, current) > LEAST_TRANSFORM_OFFSET,
  );
  if (found?.difference === undefined) return { offset: current };
  const { offset } = found.difference;
  if (wanted === "auto") return { offset };
  const late = lateness(offset, found.topic, clouds.topic);
  return {
    offset: current,
    problem: new Fault(
      "clocks-differ",
      `the stamps of ${found.topic} are ${apart(offset)} those of ${clouds.topic} at the same log time, so that no pose is ` +
        `found or a wrong one: --tf-offset auto (or ${milliseconds(offset)}) takes that into account` +
        (late === undefined ? "" : `, unless ${late}`),
      { place: { topic: found.topic } },
    ),
  };
}

function driftProblem(topic: string, clouds: string, { offset, drift }: ClockDifference): Fault {
  return new Fault(
    "clocks-differ",
    `the stamps of ${topic} and ${clouds} drift apart by ${(drift * 1e3).toPrecision(3)} ms per second of the log (they are ` +
      `${apart(offset)} halfway): synchronize the clocks (PTP, chrony); for this recording --stamp-by-log ${topic} ${clouds} ` +
      "takes log times in place of stamps",
    { place: { topic } },
  );
}

/** What else may have made the difference: stamps of messages that are logged late are behind at the same log time. */
function lateness(offset: bigint, topic: string, clouds: string): string | undefined {
  if (distance(offset, 0n) > LARGEST_LATENESS) return undefined;
  return `${offset < 0n ? topic : clouds} was logged that much later all the time`;
}

/** Do the images that fit belong to other scans? An offset that is steady and nearer to another image than to none. */
function isNeighbour({ logTimes }: IndexedTopic, unresolved: bigint, { scatter }: ClockDifference): boolean {
  const count = logTimes.length;
  if (count < 2) return false;
  const period = Number(logTimes[count - 1]! - logTimes[0]!) / (count - 1);
  return Number(unresolved) > Math.max(period / 2, STEADY * scatter);
}

function unitProblem(topic: string, clouds: string, { of, stamps, times }: OtherUnit): Fault {
  const wrong = of === "stream" ? topic : clouds;
  return new Fault(
    "clocks-differ",
    `the stamps of ${wrong} cover ${(stamps / 1e9).toPrecision(3)} s while its log times cover ${(times / 1e9).toPrecision(3)} s: ` +
      "they are in another unit (microseconds or milliseconds in place of nanoseconds), so that nothing goes together by " +
      `them: --stamp-by-log ${wrong} takes log times in place of stamps`,
    { place: { topic: wrong } },
  );
}

/** Are most of the stamps 0? */
function isUnstamped({ stamps }: IndexedTopic): boolean {
  return stamps.filter((stamp) => stamp === 0n).length * 2 > stamps.length;
}

function unstampedProblem(topic: string): Fault {
  return new Fault(
    "clocks-differ",
    `the stamps of ${topic} are 0, so that no pose is found by them: --stamp-by-log ${topic} takes log times in place of stamps`,
    { place: { topic } },
  );
}

/** Share of the scans that have an image within the tolerance. */
function matchedShare(
  clouds: IndexedTopic,
  images: IndexedTopic,
  offset: CameraOffset,
  tolerance: bigint,
): number {
  const deltas = deltasOf(clouds, images, offset);
  if (deltas.length === 0) return 0;
  return deltas.filter((delta) => Math.abs(delta) <= Number(tolerance)).length / deltas.length;
}

/** By how much images are off when most are off by about the same, nanoseconds. */
function steadyDelta(
  clouds: IndexedTopic,
  images: IndexedTopic,
  offset: CameraOffset,
  tolerance: bigint,
): bigint | undefined {
  const deltas = deltasOf(clouds, images, offset).sort((a, b) => a - b);
  if (deltas.length < 3) return undefined;
  const middle = deltas[deltas.length >> 1]!;
  const steady = deltas.filter((delta) => Math.abs(delta - middle) <= Number(tolerance) / 2).length;
  return steady >= FITTING_SHARE * deltas.length ? BigInt(Math.round(middle)) : undefined;
}

function deltasOf(
  clouds: IndexedTopic,
  images: IndexedTopic,
  { offset, fromMiddle }: CameraOffset,
): number[] {
  const targets: bigint[] = [];
  const { stamps } = clouds;
  for (let row = 0; row < stamps.length; row++) {
    if (stamps[row]! > 0n) targets.push(stamps[row]! + offset + (fromMiddle ? clouds.middle(row) : 0n));
  }
  return nearestDeltas(targets, images.stamps);
}

function typicalMiddle(clouds: IndexedTopic): bigint {
  const middles = Array.from({ length: clouds.count }, (_, row) => clouds.middle(row));
  return middles.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[clouds.count >> 1] ?? 0n;
}

function dated({ stamps, logTimes }: IndexedTopic) {
  return { stamps, times: logTimes };
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}

/** "37.000 s behind" */
function apart(offset: bigint): string {
  return `${(Math.abs(Number(offset)) / 1e9).toFixed(3)} s ${offset < 0n ? "behind" : "ahead of"}`;
}

function milliseconds(nanoseconds: bigint): string {
  return String(Math.round(Number(nanoseconds) / 1e5) / 10);
}
