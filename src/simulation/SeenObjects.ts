import { mat4 } from "gl-matrix";
import { movedBox } from "../geometry/OrientedBox.js";
import { boxMessage } from "../messages/boxDetections.js";
import type { Detection3DArray, Header } from "../messages/types.js";
import { SEMANTIC_KITTI_CLASSES } from "./classes.js";
import type { World } from "./World.js";

/** The vehicles and people that have points in a scan, and when these were measured. */
export class SeenObjects {
  readonly #seen = new Map<number, { points: number; time: number }>();

  /** A point on one of the world's objects, `offset` seconds after the start of the scan. */
  add(object: number, offset: number): void {
    const seen = this.#seen.get(object);
    if (seen === undefined) this.#seen.set(object, { points: 1, time: offset });
    else {
      seen.points++;
      seen.time += offset;
    }
  }

  /**
   * Their true boxes, where the scan has their points: each as the sensor saw it, from where it was and in its frame, at the
   * mean time of its points. Moves what moves in the world.
   * @param time of the scan's start, seconds after the world's
   * @param header of the cloud
   * @param sensorAt world_T_lidar (column-major 4x4) at a time
   */
  boxes(
    world: World,
    time: number,
    header: Header,
    sensorAt: (time: number) => Float64Array,
  ): Detection3DArray {
    const detections = [...this.#seen]
      .sort(([one], [other]) => one - other)
      .map(([index, seen]) => {
        const { classId, center, size, place } = world.objects[index]!;
        const at = time + seen.time / seen.points;
        world.setTime(at);
        const toSensor = new Float64Array(16);
        mat4.invert(toSensor, sensorAt(at));
        mat4.multiply(toSensor, toSensor, place instanceof Float64Array ? place : place.pose);
        const box = movedBox({ center, size, yaw: 0 }, toSensor);
        const { name } = SEMANTIC_KITTI_CLASSES[classId]!;
        return boxMessage({ box, className: name, score: 1 }, header, String(index));
      });
    return { header, detections };
  }
}
