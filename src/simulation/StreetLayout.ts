import { ClassId } from "./classes.js";
import type { Random } from "./Random.js";
import type { StreetPath } from "./StreetPath.js";
import type { StreetStyle } from "./StreetStyle.js";

/** What the ground is made of; each zone has one class and one look. */
export const Zone = {
  ROAD: 0,
  PARKING: 1,
  SIDEWALK: 2,
  KERB: 3,
  GRASS: 4,
  GRAVEL: 5,
  ISLAND: 6,
} as const;
export type Zone = (typeof Zone)[keyof typeof Zone];

export const ZONE_CLASS: Readonly<Record<Zone, ClassId>> = {
  [Zone.ROAD]: ClassId.ROAD,
  [Zone.PARKING]: ClassId.PARKING,
  [Zone.SIDEWALK]: ClassId.SIDEWALK,
  [Zone.KERB]: ClassId.SIDEWALK,
  [Zone.GRASS]: ClassId.TERRAIN,
  [Zone.GRAVEL]: ClassId.OTHER_GROUND,
  [Zone.ISLAND]: ClassId.OTHER_GROUND,
};

/** A stretch [start, end) of the street in metres along its centre line. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

export interface Parcel extends Interval {
  readonly kind: "building" | "lot" | "park" | "yard";
  /** Ground between the sidewalk and the building. */
  readonly front: Zone;
  /** Metres between the sidewalk and the building. */
  readonly setback: number;
  /** Metres from the sidewalk to the back of the parcel. */
  readonly depth: number;
}

/** One side of the street, in metres; distances grow outwards from the centre line. */
export interface StreetSide {
  readonly parkingWidth: number;
  readonly parkingBayLength: number;
  readonly parking: readonly Interval[];
  readonly vergeZone: Zone;
  readonly sidewalkWidth: number;
  /** Where the sidewalk ends and the parcels begin. */
  readonly parcelStart: number;
  readonly parcels: readonly Parcel[];
}

/** What lies on the ground at one place. */
export interface GroundPlace {
  zone: Zone;
  /** 1 where the ground stands a kerb higher than the road, 0 where not. */
  raised: number;
  /** Metres outwards from the inner edge of a sidewalk; used for kerb stones. */
  fromEdge: number;
}

/** Metres across the stones at the edge of a sidewalk. */
const KERB_STONE = 0.14;
/** Metres across the sidewalks along side streets. */
const CROSSING_SIDEWALK = 2.2;

/**
 * The ground plan of a street in street coordinates: carriageway, parking bays, sidewalks, verges, parcels,
 * crossings. A pure function of the place, so that LiDAR and camera agree on it to the last millimetre.
 */
export class StreetLayout {
  readonly laneWidth: number;
  readonly lanesPerSide: number;
  /** Half the width of the carriageway in metres. */
  readonly roadHalfWidth: number;
  readonly kerbHeight: number;
  readonly left: StreetSide;
  readonly right: StreetSide;
  /** Side streets: the stretch of their carriageway along the main street. */
  readonly crossings: readonly Interval[];
  readonly islands: readonly Interval[];
  readonly islandHalfWidth: number;
  readonly start: number;
  readonly end: number;
  readonly #style: StreetStyle;

  constructor(random: Random, path: StreetPath, start: number, end: number, style: StreetStyle = "standard") {
    this.start = start;
    this.end = end;
    const green = style === "green";
    this.#style = style;
    this.lanesPerSide = random.chance(green ? 0.12 : 0.25) ? 2 : 1;
    this.laneWidth = green ? random.uniform(2.7, 3.5) : random.uniform(3.0, 3.6);
    this.islandHalfWidth = random.chance(green ? 0.1 : 0.45) ? random.uniform(0.5, 1.0) : 0;
    const margin = green ? random.uniform(0.1, 0.6) : random.uniform(0.5, 1.2);
    this.roadHalfWidth = this.islandHalfWidth + this.lanesPerSide * this.laneWidth + margin;
    this.kerbHeight = random.chance(0.35) ? 0 : random.uniform(0.02, 0.15);
    this.crossings = placeCrossings(random, path, start, end);
    this.islands = this.islandHalfWidth > 0 ? placeIslands(random, this.crossings, start, end) : [];
    this.left = this.#makeSide(random);
    this.right = this.#makeSide(random);
  }

  /** d of the middle of a lane; lane 0 is the innermost. Traffic keeps to the right: negative d drives along +s. */
  laneCenter(direction: 1 | -1, lane: number): number {
    return -direction * (this.islandHalfWidth + (lane + 0.5) * this.laneWidth);
  }

  side(d: number): StreetSide {
    return d > 0 ? this.left : this.right;
  }

  parcelAt(side: StreetSide, s: number): Parcel | undefined {
    const parcels = side.parcels;
    let low = 0;
    let high = parcels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (parcels[middle]!.end > s) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    const parcel = parcels[low];
    return parcel !== undefined && parcel.start <= s ? parcel : undefined;
  }

