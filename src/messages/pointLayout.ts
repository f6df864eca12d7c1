import { PointFieldType, type PointCloud2, type PointField } from "./types.js";

/**
 * What the fields of a cloud mean. sensor_msgs/PointCloud2 leaves that to the driver: names, types, units and
 * scales differ. docs/inputs.md lists the layouts of the drivers that this knows.
 */
export interface PointLayout {
  readonly intensity?: IntensityField;
  readonly time?: TimeField;
  /** Number of the laser or channel that measured the point. */
  readonly ring?: string;
  /** Packed colour, 0x00RRGGBB or 0xAARRGGBB in the bits of a 4-byte field. */
  readonly color?: string;
}

export interface IntensityField {
  readonly field: string;
  /**
   * The values that may stand for the strongest return, ascending: one where driver or datatype say it, several where
   * drivers that look alike differ.
   */
  readonly fullScales: readonly number[];
}

export interface TimeField {
  readonly field: string;
  /** Since the stamp of the cloud's header, or of the clock that made that stamp. */
  readonly origin: "stamp" | "clock";
  /** Nanoseconds of 1; undefined where drivers that look alike differ, so that the header's stamp must tell. */
  readonly unit: number | undefined;
}

const { UINT8, UINT16, UINT32, FLOAT32, FLOAT64 } = PointFieldType;

const SECOND = 1e9;
const NANOSECOND = 1;

/** @param intensityName the field that is intensity, when the user knows better */
export function pointLayout({ fields }: Pick<PointCloud2, "fields">, intensityName?: string): PointLayout {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const intensity =
    intensityName === undefined ? intensityField(byName) : namedIntensity(byName, intensityName);
  const time = timeField(byName);
  const ring = ["ring", "channel", "line", "laser_id"].find((name) => byName.has(name));
  const color = ["rgb", "rgba"].find((name) => byName.has(name));
  return {
    ...(intensity && { intensity }),
    ...(time && { time }),
    ...(ring !== undefined && { ring }),
    ...(color !== undefined && { color }),
  };
}

/** What one reads for people: "reflectivity (0..255 or 0..65535)". */
export function describeIntensity({ field, fullScales }: IntensityField): string {
  return `${field} (${fullScales.map((scale) => `0..${scale}`).join(" or ")})`;
}

export function describeTime({ field, origin, unit }: TimeField): string {
  const name = unit === SECOND ? "s" : unit === NANOSECOND ? "ns" : "s to ns";
  return `${field} (${name}, ${origin === "stamp" ? "from the stamp" : "absolute"})`;
}

function intensityField(fields: ReadonlyMap<string, PointField>): IntensityField | undefined {
  // Ouster sends photon counts as `intensity`, and beside them what the surface reflects, corrected for range.
  const reflectivity = fields.get("reflectivity");
  if (reflectivity !== undefined && isInteger(reflectivity)) return scaled(reflectivity, fields);
  for (const name of INTENSITY_NAMES) {
    const field = fields.get(name) ?? [...fields.values()].find((other) => other.name.toLowerCase() === name);
    if (field !== undefined) return scaled(field, fields);
  }
  return undefined;
}

/** What drivers and data sets call intensity, the clearest name first; Ouster's `ambient` is sunlight. */
const INTENSITY_NAMES = [
  "intensity",
  "reflectivity",
  "reflectance",
  "intensities",
  "remission",
  "remissions",
  "signal",
  "i",
] as const;

function namedIntensity(fields: ReadonlyMap<string, PointField>, name: string): IntensityField | undefined {
  const field = fields.get(name);
  return field && scaled(field, fields);
}

function isInteger({ datatype }: PointField): boolean {
  return datatype !== FLOAT32 && datatype !== FLOAT64;
}

function scaled(field: PointField, fields: ReadonlyMap<string, PointField>): IntensityField {
  return { field: field.name, fullScales: fullScales(field, fields) };
}

function fullScales({ datatype }: PointField, fields: ReadonlyMap<string, PointField>): readonly number[] {
  if (datatype === UINT8 || datatype === PointFieldType.INT8) return [255];
  if (datatype === UINT16 || datatype === PointFieldType.INT16) return [255, 65535];
  // Velodyne, Hesai, Livox and Robosense put a byte into a float; simulators and data sets with rings send 0..1.
  const spins = fields.has("ring") || fields.has("channel") || fields.has("line");
  return spins ? [1, 255] : [1, 255, 65535];
}

function timeField(fields: ReadonlyMap<string, PointField>): TimeField | undefined {
  for (const name of ["t", "time", "timestamp", "time_stamp", "offset_time"]) {
    const datatype = fields.get(name)?.datatype;
    if (datatype === UINT32) return { field: name, origin: "stamp", unit: NANOSECOND };
    // Single precision does not hold a time since the epoch.
    if (datatype === FLOAT32) return { field: name, origin: "stamp", unit: SECOND };
    if (datatype === FLOAT64) return { field: name, origin: "clock", unit: undefined };
  }
  return undefined;
}
