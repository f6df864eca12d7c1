/** Elevation of each beam in radians, lowest first: a beam's index is its ring, as in Velodyne's ROS driver. */
export interface LidarPreset {
  readonly name: string;
  readonly elevations: readonly number[];
  /** Metres. */
  readonly minimumRange: number;
  readonly maximumRange: number;
  /** Standard deviation of a range in metres. */
  readonly rangeNoise: number;
}

const DEGREE = Math.PI / 180;

function evenly(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, beam) => (low + ((high - low) * beam) / (count - 1)) * DEGREE);
}

export const LIDAR_PRESETS = {
  /** Two blocks of 32: 1/3 degree apart above, 1/2 degree below. */
  "hdl-64e": {
    name: "hdl-64e",
    elevations: [...evenly(-24.8, -8.87, 32), ...evenly(-8.33, 2, 32)],
    minimumRange: 0.9,
    maximumRange: 120,
    rangeNoise: 0.02,
  },
  "hdl-32e": {
    name: "hdl-32e",
    elevations: evenly(-30.67, 10.67, 32),
    minimumRange: 0.9,
    maximumRange: 100,
    rangeNoise: 0.02,
  },
  "vlp-16": {
    name: "vlp-16",
    elevations: evenly(-15, 15, 16),
    minimumRange: 0.5,
    maximumRange: 100,
    rangeNoise: 0.03,
  },
  "os1-64": {
    name: "os1-64",
    elevations: evenly(-22.5, 22.5, 64),
    minimumRange: 0.5,
    maximumRange: 120,
    rangeNoise: 0.015,
  },
} as const satisfies Record<string, LidarPreset>;

export type LidarPresetName = keyof typeof LIDAR_PRESETS;
