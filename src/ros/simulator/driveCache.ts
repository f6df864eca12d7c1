import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { SimulateDriveOptions } from "../../simulation/SimulateDriveOptions.js";

/** Drives that are kept; each has some ten megabytes. */
const KEPT = 3;

/** Where drives are kept between starts: beside the logs of ROS. */
export function cacheFolder(): string {
  const home = process.env["ROS_HOME"] ?? path.join(homedir(), ".ros");
  return path.join(home, "ditr_perception", "simulator");
}

/** The file of a drive: named by its options and by the program that simulates, so that neither goes stale. */
export async function cacheFile(folder: string, options: SimulateDriveOptions): Promise<string> {
  const program = fileURLToPath(new URL("../../simulation", import.meta.url));
  const hash = createHash("sha256");
  hash.update(
    JSON.stringify(options, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );
  for (const name of (await readdir(program)).sort()) {
    if (/(?<!\.test)\.js$/.test(name)) hash.update(await readFile(path.join(program, name)));
  }
  return path.join(folder, `drive-${hash.digest("hex").slice(0, 16)}.mcap`);
}

/** Marks a file as just used, and deletes all but the last used ones. */
export async function tidyCache(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
  const folder = path.dirname(file);
  const drives = (await readdir(folder)).filter((name) => /^drive-[0-9a-f]{16}\.mcap$/.test(name));
  const used = await Promise.all(
    drives.map(async (name) => ({ name, time: (await stat(path.join(folder, name))).mtimeMs })),
  );
  used.sort((a, b) => b.time - a.time);
  for (const { name } of used.slice(KEPT)) await rm(path.join(folder, name), { force: true });
}
