import { readFile } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";
import type { Pose } from "../../transforms/Pose.js";
import { isSystemError, reasonOf } from "../systemError.js";
import { poseFromMatrix } from "./poseFromMatrix.js";

export const KITTI_CAMERAS = ["00", "01", "02", "03"] as const;
export type KittiCameraNumber = (typeof KITTI_CAMERAS)[number];

export interface KittiCameraCalibration {
  /** P_rect: 3x4, row-major; projects points of the rectified frame of camera 00. */
  readonly projection: readonly number[];
  /** S_rect: width and height of the rectified images in pixels. */
  readonly size?: readonly [width: number, height: number];
}

/** Geiger et al., "Vision meets Robotics: The KITTI Dataset", IJRR 2013, section III. */
export interface KittiCalibration {
  /** Maps velodyne coordinates to those of camera 00, not rectified. */
  readonly velodyneToCamera0: Pose;
  /** R_rect_00: maps camera 00 to its rectified frame. */
  readonly rectification: Pose;
  readonly cameras: ReadonlyMap<KittiCameraNumber, KittiCameraCalibration>;
  /** Maps IMU coordinates to velodyne coordinates. */
  readonly imuToVelodyne?: Pose;
}

/**
 * Reads calib_velo_to_cam.txt, calib_cam_to_cam.txt and, when there, calib_imu_to_velo.txt.
 * @param folder the folder of a day, such as `2011_09_26`
 * @throws Fault `data-set-unreadable` that names the file and the entry
 */
export async function readKittiCalibration(folder: string): Promise<KittiCalibration> {
  const velodyne = await CalibrationFile.read(path.join(folder, "calib_velo_to_cam.txt"));
  const cameras = await CalibrationFile.read(path.join(folder, "calib_cam_to_cam.txt"));
  const imu = await CalibrationFile.readIfThere(path.join(folder, "calib_imu_to_velo.txt"));
  return {
    velodyneToCamera0: velodyne.pose(),
    rectification: poseFromMatrix(cameras.rotation("R_rect_00"), [0, 0, 0]),
    cameras: new Map(
      KITTI_CAMERAS.filter((camera) => cameras.has(`P_rect_${camera}`)).map((camera) => [
        camera,
        cameras.camera(camera),
      ]),
    ),
    ...(imu && { imuToVelodyne: imu.pose() }),
  };
}

/** Lines of `name: number number ...`; lines with other values (calib_time) are kept and not looked at. */
class CalibrationFile {
  readonly #file: string;
  readonly #entries: ReadonlyMap<string, string>;

  private constructor(file: string, text: string) {
    this.#file = file;
    this.#entries = new Map(
      text
        .split("\n")
        .filter((line) => line.includes(":"))
        .map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]),
    );
  }

  static async read(file: string): Promise<CalibrationFile> {
    try {
      return new CalibrationFile(file, await readFile(file, "utf8"));
    } catch (error) {
      throw new Fault("data-set-unreadable", `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
    }
  }

  static async readIfThere(file: string): Promise<CalibrationFile | undefined> {
    try {
      return await CalibrationFile.read(file);
    } catch (error) {
      const { cause } = error as Fault;
      if (isSystemError(cause) && cause.code === "ENOENT") return undefined;
      throw error;
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  pose(): Pose {
    return poseFromMatrix(this.rotation("R"), this.#numbers("T", 3));
  }

  /** A 3x3 matrix that is a rotation up to the digits of the file. */
  rotation(name: string): readonly number[] {
    const r = this.#numbers(name, 9);
    const column = (i: number, j: number): number =>
      r[i]! * r[j]! + r[i + 3]! * r[j + 3]! + r[i + 6]! * r[j + 6]!;
    const skew = Math.max(
      ...[0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => Math.abs(column(i, j) - (i === j ? 1 : 0)))),
    );
    if (skew > 1e-3) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} is not a rotation: its columns are off orthonormal by ${skew.toPrecision(3)}`,
      );
    }
    return r;
  }

  camera(camera: KittiCameraNumber): KittiCameraCalibration {
    const name = `P_rect_${camera}`;
    const projection = this.#numbers(name, 12);
    if (!(projection[0]! > 0 && projection[5]! > 0) || projection[10] !== 1) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} is not a projection: focal lengths ${projection[0]!} and ${projection[5]!}, last row scale ${projection[10]!}`,
      );
    }
    if (!this.has(`S_rect_${camera}`)) return { projection };
    const [width, height] = this.#numbers(`S_rect_${camera}`, 2);
    return { projection, size: [width!, height!] };
  }

  #numbers(name: string, count: number): readonly number[] {
    const text = this.#entries.get(name);
    if (text === undefined) throw new Fault("data-set-unreadable", `${this.#file} has no entry ${name}`);
    const numbers = text.split(/\s+/).map(Number);
    if (text === "" || numbers.length !== count || !numbers.every(Number.isFinite)) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} must be ${count} numbers, it is '${text}'`,
      );
    }
    return numbers;
  }
}
