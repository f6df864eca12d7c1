import { Fault } from "../../faults/Fault.js";
import type { BagSummary, FrameSummary } from "./BagSummary.js";
import { effectiveFrames, frameConflicts, isStaticTf, rootOf } from "./frameTree.js";
import { sensorFrames } from "./sensorFrames.js";

export interface TransformChoice {
  /** Those named tf_static first. */
  readonly tfTopics: readonly string[];
  /** Of these topics, one place for each. */
  readonly frames: readonly FrameSummary[];
  /** Topics that are left out because they are another robot's, and frames that have several places. */
  readonly problems: readonly Fault[];
}

/**
 * Which transforms belong to a cloud. Robots of one kind have frames of the same names and tell them apart by the namespace
 * of their topics (`/robot1/tf`, `/robot1/tf_static`): those of the cloud's namespace are taken, and those of namespaces
 * above it where its own lack a kind or do not connect as much. Those of other namespaces are taken where they connect
 * more and place no frame that has its place already, but never those of another robot.
 *
 * @param wanted topics that the user named: exactly these
 * Throws a Fault `invalid-configuration` for one that the bag does not have.
 */
export function chooseTransforms(
  summary: BagSummary,
  cloud: { readonly topic: string; readonly frameId: string },
  wanted?: readonly string[],
): TransformChoice {
  const { path, tfTopics, frames, clouds } = summary;
  const choice = (topics: readonly string[], problems: readonly Fault[] = []): TransformChoice => ({
    tfTopics: tfTopics.filter((topic) => topics.includes(topic)),
    frames: effectiveFrames(frames, topics),
    problems: [...problems, ...frameConflicts(frames, topics)],
  });
  if (wanted !== undefined) {
    const unknown = wanted.find((topic) => !tfTopics.includes(topic));
    if (unknown === undefined) return choice(wanted);
    throw new Fault(
      "invalid-configuration",
      `${path} has no transforms on ${unknown}; they are on: ${tfTopics.join(", ") || "none"}`,
    );
  }
  const namespaces = [...new Set(tfTopics.map(namespaceOf))];
  const of = (namespace: string): readonly string[] =>
    tfTopics.filter((topic) => namespaceOf(topic) === namespace);
  const above = namespaces
    .filter((namespace) => cloud.topic.startsWith(`${namespace}/`))
    .sort((a, b) => b.length - a.length);
  const robots = namespaces.filter(
    (namespace) => !above.includes(namespace) && isOtherRobot(namespace, cloud.topic, clouds),
  );
  const beside = namespaces.filter((namespace) => !above.includes(namespace) && !robots.includes(namespace));
  // A cloud outside of all namespaces: those that know its frame, the first of them.
  const own =
    above[0] ?? beside.find((namespace) => knows(effectiveFrames(frames, of(namespace)), cloud.frameId));
  let used = own === undefined ? beside.flatMap(of) : of(own);
  const connectedBy = (topics: readonly string[]): number => {
    const tree = effectiveFrames(frames, topics);
    const root = rootOf(cloud.frameId, tree);
    return sensorFrames(summary).filter((frame) => rootOf(frame, tree) === root).length;
  };
  for (const namespace of above.slice(1)) {
    const more = of(namespace);
    const lacking = more.filter((topic) => !used.some((known) => isStaticTf(known) === isStaticTf(topic)));
    const widened = connectedBy([...used, ...more]) > connectedBy([...used, ...lacking]) ? more : lacking;
    used = [...used, ...widened];
  }
  for (let joining: string | undefined = ""; joining !== undefined;) {
    joining = beside.find((namespace) => {
      const more = of(namespace);
      return (
        !more.some((topic) => used.includes(topic)) &&
        !placeSameFrame(frames, used, more) &&
        connectedBy([...used, ...more]) > connectedBy(used)
      );
    });
    if (joining !== undefined) used = [...used, ...of(joining)];
  }
  const problems: Fault[] = [];
  const foreign = used.filter((topic) => beside.includes(namespaceOf(topic)));
  // A cloud at the root is in no namespace that could be another one.
  if (foreign.length > 0 && namespaceOf(cloud.topic) !== "") {
    const sentence =
      `the transforms of ${foreign.join(", ")} are used for ${cloud.topic} although they are of another namespace: ` +
      "--tf TOPIC... takes others";
    problems.push(new Fault("transforms-conflict", sentence, { place: { topic: foreign[0]! } }));
  }
  const left = tfTopics.filter((topic) => !used.includes(topic));
  if (left.length > 0) {
    const sentence =
      `the transforms of ${left.join(", ")} are not of the namespace of ${cloud.topic} and are not ` +
      (used.length > 0
        ? `mixed with those of ${used.join(", ")}: --tf TOPIC... takes others`
        : `used, since they are another robot's: --tf ${left.join(" ")} takes them all the same`);
    problems.push(new Fault("transforms-conflict", sentence, { place: { topic: left[0]! } }));
  }
  return choice(used, problems);
}

/** `/robot1` of `/robot1/tf` and `/robot1/tf_static`; empty at the root. */
function namespaceOf(topic: string): string {
  return topic.slice(0, Math.max(0, topic.lastIndexOf("/")));
}

/**
 * Is a namespace that the cloud is not in another robot's? It is called as the cloud's but for a number (`/robot1`,
 * `/robot2`), or has a cloud of its own that is called as this one is (`/alice/points`, `/bob/points`).
 */
function isOtherRobot(
  namespace: string,
  cloudTopic: string,
  clouds: readonly { readonly topic: string }[],
): boolean {
  const ofCloud = namespaceOf(cloudTopic).split("/");
  const ofOther = namespace.split("/");
  const apart = ofOther.findIndex((part, i) => part !== ofCloud[i]);
  const [mine, other] = [ofCloud[apart], ofOther[apart]];
  if (mine === undefined || other === undefined) return false;
  const withoutNumber = (name: string): string => name.replace(/\d+/g, "");
  if (withoutNumber(mine) === withoutNumber(other)) return true;
  return clouds.some(
    ({ topic }) => topic.startsWith(`${namespace}/`) && cloudTopic.endsWith(topic.slice(namespace.length)),
  );
}

function placeSameFrame(
  frames: readonly FrameSummary[],
  some: readonly string[],
  others: readonly string[],
): boolean {
  const placed = new Set(effectiveFrames(frames, some).map(({ frame }) => frame));
  return effectiveFrames(frames, others).some(({ frame }) => placed.has(frame));
}

/**
 * The namespace of another robot that a topic lies in: one whose transforms were left out, and that does not hold the cloud.
 */
export function otherRobotOf(topic: string, cloudTopic: string, left: readonly string[]): string | undefined {
  return left
    .map(namespaceOf)
    .find((name) => name !== "" && topic.startsWith(`${name}/`) && !cloudTopic.startsWith(`${name}/`));
}

function knows(frames: readonly FrameSummary[], frameId: string): boolean {
  return frames.some(({ frame, parent }) => frame === frameId || parent === frameId);
}