  /** What lies at street coordinates s, d (metres); writes and returns `out`. */
  groundAt(s: number, d: number, out: GroundPlace): GroundPlace {
    const distance = Math.abs(d);
    const side = this.side(d);
    out.raised = 1;
    out.fromEdge = Infinity;
    if (distance < this.roadHalfWidth) {
      if (distance < this.islandHalfWidth && intervalAt(this.islands, s) !== undefined) {
        out.zone = Zone.ISLAND;
        return out;
      }
      out.zone = Zone.ROAD;
      out.raised = 0;
      return out;
    }
    for (const crossing of this.crossings) {
      const outside = Math.max(crossing.start - s, s - crossing.end);
      if (outside < 0) {
        out.zone = Zone.ROAD;
        out.raised = 0;
        return out;
      }
      if (outside < CROSSING_SIDEWALK) {
        return sidewalk(out, Math.min(outside, distance - this.roadHalfWidth));
      }
    }
    const kerb = this.roadHalfWidth + side.parkingWidth;
    if (distance < kerb) {
      const bay = intervalAt(side.parking, s);
      if (bay !== undefined) {
        out.zone = Zone.PARKING;
        out.raised = 0;
        return out;
      }
      if (distance > this.roadHalfWidth + KERB_STONE) {
        out.zone = side.vergeZone;
        return out;
      }
      return sidewalk(out, distance - this.roadHalfWidth);
    }
    if (distance < side.parcelStart) {
      return sidewalk(out, distance - kerb);
    }
    return this.#parcelGround(side, s, distance - side.parcelStart, out);
  }

  #parcelGround(side: StreetSide, s: number, depth: number, out: GroundPlace): GroundPlace {
    const parcel = this.parcelAt(side, s);
    if (parcel === undefined || depth > parcel.depth) {
      out.zone = Zone.GRASS;
      return out;
    }
    switch (parcel.kind) {
      case "building":
        out.zone = depth < parcel.setback + 1 ? parcel.front : Zone.GRASS;
        return out;
      case "lot": {
        const border = Math.min(s - parcel.start, parcel.end - s);
        out.zone = border > 1 && depth > 0.5 && depth < parcel.depth - 1 ? Zone.PARKING : Zone.GRASS;
        return out;
      }
      case "park":
        out.zone = Zone.GRASS;
        return out;
      case "yard":
        out.zone = Zone.GRAVEL;
        return out;
    }
  }

  #makeSide(random: Random): StreetSide {
    const parkingWidth = random.chance(this.#style === "green" ? 0.5 : 0.75)
      ? random.pick([2.2, 2.4, 4.8])
      : 0;
    const sidewalkWidth = this.#style === "green" ? random.uniform(1.5, 5) : random.uniform(1.8, 4);
    const parcelStart = this.roadHalfWidth + parkingWidth + sidewalkWidth;
    return {
      parkingWidth,
      parkingBayLength: parkingWidth > 3 ? 2.6 : 5.6,
      parking: parkingWidth > 0 ? this.#placeParking(random, parkingWidth > 3 ? 2.6 : 5.6) : [],
      vergeZone: random.pick([Zone.GRASS, Zone.GRASS, Zone.SIDEWALK, Zone.GRAVEL]),
      sidewalkWidth,
      parcelStart,
      parcels: this.#placeParcels(random),
    };
  }

  #placeParking(random: Random, bay: number): Interval[] {
    const intervals: Interval[] = [];
    let s = this.start + random.uniform(0, 12);
    while (s < this.end) {
      const end = s + bay * random.integer(2, bay > 3 ? 6 : 12);
      if (this.#clearOfCrossings(s - 6, end + 6)) {
        intervals.push({ start: s, end });
      }
      s = end + random.uniform(3, 14);
    }
    return intervals;
  }

  #placeParcels(random: Random): Parcel[] {
    const parcels: Parcel[] = [];
    let s = this.start;
    while (s < this.end) {
      const end = s + random.uniform(14, 32);
      if (this.#clearOfCrossings(s - CROSSING_SIDEWALK, end + CROSSING_SIDEWALK)) {
        const draw = random.next();
        parcels.push({
          start: s,
          end,
          kind: kindOf(draw, this.#style),
          front: random.pick([Zone.GRASS, Zone.GRASS, Zone.SIDEWALK, Zone.GRAVEL]),
          setback: random.chance(0.25) ? 0 : random.uniform(1.5, 7),
          depth: random.uniform(18, 30),
        });
        s = end;
      } else {
        s += 1;
      }
    }
    return parcels;
  }

  #clearOfCrossings(start: number, end: number): boolean {
    return this.crossings.every((crossing) => crossing.end < start || crossing.start > end);
  }
}

function kindOf(draw: number, style: StreetStyle): Parcel["kind"] {
  const [building, lot, park] = style === "green" ? [0.52, 0.56, 0.9] : [0.6, 0.74, 0.88];
  return draw < building ? "building" : draw < lot ? "lot" : draw < park ? "park" : "yard";
}

function sidewalk(out: GroundPlace, fromEdge: number): GroundPlace {
  out.zone = fromEdge < KERB_STONE ? Zone.KERB : Zone.SIDEWALK;
  out.fromEdge = fromEdge;
  return out;
}

function intervalAt(intervals: readonly Interval[], s: number): Interval | undefined {
  for (const interval of intervals) {
    if (s >= interval.start && s < interval.end) {
      return interval;
    }
  }
  return undefined;
}

function placeCrossings(random: Random, path: StreetPath, start: number, end: number): Interval[] {
  const crossings: Interval[] = [];
  let s = start + random.uniform(20, 80);
  while (s < end - 20) {
    const width = random.uniform(5.5, 9);
    if (path.isStraight(s - 5, s + width + 5)) {
      crossings.push({ start: s, end: s + width });
      s += random.uniform(55, 120);
    } else {
      s += 6;
    }
  }
  return crossings;
}

function placeIslands(
  random: Random,
  crossings: readonly Interval[],
  start: number,
  end: number,
): Interval[] {
  const islands: Interval[] = [];
  for (let s = start; s < end; s += random.uniform(20, 45)) {
    const island = { start: s, end: s + random.uniform(5, 16) };
    if (crossings.every((crossing) => crossing.end + 4 < island.start || crossing.start - 4 > island.end)) {
      islands.push(island);
    }
  }
  return islands;
}
