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

/** Degrees, lowest first. */
function listed(...degrees: number[]): number[] {
  return degrees.map((degree) => degree * DEGREE);
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
  "os1-128": {
    name: "os1-128",
    elevations: evenly(-22.5, 22.5, 128),
    minimumRange: 0.5,
    maximumRange: 120,
    rangeNoise: 0.015,
  },
  /** As in Velodyne's user manual: close together about the horizon. */
  "vlp-32c": {
    name: "vlp-32c",
    // prettier-ignore
    elevations: listed(
      -25, -15.639, -11.31, -8.843, -7.254, -6.148, -5.333, -4.667, -4, -3.667, -3.333, -3, -2.667, -2.333, -2,
      -1.667, -1.333, -1, -0.667, -0.333, 0, 0.333, 0.667, 1, 1.333, 1.667, 2.333, 3.333, 4.667, 7, 10.333, 15,
    ),
    minimumRange: 1,
    maximumRange: 200,
    rangeNoise: 0.03,
  },
  /** 1/3 degree apart from -6 to 2 degrees, sparse below and above. */
  pandar40p: {
    name: "pandar40p",
    elevations: [
      ...listed(-25, -19, -14, -13, -12, -11, -10, -9, -8, -7),
      ...evenly(-6, 2, 25),
      ...listed(3, 5, 8, 11, 15),
    ],
    minimumRange: 0.3,
    maximumRange: 200,
    rangeNoise: 0.02,
  },
} as const satisfies Record<string, LidarPreset>;

export type LidarPresetName = keyof typeof LIDAR_PRESETS;
