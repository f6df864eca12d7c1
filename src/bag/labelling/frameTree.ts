import { Fault } from "../../faults/Fault.js";
import { decodeTFMessage } from "../../messages/tfMessage.js";
import { SaidOnce } from "../../perception/SaidOnce.js";
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
    } of decoded?.transforms ?? []) {
      const key = `${topic} ${frame}`;
      const known = frames.get(key);
      if (known?.parent === parent && !known.isStatic) continue;
      changed ||= known?.parent !== parent;
      const others = [...(known?.otherParents ?? []), ...(known ? [known.parent] : [])];
      const otherParents = [...new Set(others)].filter((other) => other !== parent);
      frames.set(key, {
        frame,
        parent,
        topic,
        isStatic: isStaticTf(topic),
        logTime,
        ...(otherParents.length > 0 && { otherParents }),
        ...((known?.since !== undefined || (known === undefined && logTime > early)) && {
          since: known?.since ?? logTime - startTime,
        }),
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
    if (parents.size < 2 && !mixed) return [];
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

/** Why points in one frame cannot be moved to another. */
export function unconnected(
  frames: readonly FrameSummary[],
  scan: { readonly topic: string; readonly frameId: string },
  other: { readonly topic: string; readonly frameId: string },
): Fault | undefined {
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
