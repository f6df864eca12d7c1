/** How many names are worth reading. */
const SHOWN = 3;
/** What follows is not looked at: a peer may ask for names of any length, and comparing takes time. */
const COMPARED_LENGTH = 100;

/**
 * The names that the given one was most likely meant to be, the nearest first: by the number of letters to change,
 * where leaving out the groups in front (`tolerance` for `cameras.front.tolerance`) counts as one.
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  const wanted = name.slice(0, COMPARED_LENGTH);
  const distances = [...known].map((candidate) => {
    const last = candidate.slice(candidate.lastIndexOf(".") + 1);
    const inGroup = last === candidate ? Infinity : editDistance(wanted, last) + 1;
    return { candidate, distance: Math.min(editDistance(wanted, candidate), inGroup) };
  });
  distances.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  const limit = Math.max(3, (distances[0]?.distance ?? 0) + 1);
  return distances
    .filter(({ distance }) => distance <= limit)
    .slice(0, SHOWN)
    .map(({ candidate }) => candidate);
}

/** The sentence about a parameter that does not exist. */
export function unknownName(name: string, known: Iterable<string>): string {
  const shown = name.length <= COMPARED_LENGTH ? name : `${name.slice(0, COMPARED_LENGTH)}...`;
  return `there is no parameter ${shown}; did you mean ${nearestNames(name, known).join(" or ")}?`;
}

/** Levenshtein's: single letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = row[j]! + Number(a[i] !== b[j]);
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
