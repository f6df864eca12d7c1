import { Fault } from "../../faults/Fault.js";
import { decodeTFMessage } from "../../messages/tfMessage.js";
import type { BagReader } from "../types.js";
import type { FrameSummary } from "./BagSummary.js";
import { FirstFault } from "./probeTopic.js";

/** Moving frames are looked for in this much of the bag, in nanoseconds: each of them moves more often. */
const TF_SPAN = 5_000_000_000n;

/** Is this a topic of transforms that hold for all time? */
export function isStaticTf(topic: string): boolean {
  return /(^|\/)tf_static$/.test(topic);
}

/** The frames that have a parent, by name: all static ones, and those of the first seconds of others. */
export async function readFrames(
  reader: BagReader,
  tfTopics: readonly string[],
  warnings: Fault[],
): Promise<readonly FrameSummary[]> {
  const frames = new Map<string, FrameSummary>();
  const { startTime } = reader;
  if (startTime === undefined) return [];
  for (const topic of tfTopics) {
    const isStatic = isStaticTf(topic);
    const span = isStatic ? {} : { endTime: startTime + TF_SPAN };
    const faults = new FirstFault();
    for await (const { data, logTime } of reader.messages({ topics: [topic], ...span })) {
      const message = faults.catch(() => decodeTFMessage(data), { topic, logTime });
      for (const { header, childFrameId } of message?.transforms ?? []) {
        const frame = withoutSlash(childFrameId);
        if (!frames.has(frame)) frames.set(frame, { frame, parent: withoutSlash(header.frameId), isStatic });
      }
    }
    if (faults.fault !== undefined) warnings.push(faults.fault);
  }
  return [...frames.values()].sort((a, b) => (a.frame < b.frame ? -1 : 1));
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

function rootOf(frame: string, frames: readonly FrameSummary[]): string {
  const parents = new Map(frames.map(({ frame: child, parent }) => [child, parent]));
  let root = withoutSlash(frame);
  // A tree has no more steps than frames; a loop in the recording ends here too.
  for (let step = 0; step < frames.length; step++) {
    const parent = parents.get(root);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}

/** tf2 ignores the slash that ROS 1 put in front of frame names. */
export function withoutSlash(frame: string): string {
  return frame.startsWith("/") ? frame.slice(1) : frame;
}
