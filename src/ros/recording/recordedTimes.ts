/**
 * Log times for messages in the order in which they came: their ROS times, unless time jumped back in between. Then
 * what came before a jump is moved so that it ends with it, since readers sort by log time and would mix the two. None
 * is below 0, which MCAP cannot write.
 */
export function recordedTimes(times: readonly bigint[]): bigint[] {
  const moved = [...times];
  let shift = 0n;
  for (let i = moved.length - 2; i >= 0; i--) {
    const following = moved[i + 1]!;
    if (times[i]! + shift > following) shift = following - times[i]!;
    moved[i] = times[i]! + shift;
  }
  const first = moved[0] ?? 0n;
  return first >= 0n ? moved : moved.map((time) => time - first);
}
