import { transportTopic } from "../../messages/imageTopics.js";
import { foreignTopic, sensorRole, type SensorRole } from "../../messages/foreignTypes.js";
import type { PublishedTopic } from "../port/RosNode.js";

/** Topics that are named; a robot may have hundreds. */
const LISTED = 5;

/** A topic that the node subscribes to and gets nothing on. */
export interface WantedTopic extends PublishedTopic {
  /** What its messages would be. */
  readonly role: SensorRole;
  /** The parameter that names the topic: `clouds.lidar.topic`. */
  readonly parameter: string;
  /** The parameter that chooses between the types of images, and its value by type; where there is one. */
  readonly typeParameter?: { readonly name: string; readonly values: ReadonlyMap<string, string> };
}

/**
 * Why nothing comes on a topic, with the step that mends it: it has publishers of another type, or what is wanted is
 * published under another name, or in a type that is not read.
 *
 * @param published by other nodes
 * @returns undefined when nothing that is published helps
 */
export function publishedElsewhere(
  wanted: WantedTopic,
  published: readonly PublishedTopic[],
): string | undefined {
  const here = published.filter(({ topic }) => topic === wanted.topic);
  if (here.some(({ type }) => type === wanted.type)) return undefined;
  const [other] = here;
  if (other !== undefined) return otherType(wanted, other);
  const twin = published.find((candidate) => isTwin(wanted, candidate));
  if (twin !== undefined) {
    return `nothing is published on ${wanted.topic}, but ${twin.type} on ${twin.topic}: ${choice(wanted, twin)}`;
  }
  const sameType = published.filter(({ type }) => type === wanted.type);
  if (sameType.length > 0) return onOtherTopics(wanted, sameType);
  for (const { topic, type } of published) {
    const foreign = foreignTopic(topic, type, "cdr", "live");
    if (foreign?.role === wanted.role) return `nothing is published on ${wanted.topic}; ${foreign.sentence}`;
  }
  const sameRole = published.filter(({ type }) => sensorRole(type) === wanted.role);
  return sameRole.length > 0 ? onOtherTopics(wanted, sameRole) : undefined;
}

function otherType(wanted: WantedTopic, other: PublishedTopic): string {
  const { topic, type } = other;
  const foreign = foreignTopic(topic, type, "cdr", "live");
  if (foreign !== undefined) return foreign.sentence;
  return `${topic} carries ${type}, where ${wanted.type} is expected; ${choice(wanted, other)}`;
}

/** The same images in another transport. */
function isTwin({ topic, typeParameter }: WantedTopic, candidate: PublishedTopic): boolean {
  const value = typeParameter?.values.get(candidate.type);
  return value !== undefined && candidate.topic === transportTopic(baseOf(topic), transportOf(value));
}

/** How to choose a topic of a type that the parameters allow. */
function choice({ parameter, typeParameter }: WantedTopic, { topic, type }: PublishedTopic): string {
  const value = typeParameter?.values.get(type);
  if (value === undefined) return `set ${parameter} to a topic of that type`;
  const base = baseOf(topic);
  const subscribed = transportTopic(base, transportOf(value));
  const remapped = subscribed === topic ? "" : `, and remap ${subscribed}:=${topic}`;
  return `set ${parameter} to ${base} and ${typeParameter!.name} to ${value}${remapped}`;
}

/** Of a value of the parameters `transport` and `type`. */
function transportOf(value: string): "raw" | "compressed" | "compressedDepth" {
  if (value === "compressed") return "compressed";
  return value === "compressed_depth" ? "compressedDepth" : "raw";
}

function onOtherTopics({ topic, parameter }: WantedTopic, others: readonly PublishedTopic[]): string {
  // A driver whose topic does not name the transport as image_transport's do.
  const unnamed = others.find((other) => other.topic === baseOf(topic));
  if (unnamed !== undefined) {
    return `nothing is published on ${topic}, but ${unnamed.type} on ${unnamed.topic}: remap ${topic}:=${unnamed.topic}`;
  }
  const shown = others.slice(0, LISTED).map((other) => other.topic);
  const more = others.length > shown.length ? ` and ${others.length - shown.length} more` : "";
  return `nothing is published on ${topic}, but ${others[0]!.type} on ${shown.join(", ")}${more}: set ${parameter}`;
}

function baseOf(topic: string): string {
  return topic.replace(/\/compressed(Depth)?$/, "");
}
