/**
 * How far the nearest stamp is from each target: positive when it is later, nanoseconds.
 * @param stamps in any order; those that are not positive do not count
 */
export function nearestDeltas(targets: readonly bigint[], stamps: ArrayLike<bigint>): number[] {
  const sorted = BigInt64Array.from(Array.from(stamps).filter((stamp) => stamp > 0n)).sort();
  if (sorted.length === 0) return [];
  return targets.map((target) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < target) low = middle + 1;
      else high = middle;
    }
    const later = low < sorted.length ? Number(sorted[low]! - target) : Infinity;
    const earlier = low > 0 ? Number(sorted[low - 1]! - target) : -Infinity;
    return -earlier <= later ? earlier : later;
  });
}
