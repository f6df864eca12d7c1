import { Fault } from "../../faults/Fault.js";
import { decodeTFMessage } from "../../messages/tfMessage.js";
import { SaidOnce } from "../../perception/SaidOnce.js";
import { describeDistance, normalized, type Pose } from "../../transforms/Pose.js";
import type { BagMessage, BagReader } from "../types.js";
import type { FrameSummary } from "./BagSummary.js";
import { impossibleStamp } from "./impossibleStamps.js";
import { FirstFault } from "./probeTopic.js";

/** Moving frames are looked for in this much of the bag, in nanoseconds, and further on only for what is missing. */
const TF_SPAN = 5_000_000_000n;

/** Is this a topic of transforms that hold for all time? */
export function isStaticTf(topic: string): boolean {
  return /(^|\/)tf_static$/.test(topic);
}

/**
 * The frames that have a parent, by name and topic: all static ones, and those of the first seconds of others. Where those
 * do not connect all of the frames that are wanted, the whole bag is looked through, since a frame may appear late.
 */
export async function readFrames(
  reader: BagReader,
  tfTopics: readonly string[],
  wanted: readonly string[],
  warnings: Fault[],
): Promise<readonly FrameSummary[]> {
  const frames = new Map<string, FrameSummary>();
  const { startTime } = reader;
  if (startTime === undefined) return [];
  const early = startTime + TF_SPAN;
  const faults = new Map<string, FirstFault>();
  const said = new SaidOnce();
  const faultsOf = (topic: string): FirstFault => {
    const known = faults.get(topic) ?? new FirstFault();
    faults.set(topic, known);
    return known;
  };
  /** Whether a frame is new, or has another parent. */
  const read = (message: BagMessage): boolean => {
    const { topic, data, logTime } = message;
    // For where the frames are their stamps are not needed.
    const decoded = faultsOf(topic).catch(() => decodeTFMessage(data, { anyStamp: true }), {
      topic,
      logTime,
    });
    const odd = isStaticTf(topic) ? impossibleStamp(message) : undefined;
    if (odd !== undefined) warnings.push(...said.first(topic, [odd]));
    let changed = false;
    for (const {
      header: { frameId: parent },
      childFrameId: frame,
      translation,
      rotation,
    } of decoded?.transforms ?? []) {
      const key = `${topic} ${frame}`;
      const known = frames.get(key);
      if (known?.parent === parent && !known.isStatic) continue;
      const isNew = known?.parent !== parent;
      changed ||= isNew;
      const since = isNew ? (logTime > early ? logTime - startTime : undefined) : known.since;
      const others = [...(known?.otherParents ?? []), ...(known ? [known.parent] : [])];
      const otherParents = [...new Set(others)].filter((other) => other !== parent);
      const isStatic = isStaticTf(topic);
      const pose: Pose = { translation, rotation: normalized(rotation) };
      const moved =
        known?.moved ?? (isNew || known.pose === undefined ? undefined : describeDistance(known.pose, pose));
      frames.set(key, {
        frame,
        parent,
        topic,
        isStatic,
        logTime,
        ...(otherParents.length > 0 && { otherParents }),
        ...(isStatic && { pose }),
        ...(moved !== undefined && { moved }),
        // Static ones hold from the start, whenever they were logged.
        ...(since !== undefined && !isStatic && { since }),
      });
    }
    return changed;
  };
  const dynamic = tfTopics.filter((topic) => !isStaticTf(topic));
  for (const topic of tfTopics) {
    const span = isStaticTf(topic) ? {} : { endTime: early };
    for await (const message of reader.messages({ topics: [topic], ...span })) read(message);
  }
  const connected = (): boolean => {
    const effective = effectiveFrames([...frames.values()], tfTopics);
    return new Set(wanted.map((frame) => rootOf(frame, effective))).size <= 1;
  };
  if (dynamic.length > 0 && !connected()) {
    for await (const message of reader.messages({ topics: dynamic, startTime: early + 1n })) {
      if (read(message) && connected()) break;
    }
  }
  for (const { fault } of faults.values()) if (fault !== undefined) warnings.push(fault);
  return [...frames.values()].sort((a, b) => compare(a.frame, b.frame) || compare(a.topic, b.topic));
}

/**
 * The one place of each frame in a tree of some topics: what moves replaces what is static, and of static ones the last
 * holds, as in a run.
 */
export function effectiveFrames(
  frames: readonly FrameSummary[],
  topics: readonly string[],
): readonly FrameSummary[] {
  const effective = new Map<string, FrameSummary>();
  for (const candidate of frames) {
    if (!topics.includes(candidate.topic)) continue;
    const known = effective.get(candidate.frame);
    if (known === undefined || outranks(candidate, known)) effective.set(candidate.frame, candidate);
  }
  return [...effective.values()];
}

