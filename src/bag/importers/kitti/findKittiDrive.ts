import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { reasonOf } from "../../../files/systemError.js";

export interface KittiDrive {
  /** The folder with the calib_*.txt files. */
  readonly day: string;
  /** The folder with velodyne_points. */
  readonly drive: string;
}

/**
 * Finds the drive that a folder means: the folder itself, the only drive of a day, or the only drive of a folder
 * of days.
 * @throws Fault `data-set-unreadable` when there is none or more than one
 */
export async function findKittiDrive(folder: string): Promise<KittiDrive> {
  if (await isDrive(folder)) return { day: path.dirname(path.resolve(folder)), drive: folder };
  const drives = await drivesIn(folder);
  if (drives.length === 0) {
    const days = await list(folder);
    for (const day of days.sort()) {
      const inside = path.join(folder, day);
      if ((await stat(inside)).isDirectory()) drives.push(...(await drivesIn(inside)));
    }
  }
  const [drive, ...others] = drives;
  if (drive === undefined) {
    throw new Fault(
      "data-set-unreadable",
      `${folder} is not a KITTI raw folder: neither it nor a drive in it holds velodyne_points`,
    );
  }
  if (others.length > 0) {
    const names = drives.map((found) => path.relative(folder, found)).join(", ");
    throw new Fault(
      "data-set-unreadable",
      `${folder} holds ${drives.length} drives, name one of them: ${names}`,
    );
  }
  return { day: path.dirname(drive), drive };
}

async function drivesIn(folder: string): Promise<string[]> {
  const drives: string[] = [];
  for (const name of (await list(folder)).sort()) {
    if (await isDrive(path.join(folder, name))) drives.push(path.join(folder, name));
  }
  return drives;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new Fault("data-set-unreadable", `${folder} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

async function isDrive(folder: string): Promise<boolean> {
  return stat(path.join(folder, "velodyne_points")).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
