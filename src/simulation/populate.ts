import { Actor } from "./Actor.js";
import { addBuilding } from "./buildings.js";
import { plantGardens } from "./gardens.js";
import type { HeightField } from "./HeightField.js";
import { addBicyclist, addMotorcyclist, addPedestrian } from "./people.js";
import { addBush, addHedge, addTree } from "./plants.js";
import type { Random } from "./Random.js";
import { SolidSet } from "./SolidSet.js";
import {
  addBoard,
  addFence,
  addStreetLamp,
  addTrafficLight,
  addTrafficSign,
  addUnlabeledObject,
  addUtilityPole,
  type FenceKind,
} from "./streetFurniture.js";
import type { Parcel, StreetLayout, StreetSide } from "./StreetLayout.js";
import type { StreetPath } from "./StreetPath.js";
import { addBicycle, addCar, addMotorcycle, addOtherVehicle, addTruck } from "./vehicles.js";

export interface PopulateOptions {
  readonly random: Random;
  /** Receives everything that stands still. */
  readonly set: SolidSet;
  readonly path: StreetPath;
  readonly layout: StreetLayout;
  readonly ground: HeightField;
  /** Metres that the ego vehicle drives, from s = 0. */
  readonly travel: number;
  /** Metres per second of the ego vehicle, which traffic of its lane keeps to. */
  readonly egoSpeed: number;
  /** Draws what gardens hold; none for a street without. */
  readonly gardens?: Random;
}

/** Fills a street with buildings, plants, furniture, parked vehicles and people; returns what moves. */
export function populate(options: PopulateOptions): Actor[] {
  const town = new Town(options);
  town.placeFurniture();
  for (const sign of [-1, 1] as const) {
    town.placeParked(sign);
    town.placeParcels(sign);
    town.placeStanding(sign);
  }
  if (options.gardens !== undefined) town.plantGardens(options.gardens);
  return placeTraffic(options);
}

class Town {
  readonly #options: PopulateOptions;
  readonly #season: number;
  readonly #density: number;

  constructor(options: PopulateOptions) {
    this.#options = options;
    this.#season = options.random.next();
    this.#density = options.random.uniform(0.4, 1);
  }

  plantGardens(random: Random): void {
    const { set, layout } = this.#options;
    plantGardens({
      random,
      set,
      layout,
      season: this.#season,
      enter: (s, d, yaw) => this.#enter(s, d, yaw),
    });
  }

