import { Bvh } from "./Bvh.js";
import type { HeightField } from "./HeightField.js";
import type { Hit } from "./Hit.js";
import type { SolidSet } from "./SolidSet.js";
import type { StreetPath } from "./StreetPath.js";

export interface ActorMotion {
  /** Street coordinates at time 0, metres. */
  readonly s: number;
  readonly d: number;
  /** Metres per second along and across the street. */
  readonly alongSpeed: number;
  readonly acrossSpeed: number;
}

/** An object that moves through the street, its shape rigid. */
export class Actor {
  readonly bvh: Bvh;
  readonly motion: ActorMotion;
  readonly #radius: number;
  readonly #place = { x: 0, y: 0, heading: 0 };
  #x = 0;
  #y = 0;
  #z = 0;
  #cos = 1;
  #sin = 0;

  constructor(set: SolidSet, motion: ActorMotion) {
    this.bvh = new Bvh(set);
    this.motion = motion;
    this.#radius = this.bvh.radius;
  }

  /** Moves the object to where it is `time` seconds after the world's start. */
  setTime(time: number, path: StreetPath, ground: HeightField): void {
    const { s, d, alongSpeed, acrossSpeed } = this.motion;
    const place = path.poseAt(s + alongSpeed * time, d + acrossSpeed * time, this.#place);
    const yaw = place.heading + Math.atan2(acrossSpeed, alongSpeed);
    this.#x = place.x;
    this.#y = place.y;
    this.#z = ground.heightAt(place.x, place.y);
    this.#cos = Math.cos(yaw);
    this.#sin = Math.sin(yaw);
  }

  /** Column-major 4x4, from its frame to the world's, at the time last given to `setTime`. */
  get pose(): Float64Array {
    const [cos, sin] = [this.#cos, this.#sin];
    return Float64Array.of(cos, sin, 0, 0, -sin, cos, 0, 0, 0, 0, 1, 0, this.#x, this.#y, this.#z, 1);
  }

  /** Like Bvh.intersect, with ray and normal in the world frame. */
  intersect(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    hit: Hit,
    any: boolean,
  ): boolean {
    const x = ox - this.#x;
    const y = oy - this.#y;
    const z = oz - this.#z;
    const along = -(x * dx + y * dy + z * dz);
    const square = x * x + y * y + z * z - this.#radius * this.#radius;
    // Behind the ray's start, beyond its end, or to the side.
    if ((along < 0 && square > 0) || along - this.#radius > hit.distance || square > along * along) {
      return false;
    }
    const cos = this.#cos;
    const sin = this.#sin;
    const lx = cos * x + sin * y;
    const ly = cos * y - sin * x;
    const lu = cos * dx + sin * dy;
    const lv = cos * dy - sin * dx;
    if (any) {
      return this.bvh.occluded(lx, ly, z, lu, lv, dz, hit);
    }
    if (!this.bvh.intersect(lx, ly, z, lu, lv, dz, hit)) {
      return false;
    }
    const nx = hit.normalX;
    hit.normalX = cos * nx - sin * hit.normalY;
    hit.normalY = sin * nx + cos * hit.normalY;
    return true;
  }
}
