import type { Pose } from "../../../transforms/Pose.js";

/** Metres: the radius of the sphere that KITTI's development kit projects from. */
const EARTH_RADIUS = 6378137;

/** What a packet of KITTI's GPS/IMU unit starts with (dataformat.txt of the development kit). */
export interface OxtsPacket {
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
  /** Metres. */
  readonly altitude: number;
  /** Radians: 0 is level, positive with the left side up. */
  readonly roll: number;
  /** Radians: 0 is level, positive with the front down. */
  readonly pitch: number;
  /** Radians: 0 is east, positive counter-clockwise. */
  readonly yaw: number;
}

/** Reads one oxts file; undefined when it does not start with six numbers in their ranges. */
export function parseOxts(text: string): OxtsPacket | undefined {
  const numbers = text.trim().split(/\s+/).slice(0, 6).map(Number);
  if (text.trim() === "" || numbers.length < 6 || !numbers.every(Number.isFinite)) return undefined;
  const [latitude, longitude, altitude, roll, pitch, yaw] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (Math.abs(latitude) >= 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude, longitude, altitude, roll, pitch, yaw };
}

/**
 * The pose of the IMU in a level frame at the first packet's place, x east, y north, z up: the Mercator
 * projection of KITTI's development kit (latToScale.m, latlonToMercator.m, convertOxtsToPose.m), but
 * not turned into the first packet's orientation, so that z stays up.
 */
export function oxtsPose(packet: OxtsPacket, first: OxtsPacket): Pose {
  const scale = Math.cos((first.latitude * Math.PI) / 180);
  const [x, y, z] = mercator(packet, scale);
  const [x0, y0, z0] = mercator(first, scale);
  return { translation: [x - x0, y - y0, z - z0], rotation: quaternionOf(packet) };
}

function mercator({ latitude, longitude, altitude }: OxtsPacket, scale: number): [number, number, number] {
  return [
    (scale * EARTH_RADIUS * longitude * Math.PI) / 180,
    scale * EARTH_RADIUS * Math.log(Math.tan(((90 + latitude) * Math.PI) / 360)),
    altitude,
  ];
}

/** Rz(yaw) Ry(pitch) Rx(roll) */
function quaternionOf({ roll, pitch, yaw }: OxtsPacket): Pose["rotation"] {
  const [sr, cr] = [Math.sin(roll / 2), Math.cos(roll / 2)];
  const [sp, cp] = [Math.sin(pitch / 2), Math.cos(pitch / 2)];
  const [sy, cy] = [Math.sin(yaw / 2), Math.cos(yaw / 2)];
  return [
    sr * cp * cy - cr * sp * sy,
    cr * sp * cy + sr * cp * sy,
    cr * cp * sy - sr * sp * cy,
    cr * cp * cy + sr * sp * sy,
  ];
}
