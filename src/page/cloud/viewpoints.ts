import type { Vector } from "../LoadedScan.js";

/** Where a view is seen from, and what it looks at; x forward, y left, z up, metres. */
export interface Viewpoint {
  readonly eye: Vector;
  readonly target: Vector;
}

export type ViewpointName = "overview" | "top" | "driver";

/** `range`: metres to what is worth seeing; `ground`: z of the ground near the sensor. */
export function viewpoint(name: ViewpointName, range: number, ground: number): Viewpoint {
  switch (name) {
    case "overview":
      return { eye: [-0.42 * range, 0, ground + 0.34 * range], target: [0.2 * range, 0, ground] };
    case "top":
      // Not quite straight down, where forward would have no direction.
      return { eye: [-0.001 * range, 0, ground + 1.9 * range], target: [0, 0, ground] };
    case "driver":
      return { eye: [-0.02 * range, 0, 0], target: [0.3 * range, 0, ground * 0.3] };
  }
}