function outranks(a: FrameSummary, b: FrameSummary): boolean {
  return a.isStatic === b.isStatic ? a.logTime >= b.logTime : b.isStatic;
}

/** Frames that have several places, a sentence each. */
export function frameConflicts(frames: readonly FrameSummary[], topics: readonly string[]): Fault[] {
  const used = frames.filter(({ topic }) => topics.includes(topic));
  const effective = effectiveFrames(used, topics);
  return effective.flatMap((holds) => {
    const same = used.filter(({ frame }) => frame === holds.frame);
    const places = same.flatMap(({ parent, topic, otherParents = [] }) =>
      [...otherParents, parent].map((name) => `'${name}' on ${topic}`),
    );
    const parents = new Set(same.flatMap(({ parent, otherParents = [] }) => [parent, ...otherParents]));
    const mixed = same.some(({ isStatic }) => isStatic !== holds.isStatic);
    if (parents.size < 2 && !mixed) return movedStatic(holds, same);
    const rule = mixed ? "what moves holds, not what is static" : "the last holds";
    return [
      new Fault(
        "transforms-conflict",
        `the frame '${holds.frame}' has several places: in ${places.join(" and in ")}; ${rule}: '${holds.parent}'. Leave one ` +
          "publisher of it, or choose topics with --tf",
        { place: { topic: holds.topic } },
      ),
    ];
  });
}

/** A static frame that stays in its parent, and has several places there. */
function movedStatic(holds: FrameSummary, same: readonly FrameSummary[]): Fault[] {
  const apart =
    holds.moved ??
    same
      .map(({ pose, moved }) => moved ?? (pose && holds.pose && describeDistance(pose, holds.pose)))
      .find((distance) => distance !== undefined);
  if (apart === undefined) return [];
  const topics = [...new Set(same.map(({ topic }) => topic))].join(" and ");
  return [
    new Fault(
      "transforms-conflict",
      `the static frame '${holds.frame}' has several places in '${holds.parent}' on ${topics}, ${apart} apart; the last ` +
        "holds. Leave one publisher of it, or choose topics with --tf",
      { place: { topic: holds.topic } },
    ),
  ];
}

/**
 * From when on one frame can be reached from another, nanoseconds into the recording: when the last frame on the way
 * appeared. Undefined when all are there from the start.
 */
export function reachableSince(
  frames: readonly FrameSummary[],
  one: string,
  other: string,
): bigint | undefined {
  const links = new Map(frames.map((link) => [link.frame, link]));
  const up = (frame: string): FrameSummary[] => {
    const way: FrameSummary[] = [];
    for (let link = links.get(frame); link !== undefined && !way.includes(link);) {
      way.push(link);
      link = links.get(link.parent);
    }
    return way;
  };
  const [a, b] = [up(one), up(other)];
  // What both have above them is not on the way between them.
  const between = [...a.filter((link) => !b.includes(link)), ...b.filter((link) => !a.includes(link))];
  return between.reduce<bigint | undefined>(
    (latest, { since }) => (since !== undefined && (latest === undefined || since > latest) ? since : latest),
    undefined,
  );
}

/** Why points in one frame cannot be moved to another. */
export function unconnected(
  frames: readonly FrameSummary[],
  scan: { readonly topic: string; readonly frameId: string },
  other: { readonly topic: string; readonly frameId: string },
): Fault | undefined {
  const isSame = scan.topic === other.topic && scan.frameId === other.frameId;
  if (!isSame && (scan.frameId === "" || other.frameId === "")) {
    const nameless = other.frameId === "" ? other.topic : scan.topic;
    return new Fault(
      "transform-missing",
      `${other.topic} cannot be used: header.frame_id on ${nameless} is empty, so that nothing says where its sensor is. ` +
        "Set the frame id of its driver (the parameter is mostly called frame_id) and record again, or write it into the " +
        "headers of the recording; --target-frame does not help",
      { place: { topic: other.topic } },
    );
  }
  const scanRoot = rootOf(scan.frameId, frames);
  const otherRoot = rootOf(other.frameId, frames);
  if (scanRoot === otherRoot) return undefined;
  return new Fault(
    "transform-missing",
    `${other.topic} cannot be used: no transform connects its frame '${other.frameId}' (in the tree of '${otherRoot}') ` +
      `with the frame '${scan.frameId}' of ${scan.topic} (in the tree of '${scanRoot}')`,
  );
}

export function rootOf(frame: string, frames: readonly FrameSummary[]): string {
  const parents = new Map(frames.map(({ frame: child, parent }) => [child, parent]));
  let root = frame;
  // A tree has no more steps than frames; a loop in the recording ends here too.
  for (let step = 0; step < frames.length; step++) {
    const parent = parents.get(root);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