  /** Lamps, trees in the sidewalk, signs, boards, bins, along both edges of the street. */
  placeFurniture(): void {
    const { random, set, layout } = this.#options;
    for (const sign of [-1, 1] as const) {
      const side = sign > 0 ? layout.left : layout.right;
      const edge = layout.roadHalfWidth + side.parkingWidth + 0.45;
      const lampEvery = random.uniform(22, 38);
      for (let s = layout.start + random.uniform(0, lampEvery); s < layout.end; s += lampEvery) {
        if (this.#enter(s, sign * edge, (-sign * Math.PI) / 2)) {
          addStreetLamp(set, random);
        }
      }
      if (random.chance(0.5)) {
        const treeEvery = random.uniform(8, 18);
        for (let s = layout.start + random.uniform(0, treeEvery); s < layout.end; s += treeEvery) {
          if (random.chance(0.85) && this.#enter(s + 1.5, sign * (edge + 0.3), 0)) {
            addTree(set, random, this.#season);
          }
        }
      }
      for (let s = layout.start + random.uniform(0, 10); s < layout.end; s += random.uniform(6, 16)) {
        // Signs and boards face the traffic of their side of the street, give or take.
        const yaw = (sign < 0 ? 0 : Math.PI) + random.uniform(-0.2, 0.2);
        const atEdge = sign * (edge + random.uniform(-0.1, 0.1));
        const atBack = sign * (side.parcelStart + random.uniform(-0.3, 0.6));
        const draw = random.next();
        if (draw < 0.42) {
          if (this.#enter(s, random.chance(0.7) ? atEdge : atBack, yaw)) {
            addTrafficSign(set, random);
          }
        } else if (draw < 0.67) {
          if (this.#enter(s, random.chance(0.4) ? atEdge : atBack, yaw)) {
            addBoard(set, random);
          }
        } else if (draw < 0.85) {
          if (this.#enter(s, atBack, (sign * Math.PI) / 2)) {
            addUnlabeledObject(set, random);
          }
        } else if (this.#enter(s, atBack, 0)) {
          addUtilityPole(set, random);
        }
      }
      for (const crossing of layout.crossings) {
        const s = sign < 0 ? crossing.start - 0.6 : crossing.end + 0.6;
        if (
          random.chance(0.5) &&
          this.#enter(s, sign * (layout.roadHalfWidth + 0.5), sign < 0 ? 0 : Math.PI, true)
        ) {
          addTrafficLight(set, random);
        }
      }
    }
  }

  /** Vehicles in the bays along the road, and in lots. */
  placeParked(sign: -1 | 1): void {
    const { random, layout } = this.#options;
    const side = sign > 0 ? layout.left : layout.right;
    const across = side.parkingWidth > 3;
    for (const bay of side.parking) {
      for (let s = bay.start; s + side.parkingBayLength <= bay.end + 0.01; s += side.parkingBayLength) {
        if (random.chance(this.#density * 0.85)) {
          const yaw = across ? (sign * Math.PI) / 2 : sign < 0 ? 0 : Math.PI;
          const d = sign * (layout.roadHalfWidth + side.parkingWidth / 2 + random.uniform(-0.1, 0.1));
          this.#park(s + side.parkingBayLength / 2, d, yaw + random.uniform(-0.04, 0.04), !across);
        }
      }
    }
    for (const parcel of side.parcels) {
      if (parcel.kind === "lot") {
        for (let row = 3.5; row + 3 < parcel.depth; row += 9) {
          for (let s = parcel.start + 2.8; s < parcel.end - 2.5; s += 2.6) {
            if (random.chance(this.#density * 0.6)) {
              const yaw = ((random.chance(0.7) ? sign : -sign) * Math.PI) / 2;
              this.#park(s, sign * (side.parcelStart + row), yaw, false);
            }
          }
        }
      }
    }
  }

  placeParcels(sign: -1 | 1): void {
    const { layout } = this.#options;
    const side = sign > 0 ? layout.left : layout.right;
    for (const parcel of side.parcels) {
      this.#build(side, sign, parcel);
    }
  }

  /** People, bicycles and motorcycles that stand on the sidewalks. */
  placeStanding(sign: -1 | 1): void {
    const { random, set, layout } = this.#options;
    const side = sign > 0 ? layout.left : layout.right;
    for (let s = layout.start + random.uniform(0, 10); s < layout.end; s += random.uniform(5, 20)) {
      const d = sign * (side.parcelStart - random.uniform(0.3, Math.max(0.4, side.sidewalkWidth - 0.7)));
      const yaw = random.uniform(0, 2 * Math.PI);
      const draw = random.next();
      if (draw < 0.4) {
        for (let person = random.integer(1, 3); person > 0; person--) {
          if (this.#enter(s + person * 0.9, d + random.uniform(-0.3, 0.3), yaw + person)) {
            set.group(addPedestrian, random, random.chance(0.5) ? 0 : random.uniform(-1, 1));
          }
        }
      } else if (draw < 0.72) {
        for (let rack = random.integer(1, 4); rack > 0; rack--) {
          if (this.#enter(s + rack * 0.7, d, (sign * Math.PI) / 2 + random.uniform(-0.2, 0.2))) {
            set.group(addBicycle, random);
          }
        }
      } else if (this.#enter(s, d, yaw)) {
        set.group(addMotorcycle, random);
      }
    }
  }

  #park(s: number, d: number, yaw: number, longAllowed: boolean): void {
    const { random, set } = this.#options;
    if (!this.#enter(s, d, yaw)) {
      return;
    }
    const draw = random.next();
    if (draw < 0.09) {
      for (const shift of [-0.7, 0.7]) {
        this.#enter(s + shift, d, yaw + Math.PI / 2);
        set.group(addMotorcycle, random);
      }
    } else if (longAllowed && draw < 0.15) {
      set.group(addTruck, random);
    } else if (longAllowed && draw < 0.2) {
      set.group(addOtherVehicle, random);
    } else {
      set.group(addCar, random);
    }
  }

  #build(side: StreetSide, sign: -1 | 1, parcel: Parcel): void {
    const { random, set } = this.#options;
    const width = parcel.end - parcel.start;
    const middle = (parcel.start + parcel.end) / 2;
    const front = sign * (side.parcelStart + 0.25);
    // A frame at the parcel whose -y looks at the street.
    const facing = sign > 0 ? 0 : Math.PI;
    if (parcel.kind === "building") {
      const gap = random.chance(0.5) ? 0.2 : random.uniform(1, 4);
      const depth = random.uniform(8, Math.min(14, parcel.depth - parcel.setback - 1));
      const d = sign * (side.parcelStart + parcel.setback + depth / 2);
      if (this.#enter(middle, d, facing)) {
        addBuilding(set, random, width - gap, depth);
      }
    }
    if ((parcel.setback > 1.4 || parcel.kind !== "building") && random.chance(0.75)) {
      this.#enclose(parcel, front);
    }
    const plants =
      parcel.kind === "park" ? random.integer(5, 12) : parcel.setback > 2.5 ? random.integer(0, 3) : 0;
    for (let plant = 0; plant < plants; plant++) {
      const depth =
        parcel.kind === "park"
          ? random.uniform(1.5, parcel.depth)
          : random.uniform(1, Math.max(1.1, parcel.setback - 1));
      const s = random.uniform(parcel.start + 0.8, parcel.end - 0.8);
      if (parcel.kind !== "lot" && this.#enter(s, sign * (side.parcelStart + depth), random.uniform(0, 6))) {
        if (parcel.kind === "park" ? random.chance(0.6) : random.chance(0.15)) {
          addTree(set, random, this.#season);
        } else {
          addBush(set, random, this.#season);
        }
      }
    }
  }

  /** A hedge or a fence along the front of a parcel, with a gap for the gate, in pieces that follow the street. */
  #enclose(parcel: Parcel, d: number): void {
    const { random, set } = this.#options;
    const hedge = random.chance(0.42);
    const kind: FenceKind = random.pick(["planks", "bars", "mesh", "wall", "brush", "brush"]);
    const height = random.uniform(0.8, 1.9);
    const pieces = Math.max(2, Math.round((parcel.end - parcel.start) / 3));
    const length = (parcel.end - parcel.start) / pieces;
    const gate = random.integer(0, pieces - 1);
    for (let piece = 0; piece < pieces; piece++) {
      if (piece === gate || !this.#enter(parcel.start + (piece + 0.5) * length, d, 0)) {
        continue;
      }
      if (hedge) {
        addHedge(set, random, this.#season, length * 1.01, height);
      } else {
        addFence(set, random, kind, length * 1.01, height);
      }
    }
  }

  /** Moves the set's frame to a place of the street; false where a crossing road runs. */
  #enter(s: number, d: number, yaw: number, inCrossing = false): boolean {
    const { layout, path, set, ground } = this.#options;
    if (
      !inCrossing &&
      layout.crossings.some((crossing) => s > crossing.start - 1.5 && s < crossing.end + 1.5)
    ) {
      return false;
    }
    const pose = path.poseAt(s, d, { x: 0, y: 0, heading: 0 });
    set.setFrame(pose.x, pose.y, ground.heightAt(pose.x, pose.y), pose.heading + yaw);
    return true;
  }
}

/** Everything that moves: cars, lorries, buses, two-wheelers on the road, people on the sidewalks and across. */
function placeTraffic(options: PopulateOptions): Actor[] {
  const { random, layout, travel } = options;
  const actors: Actor[] = [];
  const vehicle = (s: number, d: number, speed: number): void => {
    const set = new SolidSet();
    const draw = random.next();
    if (draw < 0.7) {
      set.group(addCar, random);
    } else if (draw < 0.82) {
      set.group(addTruck, random);
    } else if (draw < 0.92) {
      set.group(addOtherVehicle, random);
    } else {
      set.group(addMotorcyclist, random);
    }
    actors.push(new Actor(set, { s, d, alongSpeed: speed, acrossSpeed: 0 }));
  };
  for (const gap of [random.uniform(14, 35), random.uniform(55, 90), random.uniform(-35, -14)]) {
    if (random.chance(0.7)) {
      vehicle(gap, layout.laneCenter(1, 0), options.egoSpeed);
    }
  }
  if (layout.lanesPerSide > 1) {
    const speed = options.egoSpeed + random.uniform(-3, 3);
    for (let s = -60; s < travel + 110; s += random.uniform(18, 60)) {
      vehicle(s, layout.laneCenter(1, 1), speed);
    }
  }
  for (let lane = 0; lane < layout.lanesPerSide; lane++) {
    const speed = random.uniform(6, 13);
    for (let s = -40 + random.uniform(0, 30); s < travel * 2 + 110; s += random.uniform(16, 55)) {
      vehicle(s, layout.laneCenter(-1, lane), -speed);
    }
  }
  for (const sign of [-1, 1] as const) {
    const side = sign > 0 ? layout.left : layout.right;
    const direction = sign < 0 ? 1 : -1;
    for (let s = -30; s < travel + 90; s += random.uniform(15, 50)) {
      const set = new SolidSet();
      const bicycle = random.chance(0.7);
      if (bicycle) {
        set.group(addBicyclist, random);
      } else {
        set.group(addMotorcyclist, random);
      }
      const speed = direction * random.uniform(3.5, 6);
      actors.push(
        new Actor(set, { s, d: sign * (layout.roadHalfWidth - 0.35), alongSpeed: speed, acrossSpeed: 0 }),
      );
    }
    for (let s = -30; s < travel + 80; s += random.uniform(6, 26)) {
      const set = new SolidSet();
      set.group(addPedestrian, random, random.uniform(-1, 1));
      const speed = random.pick([-1, 1]) * random.uniform(0.8, 1.7);
      const d = sign * (side.parcelStart - random.uniform(0.6, Math.max(0.7, side.sidewalkWidth - 0.9)));
      actors.push(new Actor(set, { s, d, alongSpeed: speed, acrossSpeed: 0 }));
    }
  }
  return actors;
}
