/** Metres from the middle of a scan, along each axis, beyond which points are left out of a page. */
export const FARTHEST = 300;

/** Points looked at for the middle of a scan. */
const SAMPLE_SIZE = 1024;

export interface ChosenPoints {
  /** Points of the cloud that are in the page, ascending. */
  readonly kept: Uint32Array;
  readonly notFinite: number;
  /** Exactly at (0, 0, 0), where a sensor measured nothing. */
  readonly noReturns: number;
  readonly far: number;
}

/**
 * Which points of a scan a page shows: those that were measured, are not absurdly far, and, of more than `most`, a share
 * that is even over the scan.
 *
 * @param xyz [N, 3] metres
 */
export function choosePoints(xyz: Float32Array, most: number): ChosenPoints {
  const count = xyz.length / 3;
  const [middleX, middleY, middleZ] = middleOf(xyz);
  const shown = new Uint32Array(count);
  let [left, notFinite, noReturns, far] = [0, 0, 0, 0];
  for (let point = 0, at = 0; point < count; point++, at += 3) {
    const x = xyz[at]!;
    const y = xyz[at + 1]!;
    const z = xyz[at + 2]!;
    if (!Number.isFinite(x + y + z)) notFinite++;
    else if (x === 0 && y === 0 && z === 0) noReturns++;
    else if (Math.max(Math.abs(x - middleX), Math.abs(y - middleY), Math.abs(z - middleZ)) > FARTHEST) far++;
    else shown[left++] = point;
  }
  const measured = shown.subarray(0, left);
  return { kept: left <= most ? measured.slice() : thinned(measured, most), notFinite, noReturns, far };
}

/** As many as wanted, at random places: a fixed step would fall in with the rings and columns of a sensor. */
function thinned(points: Uint32Array, wanted: number): Uint32Array {
  const kept = new Uint32Array(wanted);
  let [taken, state] = [0, 1];
  for (let place = 0; taken < wanted; place++) {
    // Numerical Recipes' generator, the upper bits of which are random enough for this: Knuth's selection sampling.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if ((state / 2 ** 32) * (points.length - place) < wanted - taken) kept[taken++] = points[place]!;
  }
  return kept;
}

/** Coordinates by their medians: of a cloud in a map's frame, too, which may be far from its origin. */
function middleOf(xyz: Float32Array): [number, number, number] {
  const step = Math.max(1, Math.ceil(xyz.length / 3 / SAMPLE_SIZE)) * 3;
  const axes: [number[], number[], number[]] = [[], [], []];
  for (let at = 0; at < xyz.length; at += step) {
    if (!Number.isFinite(xyz[at]! + xyz[at + 1]! + xyz[at + 2]!)) continue;
    axes.forEach((axis, offset) => axis.push(xyz[at + offset]!));
  }
  return axes.map((axis) => axis.sort((a, b) => a - b)[axis.length >> 1] ?? 0) as [number, number, number];
}
