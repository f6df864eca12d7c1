import { quat } from "gl-matrix";
import type { TransformStamped } from "../../messages/types.js";

type Pose = Pick<TransformStamped, "translation" | "rotation">;

/**
 * Places each repetition of a drive where the one before it ended, so that the robot never jumps: turned about the
 * vertical and moved in the plane. Height, roll and pitch stay those of the street, lest they add up without end.
 */
export class EndlessPose {
  #yaw = 0;
  #x = 0;
  #y = 0;

  /** odom_T_base_link in the current repetition. */
  place({ translation, rotation }: Pose): Pose {
    const [x, y, z] = translation;
    const turn: [number, number, number, number] = [0, 0, Math.sin(this.#yaw / 2), Math.cos(this.#yaw / 2)];
    const turned: [number, number, number, number] = [0, 0, 0, 1];
    quat.multiply(turned, turn, [...rotation]);
    const [cos, sin] = [Math.cos(this.#yaw), Math.sin(this.#yaw)];
    return {
      translation: [this.#x + cos * x - sin * y, this.#y + sin * x + cos * y, z],
      rotation: turned,
    };
  }

  /** Goes on to the next repetition of the drive from `first` to `end`, both as recorded. */
  repeat(first: Pose, end: Pose): void {
    const reached = this.place(end);
    this.#yaw += yawOf(end) - yawOf(first);
    this.#x = 0;
    this.#y = 0;
    const start = this.place(first);
    this.#x = reached.translation[0] - start.translation[0];
    this.#y = reached.translation[1] - start.translation[1];
  }
}

/** Radians about the vertical; the robot drives on the ground, so it is never near straight up. */
function yawOf({ rotation: [x, y, z, w] }: Pose): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}
