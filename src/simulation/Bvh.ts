import type { Hit } from "./Hit.js";
import { intersectSolid } from "./intersectSolid.js";
import type { SolidSet } from "./SolidSet.js";

/** Nodes of at most this many solids are not split. */
const LEAF_SIZE = 3;
/** Places per axis where a split is tried. */
const BINS = 12;

/** Bounding volume hierarchy over a SolidSet, split by the surface area heuristic in bins. */
export class Bvh {
  readonly set: SolidSet;
  /** Solid indices, grouped by leaf. */
  readonly #order: Int32Array;
  /** Six bounds per node: min x, y, z, max x, y, z. */
  readonly #bounds: Float64Array;
  /** Inner node: index of its left child (the right one follows). Leaf: first entry of `order`. */
  readonly #first: Int32Array;
  /** Solids of a leaf; 0 for inner nodes. */
  readonly #size: Int32Array;
  /** Nodes still to visit: at most one per level of the tree. */
  readonly #stack = new Int32Array(128);
  #nodeCount = 0;

  constructor(set: SolidSet) {
    this.set = set;
    const nodes = Math.max(1, 2 * set.count);
    this.#order = Int32Array.from({ length: set.count }, (_, index) => index);
    this.#bounds = new Float64Array(nodes * 6);
    this.#first = new Int32Array(nodes);
    this.#size = new Int32Array(nodes);
    if (set.count > 0) {
      this.#nodeCount = 1;
      this.#build(0, 0, set.count);
    }
  }

