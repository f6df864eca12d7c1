import { readdir, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { isSystemError } from "../../files/systemError.js";
import { Fault } from "../../faults/Fault.js";

/** How much recordings may take of the disk: whoever can reach the node can ask for one, again and again. */
export interface RecordingQuota {
  readonly maxRecordings: number;
  /** Of all recordings in the folder. */
  readonly maxTotalBytes: number;
  /** That stay free on the disk. */
  readonly minFreeBytes: number;
}

const NAME = /^ditr_perception_.*\.mcap(\.partial)?$/;

/**
 * The folder of recordings, shared with the recordings of earlier runs and of other nodes. None is ever removed: what is
 * there may be all that is known of an accident.
 */
export class RecordingFolder {
  readonly #folder: string;
  readonly #quota: RecordingQuota;

  constructor(folder: string, quota: RecordingQuota) {
    this.#folder = folder;
    this.#quota = quota;
  }

  /**
   * A name for a new recording, in the order of time.
   * @param bytes that it will take at most
   * @throws Fault `bag-unwritable` when it does not fit into the quota
   */
  async place(bytes: number): Promise<string> {
    const { maxRecordings, maxTotalBytes, minFreeBytes } = this.#quota;
    const folder = this.#folder;
    const sizes = await this.#sizes();
    const advice = "move some away, or delete them";
    if (sizes.length >= maxRecordings) {
      throw refused(
        `${folder} has ${sizes.length} recordings, and recording.max_recordings is ${maxRecordings}: ${advice}`,
      );
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total + bytes > maxTotalBytes) {
      throw refused(
        `the recordings in ${folder} take ${megabytes(total)}, this one needs up to ${megabytes(bytes)}, and ` +
          `recording.max_total_megabytes is ${maxTotalBytes / 1e6}: ${advice}`,
      );
    }
    const free = await this.#freeBytes();
    if (free - bytes < minFreeBytes) {
      throw refused(
        `the disk of ${folder} has ${megabytes(free)} free, the recording needs up to ${megabytes(bytes)}, and ` +
          `recording.min_free_megabytes is ${minFreeBytes / 1e6}: make room`,
      );
    }
    return path.join(folder, `ditr_perception_${timeInName(new Date())}.mcap`);
  }

  /** Of the recordings that are there. */
  async #sizes(): Promise<number[]> {
    const names = await orAbsent(this.#folder, readdir(this.#folder));
    const ours = (names ?? []).filter((name) => NAME.test(name)).map((name) => path.join(this.#folder, name));
    const found = await Promise.all(ours.map((file) => orAbsent(file, stat(file))));
    return found.flatMap((status) => (status === undefined ? [] : [status.size]));
  }

  /** Of the disk that the folder is on, or will be. */
  async #freeBytes(): Promise<number> {
    for (let folder = path.resolve(this.#folder); ; folder = path.dirname(folder)) {
      const disk = await orAbsent(folder, statfs(folder));
      if (disk !== undefined) return disk.bavail * disk.bsize;
    }
  }
}

/** undefined for what is not there. */
async function orAbsent<T>(file: string, found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT") return undefined;
    throw new Fault("bag-unwritable", `${file} cannot be written: ${error.message}`, { cause: error });
  }
}

function refused(sentence: string): Fault {
  return new Fault("bag-unwritable", sentence);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** 2026-11-22T08-52-31-123Z: in the order of time, and allowed in file names everywhere. */
function timeInName(time: Date): string {
  return time.toISOString().replaceAll(/[:.]/g, "-");
}
