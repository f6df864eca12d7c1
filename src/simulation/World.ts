import type { Actor } from "./Actor.js";
import { Bvh } from "./Bvh.js";
import type { ClassId } from "./classes.js";
import { sampleGround } from "./groundAppearance.js";
import { HeightField } from "./HeightField.js";
import { GROUND, type Hit } from "./Hit.js";
import { Palette } from "./Palette.js";
import { populate } from "./populate.js";
import { Random, valueNoise } from "./Random.js";
import { sampleSolid } from "./solidAppearance.js";
import { SolidSet } from "./SolidSet.js";
import { StreetLayout, Zone, ZONE_CLASS } from "./StreetLayout.js";
import { streetObject, type StreetObject } from "./StreetObject.js";
import type { StreetStyle } from "./StreetStyle.js";
import { StreetPath } from "./StreetPath.js";
import { Sun } from "./Sun.js";
import type { SurfaceSample } from "./SurfaceSample.js";

export interface WorldOptions {
  /** Any integer; the same seed and travel give the same world. */
  readonly seed: number;
  /** Metres of street that the ego vehicle will drive along, from s = 0. */
  readonly travel: number;
  /** Its speed in metres per second. */
  readonly egoSpeed: number;
  /** Default "standard". */
  readonly street?: StreetStyle;
}

/** Metres of built street before the drive's start and after its end. */
const BUILT_BEHIND = 90;
const BUILT_AHEAD = 120;
/** Metres of modelled ground to each side of the street. */
const GROUND_REACH = 60;
/** Metres along a cell of the ground: kerbs rise over one cell. */
const GROUND_CELL = 0.2;

/**
 * A street with everything that stands and moves in it, in a world frame (z up, metres) whose origin is the
 * beginning of the street. Rays see the world as it is at the time last given to `setTime`.
 */
export class World {
  readonly path: StreetPath;
  readonly layout: StreetLayout;
  readonly ground: HeightField;
  readonly solids: SolidSet;
  readonly actors: readonly Actor[];
  /** Every vehicle and person: those that stand still, then the actors. */
  readonly objects: readonly StreetObject[];
  readonly palette: Palette;
  readonly sun: Sun;
  readonly seed: number;
  readonly #bvh: Bvh;
  /** By solid: which of the objects it is of; -1 for none. */
  readonly #objectOfSolid: Int32Array;
  readonly #street = { s: 0, d: 0 };
  readonly #place = { zone: Zone.ROAD as Zone, raised: 0, fromEdge: 0 };

