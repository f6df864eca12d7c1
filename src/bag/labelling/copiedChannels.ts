import { GROUND_TRUTH_BOXES_TOPIC } from "../../messages/boxDetections.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { GROUND_TRUTH_INFO_TOPIC } from "../importers/dataset/groundTruth.js";
import type { CopiedChannels } from "./BagCopy.js";
import type { InputSelection } from "./InputSelection.js";
import { OUTPUT_TOPICS } from "./outputTopics.js";

/** What of the input goes into the output beside the results: nothing, transforms, or all. */
export type CopyChoice = "none" | "tf" | "all";

const RESULTS: ReadonlySet<string> = new Set(Object.values(OUTPUT_TOPICS));

/**
 * The channels of a bag that are copied. Never results of an earlier run: they would be mixed with the new ones. What
 * the ids of a ground truth mean goes where the ground truth goes, and so do true boxes. The labelled cloud has everything of the input
 * cloud, which therefore is not copied, unless several are merged.
 */
export function copiedChannels(
  { clouds: [cloud], mergedFrame, tfTopics }: InputSelection,
  copy: CopyChoice,
): CopiedChannels {
  const tf = new Set(tfTopics);
  const isInLabelled = cloud.kind === "points" && mergedFrame === undefined;
  return ({ topic, type, messageEncoding }) => {
    if (RESULTS.has(topic)) return false;
    if (topic === GROUND_TRUTH_INFO_TOPIC || topic === GROUND_TRUTH_BOXES_TOPIC) return true;
    switch (copy) {
      case "none":
        return false;
      case "tf":
        return tf.has(topic);
      case "all":
        return !(
          isInLabelled &&
          topic === cloud.topic &&
          type === POINT_CLOUD2_TYPE &&
          messageEncoding === "cdr"
        );
    }
  };
}
