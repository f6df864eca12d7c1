import { GROUND_TRUTH_FIELD } from "../bag/importers/dataset/groundTruth.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { readColumn } from "../messages/pointColumns.js";
import type { LabellingMode } from "../perception/FusionPolicy.js";
import { labelComparison } from "./labelComparison.js";
import { ModeConfusion } from "./ModeConfusion.js";

export interface EvaluateBagOptions {
  /** Labelled clouds; the output topic of `ditr run` by default. */
  readonly labelledTopic?: string;
  /** Field with the true class ids, in the numbering of /ground_truth/label_info or else of the labels. */
  readonly truthField?: string;
  /** How the scan of this stamp was labelled; scans of unknown mode count as image-free. */
  readonly modeOf?: (stamp: bigint) => LabellingMode | undefined;
  readonly onScan?: () => void;
}

/**
 * Compares the labels of a bag's clouds with their ground truth. Throws a Fault("data-set-unreadable") when the bag
 * has no labelled clouds, no LabelInfo or no ground truth.
 */
export async function evaluateBag(
  reader: BagReader,
  options: EvaluateBagOptions = {},
): Promise<ModeConfusion> {
  const { labelledTopic = OUTPUT_TOPICS.labelled, truthField = GROUND_TRUTH_FIELD, modeOf, onScan } = options;
  const { classNames, tables } = await labelComparison(reader);
  const confusion = new ModeConfusion(classNames);
  let scans = 0;
  for await (const { data } of reader.messages({ topics: [labelledTopic] })) {
    const cloud = decodePointCloud2(data);
    const predicted = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
    const truth = readColumn(cloud, truthField, new Uint32Array(pointCount(cloud)));
    const mode = modeOf?.(cloud.header.stamp) ?? "image-free";
    confusion.add(mode, predicted, truth, tables);
    scans++;
    onScan?.();
  }
  if (scans === 0) throw new Fault("data-set-unreadable", `${reader.path} has no clouds on ${labelledTopic}`);
  return confusion;
}
