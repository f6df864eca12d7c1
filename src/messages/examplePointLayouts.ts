/**
 * The point layouts of common drivers, byte for byte, with a cloud of each for tests. The table in docs/inputs.md is
 * made of them.
 */
import { PointFieldType, type PointCloud2 } from "./types.js";

type TypeName = keyof typeof PointFieldType;

export interface ExampleLayout {
  readonly source: string;
  /** Name, offset, datatype. */
  readonly fields: readonly (readonly [name: string, offset: number, datatype: TypeName])[];
  readonly pointStep: number;
  readonly height: number;
  readonly isBigEndian?: boolean;
  /** What a point's intensity of 1 is in this cloud; undefined without intensity. */
  readonly fullScale?: number;
  /** From nanoseconds after the stamp to the value of the time field. */
  readonly time?: { readonly field: string; readonly encode: (offset: number) => number };
}

/** Stamp of the example clouds: one that neither seconds nor nanoseconds hold in double precision. */
export const EXAMPLE_STAMP = 1_700_000_001_987_654_321n;

const XYZ = [
  ["x", 0, "FLOAT32"],
  ["y", 4, "FLOAT32"],
  ["z", 8, "FLOAT32"],
] as const;

const seconds = (offset: number): number => offset / 1e9;
const epochSeconds = (offset: number): number =>
  Number(EXAMPLE_STAMP / 1_000_000_000n) + (Number(EXAMPLE_STAMP % 1_000_000_000n) + offset) / 1e9;
const epochNanoseconds = (offset: number): number => Number(EXAMPLE_STAMP + BigInt(Math.round(offset)));