  /** Radius of the ball around the frame's origin that holds every solid. */
  get radius(): number {
    let reach = 0;
    for (let axis = 0; axis < 3; axis++) {
      reach += Math.max(Math.abs(this.#bounds[axis]!), Math.abs(this.#bounds[axis + 3]!)) ** 2;
    }
    return Math.sqrt(reach);
  }

  /** Finds the nearest solid before `hit.distance`. */
  intersect(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Hit): boolean {
    return this.#walk(ox, oy, oz, dx, dy, dz, hit, false);
  }

  /** Is there any solid before `hit.distance`? Not necessarily the nearest. */
  occluded(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Hit): boolean {
    return this.#walk(ox, oy, oz, dx, dy, dz, hit, true);
  }

  #walk(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    hit: Hit,
    any: boolean,
  ): boolean {
    if (this.#nodeCount === 0) {
      return false;
    }
    const bounds = this.#bounds;
    const firsts = this.#first;
    const sizes = this.#size;
    const stack = this.#stack;
    const ix = 1 / (Math.abs(dx) < 1e-12 ? 1e-12 : dx);
    const iy = 1 / (Math.abs(dy) < 1e-12 ? 1e-12 : dy);
    const iz = 1 / (Math.abs(dz) < 1e-12 ? 1e-12 : dz);
    let found = false;
    let depth = 0;
    let node = 0;
    for (;;) {
      const size = sizes[node]!;
      if (size > 0) {
        const first = firsts[node]!;
        for (let slot = first; slot < first + size; slot++) {
          if (intersectSolid(this.set, this.#order[slot]!, ox, oy, oz, dx, dy, dz, hit)) {
            found = true;
            if (any) {
              return true;
            }
          }
        }
      } else {
        const left = firsts[node]!;
        const limit = hit.distance;
        const nearLeft = slab(bounds, left * 6, ox, oy, oz, ix, iy, iz, limit);
        const nearRight = slab(bounds, left * 6 + 6, ox, oy, oz, ix, iy, iz, limit);
        if (nearLeft < limit || nearRight < limit) {
          if (nearLeft <= nearRight) {
            if (nearRight < limit) {
              stack[depth++] = left + 1;
            }
            node = left;
          } else {
            if (nearLeft < limit) {
              stack[depth++] = left;
            }
            node = left + 1;
          }
          continue;
        }
      }
      if (depth === 0) {
        return found;
      }
      node = stack[--depth]!;
    }
  }

  #build(node: number, first: number, size: number): void {
    const solids = this.set.bounds;
    const order = this.#order;
    const base = node * 6;
    const bounds = this.#bounds;
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    bounds.fill(Infinity, base, base + 3);
    bounds.fill(-Infinity, base + 3, base + 6);
    for (let slot = first; slot < first + size; slot++) {
      const solid = order[slot]! * 6;
      grow(bounds, base, solids, solid);
      for (let axis = 0; axis < 3; axis++) {
        const middle = solids[solid + axis]! + solids[solid + axis + 3]!;
        low[axis] = Math.min(low[axis]!, middle);
        high[axis] = Math.max(high[axis]!, middle);
      }
    }
    const split = size > LEAF_SIZE ? this.#findSplit(first, size, low, high) : undefined;
    if (split === undefined) {
      this.#first[node] = first;
      this.#size[node] = size;
      return;
    }
    let middle = first;
    for (let slot = first; slot < first + size; slot++) {
      const solid = order[slot]!;
      if (solids[solid * 6 + split.axis]! + solids[solid * 6 + split.axis + 3]! < split.position) {
        order[slot] = order[middle]!;
        order[middle++] = solid;
      }
    }
    const left = this.#nodeCount;
    this.#nodeCount += 2;
    this.#first[node] = left;
    this.#build(left, first, middle - first);
    this.#build(left + 1, middle, first + size - middle);
  }

  /** The cheapest bin border (in doubled centres); undefined when all centres coincide. */
  #findSplit(
    first: number,
    size: number,
    low: readonly number[],
    high: readonly number[],
  ): { axis: number; position: number } | undefined {
    const solids = this.set.bounds;
    let best = Infinity;
    let split: { axis: number; position: number } | undefined;
    const binBounds = new Float64Array(BINS * 6);
    const counts = new Int32Array(BINS);
    const sweep = new Float64Array(6);
    const rightCost = new Float64Array(BINS);
    for (let axis = 0; axis < 3; axis++) {
      const width = high[axis]! - low[axis]!;
      if (width < 1e-9) {
        continue;
      }
      for (let bin = 0; bin < BINS; bin++) {
        binBounds.fill(Infinity, bin * 6, bin * 6 + 3);
        binBounds.fill(-Infinity, bin * 6 + 3, bin * 6 + 6);
      }
      counts.fill(0);
      for (let slot = first; slot < first + size; slot++) {
        const solid = this.#order[slot]! * 6;
        const middle = solids[solid + axis]! + solids[solid + axis + 3]!;
        const bin = Math.min(BINS - 1, Math.floor(((middle - low[axis]!) / width) * BINS));
        counts[bin]!++;
        grow(binBounds, bin * 6, solids, solid);
      }
      let count = 0;
      sweep.fill(Infinity, 0, 3).fill(-Infinity, 3, 6);
      for (let bin = BINS - 1; bin > 0; bin--) {
        count += counts[bin]!;
        grow(sweep, 0, binBounds, bin * 6);
        rightCost[bin] = count === 0 ? Infinity : count * area(sweep);
      }
      count = 0;
      sweep.fill(Infinity, 0, 3).fill(-Infinity, 3, 6);
      for (let bin = 0; bin < BINS - 1; bin++) {
        count += counts[bin]!;
        grow(sweep, 0, binBounds, bin * 6);
        const cost = count === 0 ? Infinity : count * area(sweep) + rightCost[bin + 1]!;
        if (cost < best) {
          const position = low[axis]! + (width * (bin + 1)) / BINS;
          best = cost;
          split = { axis, position };
        }
      }
    }
    if (split === undefined) {
      return undefined;
    }
    // Rounding may put every centre on one side of the border.
    let left = 0;
    for (let slot = first; slot < first + size; slot++) {
      const solid = this.#order[slot]! * 6;
      left += solids[solid + split.axis]! + solids[solid + split.axis + 3]! < split.position ? 1 : 0;
    }
    return left === 0 || left === size ? undefined : split;
  }
}

function slab(
  bounds: Float64Array,
  at: number,
  ox: number,
  oy: number,
  oz: number,
  ix: number,
  iy: number,
  iz: number,
  limit: number,
): number {
  const x0 = (bounds[at]! - ox) * ix;
  const x1 = (bounds[at + 3]! - ox) * ix;
  const y0 = (bounds[at + 1]! - oy) * iy;
  const y1 = (bounds[at + 4]! - oy) * iy;
  const z0 = (bounds[at + 2]! - oz) * iz;
  const z1 = (bounds[at + 5]! - oz) * iz;
  const near = Math.max(Math.min(x0, x1), Math.min(y0, y1), Math.min(z0, z1), 0);
  const far = Math.min(Math.max(x0, x1), Math.max(y0, y1), Math.max(z0, z1), limit);
  return near <= far ? near : Infinity;
}

function grow(bounds: Float64Array, at: number, other: Float64Array, from: number): void {
  for (let axis = 0; axis < 3; axis++) {
    bounds[at + axis] = Math.min(bounds[at + axis]!, other[from + axis]!);
    bounds[at + axis + 3] = Math.max(bounds[at + axis + 3]!, other[from + axis + 3]!);
  }
}

function area(bounds: Float64Array): number {
  const x = bounds[3]! - bounds[0]!;
  const y = bounds[4]! - bounds[1]!;
  const z = bounds[5]! - bounds[2]!;
  return x * y + y * z + z * x;
}
