import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";
import { reasonOf } from "../systemError.js";

export interface KittiDrive {
  /** The folder with the calib_*.txt files. */
  readonly day: string;
  /** The folder with velodyne_points. */
  readonly drive: string;
}

/**
 * Finds the drive that a folder means: the folder itself, or the only drive in it.
 * @throws Fault `data-set-unreadable` when there is none or more than one
 */
export async function findKittiDrive(folder: string): Promise<KittiDrive> {
  const entries = await list(folder);
  if (entries.includes("velodyne_points")) {
    return { day: path.dirname(path.resolve(folder)), drive: folder };
  }
  const drives: string[] = [];
  for (const name of entries.sort()) {
    if (await isDrive(path.join(folder, name))) drives.push(name);
  }
  const [drive, ...others] = drives;
  if (drive === undefined) {
    throw new Fault(
      "data-set-unreadable",
      `${folder} is not a KITTI raw folder: neither it nor a folder in it holds velodyne_points`,
    );
  }
  if (others.length > 0) {
    throw new Fault(
      "data-set-unreadable",
      `${folder} holds ${drives.length} drives, name one of them: ${drives.join(", ")}`,
    );
  }
  return { day: folder, drive: path.join(folder, drive) };
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