export const EXAMPLE_LAYOUTS: readonly ExampleLayout[] = [
  {
    source: "Velodyne (velodyne_pointcloud XYZIRT)",
    fields: [...XYZ, ["intensity", 12, "FLOAT32"], ["ring", 16, "UINT16"], ["time", 18, "FLOAT32"]],
    pointStep: 22,
    height: 1,
    fullScale: 255,
    time: { field: "time", encode: seconds },
  },
  {
    source: "Ouster (ouster_ros)",
    fields: [
      ...XYZ,
      ["intensity", 16, "FLOAT32"],
      ["t", 20, "UINT32"],
      ["reflectivity", 24, "UINT16"],
      ["ring", 26, "UINT16"],
      ["ambient", 28, "UINT16"],
      ["range", 32, "UINT32"],
    ],
    pointStep: 48,
    height: 2,
    fullScale: 255,
    time: { field: "t", encode: (offset) => offset },
  },
  {
    source: "Ouster, 8-bit ring and 16-bit reflectivity (old firmware)",
    fields: [
      ...XYZ,
      ["intensity", 16, "FLOAT32"],
      ["t", 20, "UINT32"],
      ["reflectivity", 24, "UINT16"],
      ["ring", 26, "UINT8"],
      ["ambient", 28, "UINT16"],
      ["range", 32, "UINT32"],
    ],
    pointStep: 48,
    height: 2,
    fullScale: 65535,
    time: { field: "t", encode: (offset) => offset },
  },
  {
    source: "Hesai (hesai_ros_driver)",
    fields: [...XYZ, ["intensity", 12, "FLOAT32"], ["ring", 16, "UINT16"], ["timestamp", 18, "FLOAT64"]],
    pointStep: 26,
    height: 1,
    fullScale: 255,
    time: { field: "timestamp", encode: epochSeconds },
  },
  {
    source: "Hesai (HesaiLidar_General, aligned)",
    fields: [...XYZ, ["intensity", 16, "FLOAT32"], ["timestamp", 24, "FLOAT64"], ["ring", 32, "UINT16"]],
    pointStep: 48,
    height: 1,
    fullScale: 255,
    time: { field: "timestamp", encode: epochSeconds },
  },
  {
    source: "Livox (livox_ros_driver2 PointXYZRTLT)",
    fields: [
      ...XYZ,
      ["intensity", 12, "FLOAT32"],
      ["tag", 16, "UINT8"],
      ["line", 17, "UINT8"],
      ["timestamp", 18, "FLOAT64"],
    ],
    pointStep: 26,
    height: 1,
    fullScale: 255,
    time: { field: "timestamp", encode: epochNanoseconds },
  },
  {
    source: "Livox CustomMsg as points (offset_time)",
    fields: [
      ...XYZ,
      ["offset_time", 12, "UINT32"],
      ["reflectivity", 16, "UINT8"],
      ["tag", 17, "UINT8"],
      ["line", 18, "UINT8"],
    ],
    pointStep: 20,
    height: 1,
    fullScale: 255,
    time: { field: "offset_time", encode: (offset) => offset },
  },
  {
    source: "Robosense (rslidar_sdk XYZIRT)",
    fields: [...XYZ, ["intensity", 12, "FLOAT32"], ["ring", 16, "UINT16"], ["timestamp", 18, "FLOAT64"]],
    pointStep: 26,
    height: 2,
    fullScale: 255,
    time: { field: "timestamp", encode: epochSeconds },
  },
  {
    source: "Robosense, 8-bit intensity",
    fields: [...XYZ, ["intensity", 16, "UINT8"], ["ring", 18, "UINT16"], ["timestamp", 24, "FLOAT64"]],
    pointStep: 32,
    height: 2,
    fullScale: 255,
    time: { field: "timestamp", encode: epochSeconds },
  },
  {
    source: "RealSense (depth/color/points)",
    fields: [...XYZ, ["rgb", 16, "FLOAT32"]],
    pointStep: 20,
    height: 1,
  },
  {
    source: "ZED (point_cloud/cloud_registered)",
    fields: [...XYZ, ["rgb", 12, "FLOAT32"]],
    pointStep: 16,
    height: 2,
  },
  {
    source: "RGB-D with rgba as an integer",
    fields: [...XYZ, ["rgba", 12, "UINT32"]],
    pointStep: 16,
    height: 2,
  },
  {
    source: "Gazebo (gpu_lidar through ros_gz)",
    fields: [...XYZ, ["intensity", 16, "FLOAT32"], ["ring", 20, "UINT16"]],
    pointStep: 32,
    height: 2,
    fullScale: 1,
  },
  {
    source: "CARLA lidar",
    fields: [...XYZ, ["intensity", 12, "FLOAT32"]],
    pointStep: 16,
    height: 1,
    fullScale: 1,
  },
  {
    source: "CARLA semantic lidar",
    fields: [...XYZ, ["CosAngle", 12, "FLOAT32"], ["ObjIdx", 16, "UINT32"], ["ObjTag", 20, "UINT32"]],
    pointStep: 24,
    height: 1,
  },
  {
    source: "Isaac Sim, point clouds without more",
    fields: XYZ,
    pointStep: 12,
    height: 1,
  },
  {
    source: "ditr simulate",
    fields: [
      ...XYZ,
      ["intensity", 12, "FLOAT32"],
      ["time", 16, "FLOAT32"],
      ["ring", 20, "UINT16"],
      ["ground_truth", 22, "UINT8"],
    ],
    pointStep: 24,
    height: 1,
    fullScale: 1,
    time: { field: "time", encode: seconds },
  },
  {
    source: "Autoware XYZI",
    fields: [...XYZ, ["intensity", 12, "FLOAT32"]],
    pointStep: 16,
    height: 1,
    fullScale: 255,
  },
  {
    source: "Autoware XYZIRC",
    fields: [...XYZ, ["intensity", 12, "UINT8"], ["return_type", 13, "UINT8"], ["channel", 14, "UINT16"]],
    pointStep: 16,
    height: 1,
    fullScale: 255,
  },
  {
    source: "Autoware XYZIRADRT",
    fields: [
      ...XYZ,
      ["intensity", 12, "FLOAT32"],
      ["ring", 16, "UINT16"],
      ["azimuth", 20, "FLOAT32"],
      ["distance", 24, "FLOAT32"],
      ["return_type", 28, "UINT8"],
      ["time_stamp", 32, "FLOAT64"],
    ],
    pointStep: 40,
    height: 1,
    fullScale: 255,
    time: { field: "time_stamp", encode: epochSeconds },
  },
  {
    source: "Autoware XYZIRCAEDT",
    fields: [
      ...XYZ,
      ["intensity", 12, "UINT8"],
      ["return_type", 13, "UINT8"],
      ["channel", 14, "UINT16"],
      ["azimuth", 16, "FLOAT32"],
      ["elevation", 20, "FLOAT32"],
      ["distance", 24, "FLOAT32"],
      ["time_stamp", 28, "UINT32"],
    ],
    pointStep: 32,
    height: 1,
    fullScale: 255,
    time: { field: "time_stamp", encode: (offset) => offset },
  },
  {
    source: "SICK and others, 16-bit intensity, big-endian",
    fields: [...XYZ, ["intensity", 12, "UINT16"]],
    pointStep: 14,
    height: 1,
    isBigEndian: true,
    fullScale: 65535,
  },
  {
    source: "Map frames in double precision",
    fields: [
      ["x", 0, "FLOAT64"],
      ["y", 8, "FLOAT64"],
      ["z", 16, "FLOAT64"],
      ["reflectance", 24, "FLOAT32"],
    ],
    pointStep: 32,
    height: 1,
    fullScale: 255,
  },
];