  constructor(options: WorldOptions) {
    const { seed, travel, street = "standard" } = options;
    const start = -BUILT_BEHIND;
    const end = travel + BUILT_AHEAD;
    this.seed = seed;
    this.path = StreetPath.random(new Random(seed, 1), start, end - start);
    this.layout = new StreetLayout(new Random(seed, 2), this.path, start, end, street);
    this.palette = new Palette(new Random(seed, 3), street);
    this.sun = new Sun(new Random(seed, 4));
    this.ground = this.#makeGround(new Random(seed, 5), start, end, street);
    this.solids = new SolidSet();
    this.actors = populate({
      random: new Random(seed, 6),
      ...(street === "green" && { gardens: new Random(seed, 7) }),
      set: this.solids,
      path: this.path,
      layout: this.layout,
      ground: this.ground,
      travel,
      egoSpeed: options.egoSpeed,
    });
    const { groups } = this.solids;
    this.#objectOfSolid = new Int32Array(this.solids.count).fill(-1);
    groups.forEach(({ first, count }, object) => this.#objectOfSolid.fill(object, first, first + count));
    this.objects = [
      ...groups.map((group) => streetObject(this.solids, group)),
      ...this.actors.map((actor) => streetObject(actor.bvh.set, actor.bvh.set.groups[0]!, actor)),
    ];
    this.#bvh = new Bvh(this.solids);
    this.setTime(0);
  }

  /** Moves what moves to `time`, in seconds after the world's start. */
  setTime(time: number): void {
    for (const actor of this.actors) {
      actor.setTime(time, this.path, this.ground);
    }
  }

  /** Casts a ray (unit direction) as far as `maximum` metres; false when it meets nothing. */
  cast(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    maximum: number,
    hit: Hit,
  ): boolean {
    hit.distance = maximum;
    hit.solid = GROUND;
    hit.actor = -1;
    let found = this.ground.intersect(ox, oy, oz, dx, dy, dz, hit);
    found = this.#bvh.intersect(ox, oy, oz, dx, dy, dz, hit) || found;
    for (let index = 0; index < this.actors.length; index++) {
      if (this.actors[index]!.intersect(ox, oy, oz, dx, dy, dz, hit, false)) {
        hit.actor = index;
        found = true;
      }
    }
    return found;
  }

  /** Is anything but the ground within `maximum` metres? `scratch` is overwritten. */
  occluded(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    maximum: number,
    scratch: Hit,
  ): boolean {
    scratch.distance = maximum;
    if (this.#bvh.occluded(ox, oy, oz, dx, dy, dz, scratch)) {
      return true;
    }
    for (const actor of this.actors) {
      if (actor.intersect(ox, oy, oz, dx, dy, dz, scratch, true)) {
        return true;
      }
    }
    return false;
  }

  /** Which of `objects` was hit; -1 for anything else. */
  objectOf({ solid, actor }: Hit): number {
    if (actor >= 0) return this.solids.groups.length + actor;
    return solid === GROUND ? -1 : this.#objectOfSolid[solid]!;
  }

  /**
   * A number of what a picture of the hit shows as one: an object, another solid, or all ground of a class. Numbers of
   * one world are distinct, not close together.
   */
  thingOf(hit: Hit, classId: ClassId): number {
    const object = this.objectOf(hit);
    if (object >= 0) return object;
    return this.objects.length + (hit.solid === GROUND ? this.solids.count + classId : hit.solid);
  }

  /**
   * What was hit, as its class and, in `out`, its look; x, y is the place of the hit. `detail` in 0..1 fades
   * fine grain out with distance, where a pixel covers many grains.
   */
  sampleSurface(hit: Hit, x: number, y: number, detail: number, out: SurfaceSample): ClassId {
    if (hit.solid !== GROUND) {
      const set = hit.actor >= 0 ? this.actors[hit.actor]!.bvh.set : this.solids;
      sampleSolid(set, hit, detail, out);
      return set.classId[hit.solid]! as ClassId;
    }
    const { s, d } = this.path.locate(x, y, this.#street);
    const { zone } = this.layout.groundAt(s, d, this.#place);
    sampleGround(this.layout, this.palette, this.#place, s, d, detail, out);
    return ZONE_CLASS[zone];
  }

  #makeGround(random: Random, start: number, end: number, style: StreetStyle): HeightField {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    const pose = { x: 0, y: 0, heading: 0 };
    for (let s = start; s <= end; s += 5) {
      this.path.poseAt(s, 0, pose);
      minX = Math.min(minX, pose.x);
      minY = Math.min(minY, pose.y);
      maxX = Math.max(maxX, pose.x);
      maxY = Math.max(maxY, pose.y);
    }
    const seed = random.integer(0, 1 << 30);
    const hill = random.uniform(0, style === "green" ? 1.5 : 0.5);
    const rough = random.uniform(0.05, 0.5);
    // Metres per metre: the whole street leans, and what lies beside it rises or falls away.
    const lean = style === "green" ? random.uniform(-0.03, 0.03) : 0;
    const banks = style === "green" ? [random.uniform(-0.1, 0.15), random.uniform(-0.1, 0.15)] : [0, 0];
    const street = { s: 0, d: 0 };
    const place = { zone: Zone.ROAD as Zone, raised: 0, fromEdge: 0 };
    const heightAt = (x: number, y: number): number => {
      const { s, d } = this.path.locate(x, y, street);
      const base = hill * Math.sin(s / 27 + seed) * Math.sin(s / 61);
      const beyond = Math.abs(d) - this.layout.side(d).parcelStart;
      this.layout.groundAt(s, d, place);
      let height = base + place.raised * this.layout.kerbHeight;
      if (place.zone === Zone.GRASS) {
        const share = Math.min(1, Math.max(0, beyond / 6));
        height += share * rough * (valueNoise(x / 9, y / 9, seed) - 0.3);
        height += 0.04 * valueNoise(x / 0.7, y / 0.7, seed + 1) * Math.min(1, Math.max(0, beyond));
      } else if (place.raised === 0) {
        height += 0.03 * Math.cos(Math.min(1, Math.abs(d) / this.layout.roadHalfWidth) * Math.PI * 0.5);
      }
      height += lean * d + banks[d > 0 ? 1 : 0]! * Math.min(12, Math.max(0, beyond));
      // Far from the street everything comes down to the plane that goes on outside the grid.
      return height * Math.min(1, Math.max(0, (GROUND_REACH - Math.abs(d)) / 10));
    };
    return new HeightField({
      minX: minX - GROUND_REACH,
      minY: minY - GROUND_REACH,
      columns: Math.ceil((maxX - minX + 2 * GROUND_REACH) / GROUND_CELL),
      rows: Math.ceil((maxY - minY + 2 * GROUND_REACH) / GROUND_CELL),
      cell: GROUND_CELL,
      heightAt,
    });
  }
}
