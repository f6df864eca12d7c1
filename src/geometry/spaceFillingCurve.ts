import type { SerializationOrder } from "./types.js";

/**
 * A space-filling curve as an automaton over the levels of an octree, coarsest first: in each state it
 * visits the eight octants of a voxel in some order, and continues inside each in some state.
 */
export interface SpaceFillingCurve {
  readonly startState: number;
  /** [states, 8] the octant that is visited as number 0 .. 7. */
  readonly octantAt: Uint8Array;
  /** [states, 8] the state inside that octant. */
  readonly stateAt: Uint8Array;
  readonly childVisits: ChildVisits;
}

/** The order in which a curve visits the children that a voxel has, for every set of children. */
export interface ChildVisits {
  /** [states, 256 masks, 8] the rank, among the children by ascending octant, of the child visited as number 0, 1, ... */
  readonly rank: Uint8Array;
  /** [states, 256 masks, 8] the state inside that child. */
  readonly state: Uint8Array;
}

/**
 * What Skilling's transform has done to the bits that are still to come: axis i of the transformed
 * coordinates has the bits of axis `source[i]`, inverted where `inverted[i]` is 1.
 */
interface HilbertState {
  readonly source: readonly [number, number, number];
  readonly inverted: readonly [number, number, number];
  /** Exclusive or of all Gray code bits so far, which the next binary digits are inverted by. */
  readonly parity: number;
}

const UNTOUCHED: HilbertState = { source: [0, 1, 2], inverted: [0, 0, 0], parity: 0 };
const SWAPPED: HilbertState = { source: [1, 0, 2], inverted: [0, 0, 0], parity: 0 };

/** One level of J. Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707, 2004. */
function hilbertStep(state: HilbertState, octant: number): { digit: number; next: HilbertState } {
  const source: [number, number, number] = [...state.source];
  const inverted: [number, number, number] = [...state.inverted];
  const gray = state.source.map((from, axis) => ((octant >> (2 - from)) & 1) ^ state.inverted[axis]!);
  let parity = state.parity;
  let digit = 0;
  for (const [axis, bit] of gray.entries()) {
    parity ^= bit;
    digit = digit * 2 + parity;
    if (bit === 1) {
      inverted[0] ^= 1;
    } else {
      [source[0], source[axis]] = [source[axis]!, source[0]];
      [inverted[0], inverted[axis]] = [inverted[axis]!, inverted[0]];
    }
  }
  return { digit, next: { source, inverted, parity } };
}

function curveOf(octantOfVisit: readonly number[], stateOfVisit: readonly number[]): SpaceFillingCurve {
  const octantAt = Uint8Array.from(octantOfVisit);
  const stateAt = Uint8Array.from(stateOfVisit);
  return { startState: 0, octantAt, stateAt, childVisits: childVisits(octantAt, stateAt) };
}

/** Tabulates a curve's visits, so that walking along it needs no decisions. */
function childVisits(octantAt: Uint8Array, stateAt: Uint8Array): ChildVisits {
  const stateCount = octantAt.length / 8;
  const rank = new Uint8Array(stateCount * 256 * 8);
  const state = new Uint8Array(stateCount * 256 * 8);
  for (let row = 0; row < stateCount * 256; row++) {
    const from = row >> 8;
    const mask = row & 255;
    let visit = 8 * row;
    for (let digit = 0; digit < 8; digit++) {
      const octant = octantAt[8 * from + digit]!;
      if (((mask >> octant) & 1) === 0) continue;
      rank[visit] = bitCount(mask & ((1 << octant) - 1));
      state[visit] = stateAt[8 * from + digit]!;
      visit++;
    }
  }
  return { rank, state };
}

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** All states that can be reached from the two starts, and the curves that begin there. */
function hilbertCurves(): { hilbert: SpaceFillingCurve; hilbertTrans: SpaceFillingCurve } {
  const states: HilbertState[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (state: HilbertState): number => {
    const key = JSON.stringify(state);
    let number = numbers.get(key);
    if (number === undefined) {
      number = states.length;
      numbers.set(key, number);
      states.push(state);
    }
    return number;
  };
  const hilbertStart = numberOf(UNTOUCHED);
  const hilbertTransStart = numberOf(SWAPPED);
  const octantAt: number[] = [];
  const stateAt: number[] = [];
  for (let number = 0; number < states.length; number++) {
    for (let octant = 0; octant < 8; octant++) {
      const { digit, next } = hilbertStep(states[number]!, octant);
      octantAt[number * 8 + digit] = octant;
      stateAt[number * 8 + digit] = numberOf(next);
    }
  }
  const curve = curveOf(octantAt, stateAt);
  return {
    hilbert: { ...curve, startState: hilbertStart },
    hilbertTrans: { ...curve, startState: hilbertTransStart },
  };
}

const { hilbert, hilbertTrans } = hilbertCurves();

/**
 * Pointcept's four orders (serialization/default.py). A curve of depth d starts in `startState` at
 * octree level d. Where it starts matters: an empty level above turns the Hilbert curve.
 */
export const SPACE_FILLING_CURVES: Readonly<Record<SerializationOrder, SpaceFillingCurve>> = {
  z: curveOf([0, 1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0, 0]),
  "z-trans": curveOf([0, 1, 4, 5, 2, 3, 6, 7], [0, 0, 0, 0, 0, 0, 0, 0]),
  hilbert,
  "hilbert-trans": hilbertTrans,
};