/** The points of every example cloud: 16 columns of each row. */
export const EXAMPLE_COLUMNS = 16;

/** Row-major index of a point to what it holds, before the driver's encoding. */
export interface ExamplePoint {
  /** Metres; REP 117: NaN for no return, infinities for too near and too far. */
  readonly xyz: readonly [number, number, number];
  /** 0..1 */
  readonly intensity: number;
  /** Nanoseconds after the stamp, a whole number of microseconds. */
  readonly offset: number;
  readonly ring: number;
}

export function examplePoint(index: number, seed: number): ExamplePoint {
  const invalid = ([NaN, Infinity, -Infinity] as const)[(index - 5) / 5];
  const at = (axis: number): number => invalid ?? Math.fround(((index * 7 + axis * 3 + seed) % 23) / 4 - 2);
  return {
    xyz: [at(0), at(1), at(2)],
    intensity: index === 3 ? 1 : ((index * 11 + seed) % 17) / 16,
    offset: index * 3_000_000 + seed * 1000,
    ring: index % 32,
  };
}

/**
 * A cloud of the layout with `examplePoint`s, written into `memory` (poisoned first, so that bytes outside the fields
 * are garbage) from `start`; `start` need not be aligned.
 */
export function exampleCloud(
  layout: ExampleLayout,
  seed: number,
  memory = new Uint8Array(1 << 12),
  start = 0,
): PointCloud2 {
  const { fields, pointStep, height, isBigEndian = false, fullScale = 1, time } = layout;
  const rowStep = pointStep * EXAMPLE_COLUMNS + (height > 1 ? 5 : 0);
  memory.fill(0xe7);
  const data = memory.subarray(start, start + rowStep * height);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let index = 0; index < EXAMPLE_COLUMNS * height; index++) {
    const point = examplePoint(index, seed);
    const at = Math.floor(index / EXAMPLE_COLUMNS) * rowStep + (index % EXAMPLE_COLUMNS) * pointStep;
    for (const [name, offset, datatype] of fields) {
      const value = valueOf(name, point, fullScale, time);
      write(view, at + offset, datatype, value, !isBigEndian);
    }
  }
  return {
    header: { stamp: EXAMPLE_STAMP, frameId: "lidar" },
    height,
    width: EXAMPLE_COLUMNS,
    fields: fields.map(([name, offset, datatype]) => ({
      name,
      offset,
      datatype: PointFieldType[datatype],
      count: 1,
    })),
    isBigEndian,
    pointStep,
    rowStep,
    data,
    isDense: false,
  };
}

function valueOf(name: string, point: ExamplePoint, fullScale: number, time: ExampleLayout["time"]): number {
  const axis = ["x", "y", "z"].indexOf(name);
  if (axis >= 0) return point.xyz[axis]!;
  if (name === time?.field) return time.encode(point.offset);
  switch (name) {
    case "intensity":
    case "reflectivity":
    case "reflectance":
      return fullScale === 1 ? point.intensity : Math.round(point.intensity * fullScale);
    case "ring":
    case "channel":
    case "line":
      return point.ring;
    default:
      // Something that no reader of the other fields may take for them.
      return 77;
  }
}

function write(view: DataView, at: number, datatype: TypeName, value: number, littleEndian: boolean): void {
  switch (datatype) {
    case "INT8":
      view.setInt8(at, value);
      break;
    case "UINT8":
      view.setUint8(at, value);
      break;
    case "INT16":
      view.setInt16(at, value, littleEndian);
      break;
    case "UINT16":
      view.setUint16(at, value, littleEndian);
      break;
    case "INT32":
      view.setInt32(at, value, littleEndian);
      break;
    case "UINT32":
      view.setUint32(at, value, littleEndian);
      break;
    case "FLOAT32":
      view.setFloat32(at, value, littleEndian);
      break;
    case "FLOAT64":
      view.setFloat64(at, value, littleEndian);
      break;
  }
}
