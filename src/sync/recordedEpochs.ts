/** Fewer messages are stragglers, not a recording that began anew. */
const FEWEST = 3;

/**
 * Where time jumped back in a recorded stream: the indexes of the first messages of each new time, ascending.
 *
 * In a recording that was looped or whose clock was reset the stamps run once more, in order, over a time that was
 * there already. Messages that were logged late or in disorder fill gaps or are few; those are no jump.
 *
 * @param stamps in the order of logging, nanoseconds
 * @param threshold steps back that are shorter are no jumps, nanoseconds
 */
export function recordedJumps(stamps: ArrayLike<bigint>, threshold: bigint): number[] {
  const jumps: number[] = [];
  let start = 0;
  let newest: bigint | undefined;
  for (let i = 0; i < stamps.length;) {
    const stamp = stamps[i]!;
    if (newest === undefined || stamp >= newest - threshold) {
      if (newest === undefined || stamp > newest) newest = stamp;
      i++;
      continue;
    }
    let end = i + 1;
    while (end < stamps.length && stamps[end]! <= newest) end++;
    if (runsAgain(stamps, start, i, end)) {
      jumps.push(i);
      start = i;
      newest = stamp;
      i++;
    } else {
      i = end;
    }
  }
  return jumps;
}

/** Do the messages from `first` to `end` run over a time that those from `start` to `first` were in? */
function runsAgain(stamps: ArrayLike<bigint>, start: number, first: number, end: number): boolean {
  const count = end - first;
  if (count < FEWEST) return false;
  let [low, high] = [stamps[first]!, stamps[first]!];
  let ascending = 0;
  for (let i = first + 1; i < end; i++) {
    const stamp = stamps[i]!;
    if (stamp > stamps[i - 1]!) ascending++;
    if (stamp < low) low = stamp;
    if (stamp > high) high = stamp;
  }
  // A lap ends where the next begins, which is one step that does not ascend.
  if (ascending < 0.8 * (count - 1)) return false;
  let before = 0;
  for (let i = start; i < first; i++) if (stamps[i]! >= low && stamps[i]! <= high) before++;
  return before >= count / 2 && count >= before / 2;
}
