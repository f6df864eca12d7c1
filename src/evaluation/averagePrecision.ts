/**
 * Average precision of boxes by the rules of SUN RGB-D and ScanNet, as VoteNet and 3DETR evaluate: AP25 and AP50 are those at an
 * overlap of more than 25 and 50 %, the area below the precision envelope (PASCAL VOC 2010). Python has the same in
 * `training/ditr_train/evaluation/average_precision.py`.
 */

/** The boxes of one class that were found in a scan, against those that are there. */
export interface ScanMatches {
  /** [D] */
  readonly scores: readonly number[];
  /** [D][G] intersection over union. */
  readonly overlaps: readonly (readonly number[])[];
  /** [G] has the box that is there to be found? Finding another one is neither right nor wrong. */
  readonly counted: readonly boolean[];
}

/**
 * Of one class; undefined where no scan has a box that had to be found. What was found in all scans is gone through by falling
 * score (of equals the earlier scan first): a box is right if the one that it overlaps most is overlapped by more than the
 * threshold and nothing better has found that; a second box on the same object is wrong whatever else is near.
 */
export function averagePrecision(scans: readonly ScanMatches[], threshold: number): number | undefined {
  const positives = scans.reduce((sum, { counted }) => sum + counted.filter(Boolean).length, 0);
  if (positives === 0) return undefined;
  const rows = scans.flatMap((scan) => {
    const taken = new Set<number>();
    return scan.scores.map((score, row) => ({ score, overlaps: scan.overlaps[row]!, scan, taken }));
  });
  rows.sort((one, other) => other.score - one.score);
  const right: boolean[] = [];
  for (const { overlaps, scan, taken } of rows) {
    const best = mostOverlapped(overlaps, scan.counted, true);
    if (best >= 0 && overlaps[best]! > threshold) {
      right.push(!taken.has(best));
      taken.add(best);
      continue;
    }
    const other = mostOverlapped(overlaps, scan.counted, false);
    if (!(other >= 0 && overlaps[other]! > threshold)) right.push(false);
  }
  return envelopeArea(right, positives);
}

/** Index of the largest overlap among the boxes that count, or among the others; -1 where there are none. */
function mostOverlapped(
  overlaps: readonly number[],
  counted: readonly boolean[],
  whichCount: boolean,
): number {
  let best = -1;
  overlaps.forEach((overlap, index) => {
    if (counted[index] === whichCount && (best < 0 || overlap > overlaps[best]!)) best = index;
  });
  return best;
}

/** Area below the curve of recall and precision among the first 1, 2 ..., at each recall the best precision from there on. */
function envelopeArea(right: readonly boolean[], positives: number): number {
  const precisions: number[] = [];
  let found = 0;
  for (const [index, isRight] of right.entries()) {
    if (isRight) found++;
    precisions.push(found / (index + 1));
  }
  let area = 0;
  let envelope = 0;
  for (let index = right.length - 1; index >= 0; index--) {
    envelope = Math.max(envelope, precisions[index]!);
    if (right[index]!) area += envelope / positives;
  }
  return area;
}
