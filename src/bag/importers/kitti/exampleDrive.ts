/** A small drive in the layout of the KITTI raw data set, for tests. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import type { Pose } from "../../../transforms/Pose.js";
import { normalized, toMatrix } from "../../../transforms/Pose.js";

export const WIDTH = 40;
export const HEIGHT = 12;

/** Like those of 2011_09_26, with all digits. */
export const VELODYNE_TO_CAMERA0: Pose = {
  translation: [-0.004069766, -0.07631618, -0.2717806],
  rotation: normalized([0.5, -0.497, 0.503, 0.498]),
};
export const RECTIFICATION: Pose = {
  translation: [0, 0, 0],
  rotation: normalized([0.002, -0.0037, -0.0049, 1]),
};
export const IMU_TO_VELODYNE: Pose = {
  translation: [-0.8086759, 0.3195559, -0.7997231],
  rotation: normalized([0.001, -0.0007, 0.0005, 1]),
};
/** P_rect of the left grey and the left colour camera. */
export const PROJECTIONS = {
  "00": [721.5377, 0, 609.5593, 0, 0, 721.5377, 172.854, 0, 0, 0, 1, 0],
  "02": [721.5377, 0, 609.5593, 44.85728, 0, 721.5377, 172.854, 0.2163791, 0, 0, 1, 0.002745884],
} as const;

/** Row-major 3x3. */
export function rotationMatrix(pose: Pose): number[] {
  const m = toMatrix(pose);
  return [m[0]!, m[4]!, m[8]!, m[1]!, m[5]!, m[9]!, m[2]!, m[6]!, m[10]!];
}

export function timeLine(frame: number, offset = 0): string {
  return `2011-09-26 13:02:${String(25 + Math.floor(frame / 10)).padStart(2, "0")}.${frame % 10}${String(4360375 + offset).padStart(8, "0")}`;
}

/** Nanoseconds of `timeLine`. */
export function stampOf(frame: number, offset = 0): bigint {
  return (
    BigInt(Date.UTC(2011, 8, 26, 13, 2, 25)) * 1_000_000n +
    BigInt(frame) * 100_000_000n +
    BigInt(4360375 + offset)
  );
}

/** `frame` + 2 points of x, y, z, reflectance. */
export function scanBytes(frame: number): Uint8Array {
  const points = Float32Array.from({ length: 4 * (frame + 2) }, (_, i) => i + frame / 8);
  return new Uint8Array(points.buffer);
}

export async function pngBytes(width = WIDTH, height = HEIGHT, channels: 1 | 3 = 3): Promise<Uint8Array> {
  const png = sharp({ create: { width, height, channels: 3, background: { r: 200, g: 100, b: 50 } } });
  return (channels === 1 ? png.toColourspace("b-w") : png).png().toBuffer();
}

/** Writes `2011_09_26/2011_09_26_drive_0001_sync` with scans and both left cameras; returns the two folders. */
export async function writeDrive(folder: string, frames = 3): Promise<{ day: string; drive: string }> {
  const day = path.join(folder, "2011_09_26");
  const drive = path.join(day, "2011_09_26_drive_0001_sync");
  const line = (name: string, values: readonly number[]): string => `${name}: ${values.join(" ")}\n`;
  const rigid = (pose: Pose): string =>
    `calib_time: 15-Mar-2012 11:37:16\n${line("R", rotationMatrix(pose))}${line("T", pose.translation)}delta_f: 0 0\n`;
  const cameras = Object.entries(PROJECTIONS)
    .map(([camera, p]) => line(`S_rect_${camera}`, [WIDTH, HEIGHT]) + line(`P_rect_${camera}`, p))
    .join("");
  const files: Record<string, string | Uint8Array> = {
    [path.join(day, "calib_velo_to_cam.txt")]: rigid(VELODYNE_TO_CAMERA0),
    [path.join(day, "calib_cam_to_cam.txt")]:
      `calib_time: 09-Jan-2012\n${line("R_rect_00", rotationMatrix(RECTIFICATION))}${cameras}`,
  };
  const sensors = { velodyne_points: 0, image_00: 2_000_000, image_02: 3_000_000 };
  for (const [sensor, offset] of Object.entries(sensors)) {
    const lines = Array.from({ length: frames }, (_, frame) => timeLine(frame, offset));
    files[path.join(drive, sensor, "timestamps.txt")] = `${lines.join("\n")}\n`;
  }
  const images = { image_00: await pngBytes(WIDTH, HEIGHT, 1), image_02: await pngBytes() };
  for (let frame = 0; frame < frames; frame++) {
    files[frameFile(drive, "velodyne_points", frame)] = scanBytes(frame);
    for (const [sensor, png] of Object.entries(images)) files[frameFile(drive, sensor, frame)] = png;
  }
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return { day, drive };
}

export function frameFile(drive: string, sensor: string, frame: number): string {
  const extension = sensor === "velodyne_points" ? "bin" : sensor === "oxts" ? "txt" : "png";
  return path.join(drive, sensor, "data", `${String(frame).padStart(10, "0")}.${extension}`);
}
