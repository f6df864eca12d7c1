import { rigidPose, type RigidPose } from "./RigidPose.js";
import type { World } from "./World.js";

/** Metres between the axles, and between the wheels of one. */
const WHEELBASE = 2.7;
const TRACK = 1.6;

/** The ego vehicle: along the middle of the inner lane at constant speed, standing on the ground with its four wheels. */
export class EgoDrive {
  readonly #world: World;
  readonly #speed: number;
  readonly #d: number;

  constructor(world: World, speed: number) {
    this.#world = world;
    this.#speed = speed;
    this.#d = world.layout.laneCenter(1, 0);
  }

  /** World pose of base_link (on the ground, x forward) `time` seconds after the world's start. */
  poseAt(time: number): RigidPose {
    const s = this.#speed * time;
    const { path, ground } = this.#world;
    const place = { x: 0, y: 0, heading: 0 };
    const height = (ahead: number, left: number): number => {
      path.poseAt(s + ahead, this.#d + left, place);
      return ground.heightAt(place.x, place.y);
    };
    const front = height(WHEELBASE / 2, 0);
    const rear = height(-WHEELBASE / 2, 0);
    const left = height(0, TRACK / 2);
    const right = height(0, -TRACK / 2);
    path.poseAt(s, this.#d, place);
    return rigidPose(
      [place.x, place.y, (front + rear) / 2],
      place.heading,
      Math.atan2(rear - front, WHEELBASE),
      Math.atan2(left - right, TRACK),
    );
  }
}
