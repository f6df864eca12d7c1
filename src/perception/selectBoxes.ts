import { boxOverlap } from "../geometry/boxOverlap.js";
import type { BoxDetection } from "../messages/boxDetections.js";
import type { DetectionSpec } from "../model/bundleManifest.js";
import type { BoxProposals } from "../model/inferenceProtocol.js";

/** A box that was found, with the index of its class among those of the detection. */
export interface FoundBox extends BoxDetection {
  readonly classIndex: number;
}

/** Numbers of a row of `boxes`. */
const COLUMNS = 7;

/**
 * The boxes among what a detection graph says, the best first, as docs/graph-contract.md has it: those with at least the
 * score, without those that overlap a better one of their class. Python has the same in
 * `training/ditr_train/geometry/detections.py`.
 * @param scoreThreshold in place of the bundle's
 */
export function selectBoxes(
  { boxes, classProbabilities }: BoxProposals,
  { classes, score_threshold, overlap_threshold }: DetectionSpec,
  scoreThreshold = score_threshold,
): FoundBox[] {
  // Scores are float32, and one that is the threshold has it.
  const least = Math.fround(scoreThreshold);
  const candidates: FoundBox[] = [];
  for (let row = 0; row < boxes.length / COLUMNS; row++) {
    const classIndex = largest(classProbabilities.subarray(row * classes.length, (row + 1) * classes.length));
    const score = classProbabilities[row * classes.length + classIndex]!;
    if (!(score >= least)) continue;
    const [x, y, z, length, width, height, yaw] = boxes.subarray(row * COLUMNS) as unknown as Row;
    candidates.push({
      box: { center: [x, y, z], size: [length, width, height], yaw },
      classIndex,
      className: classes[classIndex]!.name,
      score,
    });
  }
  // Of equal scores the lower row stays first.
  candidates.sort((one, other) => other.score - one.score);
  const kept: FoundBox[] = [];
  for (const candidate of candidates) {
    const better = kept.filter(({ classIndex }) => classIndex === candidate.classIndex);
    if (better.every(({ box }) => boxOverlap(candidate.box, box) <= overlap_threshold)) kept.push(candidate);
  }
  return kept;
}

type Row = readonly [number, number, number, number, number, number, number];

/** Index of the largest, the lowest of equals. */
function largest(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}
