import type { Random } from "./Random.js";

/** A place in street coordinates: `s` metres along the centre line, `d` metres to the left of it. */
export interface StreetPoint {
  s: number;
  d: number;
}

/** A place in the world (z up): metres and the heading of the street there in radians. */
export interface PlanePose {
  x: number;
  y: number;
  heading: number;
}

/** A piece of constant curvature (1/m, positive turns left; 0 is straight). */
export interface StreetSegment {
  readonly length: number;
  readonly curvature: number;
}

interface PlacedSegment extends StreetSegment {
  readonly s: number;
  readonly x: number;
  readonly y: number;
  readonly cos: number;
  readonly sin: number;
  readonly heading: number;
}

/**
 * The centre line of a street: lines and arcs that join without a kink. It starts at the world's origin
 * with s = `startS` and heading +x; the first and the last piece are straight and go on for ever.
 */
export class StreetPath {
  readonly #segments: PlacedSegment[] = [];

  constructor(startS: number, segments: readonly StreetSegment[]) {
    let place = { s: startS, x: 0, y: 0, heading: 0 };
    for (const segment of [{ length: 1, curvature: 0 }, ...segments, { length: 1, curvature: 0 }]) {
      const cos = Math.cos(place.heading);
      const sin = Math.sin(place.heading);
      const placed: PlacedSegment = { ...segment, ...place, cos, sin };
      this.#segments.push(placed);
      const end = advance(placed, segment.length, 0, { x: 0, y: 0, heading: 0 });
      place = { s: place.s + segment.length, ...end };
    }
  }

  static random(random: Random, startS: number, length: number): StreetPath {
    const segments: StreetSegment[] = [];
    let left = length;
    while (left > 0) {
      const straight = Math.min(left, random.uniform(40, 110));
      segments.push({ length: straight, curvature: 0 });
      left -= straight;
      if (left > 0 && random.chance(0.7)) {
        const arc = Math.min(left, random.uniform(25, 60));
        const curvature = random.pick([-1, 1]) / random.uniform(75, 160);
        segments.push({ length: arc, curvature });
        left -= arc;
      }
    }
    return new StreetPath(startS, segments);
  }

  /** Is the street straight from `fromS` to `toS`? */
  isStraight(fromS: number, toS: number): boolean {
    return this.#segments.every(
      (segment) => segment.curvature === 0 || segment.s >= toS || segment.s + segment.length <= fromS,
    );
  }

  poseAt(s: number, d: number, out: PlanePose): PlanePose {
    const segments = this.#segments;
    let index = segments.length - 1;
    while (index > 0 && segments[index]!.s > s) {
      index--;
    }
    const segment = segments[index]!;
    return advance(segment, s - segment.s, d, out);
  }

  /** The inverse of `poseAt`, for places nearer to the centre line than its smallest radius. */
  locate(x: number, y: number, out: StreetPoint): StreetPoint {
    const segments = this.#segments;
    const last = segments.length - 1;
    let best = Infinity;
    for (let index = 0; index <= last; index++) {
      const segment = segments[index]!;
      const dx = x - segment.x;
      const dy = y - segment.y;
      let along = dx * segment.cos + dy * segment.sin;
      let across = dy * segment.cos - dx * segment.sin;
      if (segment.curvature !== 0) {
        const radius = 1 / segment.curvature;
        const towards = radius - across;
        const angle = radius > 0 ? Math.atan2(along, towards) : Math.atan2(along, -towards);
        const distance = Math.sqrt(along * along + towards * towards);
        along = angle * Math.abs(radius);
        across = radius > 0 ? radius - distance : radius + distance;
      }
      // Outside the piece the excess counts as distance, which leaves no gap between two pieces.
      const before = index === 0 ? 0 : Math.max(0, -along);
      const after = index === last ? 0 : Math.max(0, along - segment.length);
      const cost = Math.abs(across) + 4 * (before + after);
      if (cost < best) {
        best = cost;
        out.s = segment.s + along;
        out.d = across;
      }
    }
    return out;
  }
}

function advance(segment: PlacedSegment, along: number, d: number, out: PlanePose): PlanePose {
  const { curvature } = segment;
  const turn = curvature * along;
  let forward = along;
  let left = 0;
  if (curvature !== 0) {
    forward = Math.sin(turn) / curvature;
    left = (1 - Math.cos(turn)) / curvature;
  }
  forward -= d * Math.sin(turn);
  left += d * Math.cos(turn);
  out.x = segment.x + segment.cos * forward - segment.sin * left;
  out.y = segment.y + segment.sin * forward + segment.cos * left;
  out.heading = segment.heading + turn;
  return out;
}
