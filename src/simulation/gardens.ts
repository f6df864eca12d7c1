import { addBush, addHedge, addThicket, addTree } from "./plants.js";
import type { Random } from "./Random.js";
import type { SolidSet } from "./SolidSet.js";
import { Zone, type Interval, type StreetLayout, type StreetSide } from "./StreetLayout.js";

export interface GardenOptions {
  readonly random: Random;
  /** Receives the plants. */
  readonly set: SolidSet;
  readonly layout: StreetLayout;
  /** 0 is spring, 1 late autumn. */
  readonly season: number;
  /** Moves the set's frame to street coordinates; false where nothing may stand. */
  readonly enter: (s: number, d: number, yaw: number) => boolean;
}

/** Plants both sides of a street until its green is about as much of a scan as on real streets. */
export function plantGardens(options: GardenOptions): void {
  for (const sign of [-1, 1] as const) {
    const side = sign > 0 ? options.layout.left : options.layout.right;
    const lushness = options.random.uniform(0.5, 1);
    plantHedgerows(options, side, sign, lushness);
    plantVerge(options, side, sign, lushness);
    for (const parcel of side.parcels) {
      const depth = parcel.kind === "building" ? parcel.setback - 0.8 : Math.min(parcel.depth, 14);
      if (depth > 0.7 && parcel.kind !== "lot") {
        plantParcel(options, side, sign, parcel, depth, lushness);
      }
    }
  }
}

/** Overgrown hedges along the back of the sidewalk, tens of metres long. */
function plantHedgerows(
  { random, set, layout, season, enter }: GardenOptions,
  side: StreetSide,
  sign: -1 | 1,
  lushness: number,
): void {
  let s = layout.start;
  while (s < layout.end) {
    const end = s + random.uniform(8, 45);
    if (random.chance(0.75 * lushness)) {
      const height = random.uniform(1, 3.5);
      const d = sign * (side.parcelStart + random.uniform(0.3, 0.9));
      for (let at = s; at < end; at += 2.5) {
        if (random.chance(0.92) && enter(at, d, 0)) {
          addHedge(set, random, season, 2.7, height * random.uniform(0.85, 1.1));
        }
      }
    }
    s = end + random.uniform(2, 12);
  }
}

/** Bushes and trees between the parking bays, where the strip is grass. */
function plantVerge(
  { random, set, layout, season, enter }: GardenOptions,
  side: StreetSide,
  sign: -1 | 1,
  lushness: number,
): void {
  if (side.parkingWidth < 1.5 || side.vergeZone !== Zone.GRASS) return;
  const d = sign * (layout.roadHalfWidth + side.parkingWidth / 2);
  for (let s = layout.start; s < layout.end; s += random.uniform(1.5, 5)) {
    const taken = side.parking.some((bay: Interval) => s > bay.start - 1 && s < bay.end + 1);
    if (taken || !random.chance(lushness) || !enter(s, d, 0)) continue;
    if (random.chance(0.3)) addTree(set, random, season);
    else addBush(set, random, season);
  }
}

function plantParcel(
  { random, set, season, enter }: GardenOptions,
  side: StreetSide,
  sign: -1 | 1,
  parcel: Interval,
  depth: number,
  lushness: number,
): void {
  for (let s = parcel.start + 1; s < parcel.end - 1; s += random.uniform(1.2, 3)) {
    if (!random.chance(lushness)) continue;
    if (!enter(s, sign * (side.parcelStart + random.uniform(0.6, depth)), random.uniform(0, 6))) continue;
    const draw = random.next();
    if (draw < 0.25) addTree(set, random, season);
    else if (draw < 0.65) addThicket(set, random, season);
    else addBush(set, random, season);
  }
}
