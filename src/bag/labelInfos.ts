import { decodeLabelInfo, LABEL_INFO_TYPE } from "../messages/labelInfo.js";
import type { LabelInfo } from "../messages/types.js";
import { GROUND_TRUTH_INFO_TOPIC } from "./importers/dataset/groundTruth.js";
import { OUTPUT_TOPICS } from "./labelling/outputTopics.js";
import type { BagReader } from "./types.js";

/** The topic with the classes of a bag's labels, not of its ground truth; undefined when there is none. */
export function labelInfoTopic(reader: BagReader): string | undefined {
  const topics = reader.topics.flatMap(({ topic, type }) =>
    type === LABEL_INFO_TYPE && topic !== GROUND_TRUTH_INFO_TOPIC ? [topic] : [],
  );
  return topics.includes(OUTPUT_TOPICS.labelInfo) ? OUTPUT_TOPICS.labelInfo : topics[0];
}

/** The first message of a topic of LabelInfo; undefined when it has none, or the bag has no such topic. */
export async function readLabelInfo(reader: BagReader, topic: string): Promise<LabelInfo | undefined> {
  if (!reader.topics.some((each) => each.topic === topic)) return undefined;
  for await (const { data } of reader.messages({ topics: [topic] })) return decodeLabelInfo(data);
  return undefined;
}
