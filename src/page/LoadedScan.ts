import type { PackedScan } from "../scene/packedScan.js";
import type { SceneIndex, SceneScan } from "../scene/SceneIndex.js";

export type Vector = readonly [x: number, y: number, z: number];

/** A scan whose points are unpacked. */
export class LoadedScan {
  /** In the page, from 0. */
  readonly place: number;
  readonly scan: SceneScan;
  readonly packed: PackedScan;
  readonly #index: SceneIndex;

  constructor(index: SceneIndex, place: number, packed: PackedScan) {
    this.#index = index;
    this.place = place;
    this.scan = index.scans[place]!;
    this.packed = packed;
  }

  get count(): number {
    return this.packed.labels.length;
  }

  /** Metres, in the scan's frame. */
  position(point: number): Vector {
    const { origin, step } = this.scan.layout;
    const at = (axis: 0 | 1 | 2): number => origin[axis] + step * this.packed.positions[3 * point + axis]!;
    return [at(0), at(1), at(2)];
  }

  /** Of a field of the index, as well as 256 steps tell; undefined where the scan lacks it. */
  value(field: number, point: number): number | undefined {
    const range = this.scan.layout.fields[field];
    const values = this.packed.fields[field];
    if (values === undefined || range === undefined || range === null) return undefined;
    return range[0] + (values[point]! / 255) * (range[1] - range[0]);
  }

  className(slot: number): string {
    return this.#index.classes[slot]?.name ?? "none";
  }
}
