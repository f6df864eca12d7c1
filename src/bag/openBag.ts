import type { FileHandle } from "node:fs/promises";
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { bagFormat, describeForeignFile } from "./bagFormat.js";
import { McapFile } from "./mcap/McapFile.js";
import { readRosbag2Metadata } from "./rosbag2Metadata.js";
import { SplitBag } from "./SplitBag.js";
import { Sqlite3File } from "./sqlite3/Sqlite3File.js";
import { reasonOf } from "./systemError.js";
import type { BagReader } from "./types.js";
import { unpackZstdFile } from "./unpackZstdFile.js";

/**
 * Opens a recording: an MCAP or rosbag2 SQLite (.db3) file, either also zstd-compressed as a whole, or a folder of
 * them (rosbag2's, with or without metadata.yaml). What a file is, its content decides. A damaged or cut off file is
 * read as far as it makes sense, with a warning; so is a folder of which some, but not all, files are missing or foreign.
 *
 * @throws Fault `bag-unreadable` when there is no such file, or it is another format: the message says which, and the way round
 */
export async function openBag(bag: string): Promise<BagReader> {
  const paths = await findFiles(bag);
  const warnings: Fault[] = [];
  const files: BagReader[] = [];
  for (const file of paths) {
    try {
      files.push(await openFile(file));
    } catch (error) {
      if (!(error instanceof Fault) || paths.length === 1) {
        await Promise.all(files.map((opened) => opened.close()));
        throw error;
      }
      warnings.push(error);
    }
  }
  const [firstFailure] = warnings;
  if (files.length === 0 && firstFailure !== undefined) throw firstFailure;
  return new SplitBag(bag, files, warnings);
}

async function openFile(file: string): Promise<BagReader> {
  const handle = await openForReading(file);
  let current = handle;
  try {
    const start = await firstBytes(handle);
    if (bagFormat(start) !== "zstd") return await openFormat(file, handle, start);
    const unpacked = await unpackZstdFile(file, handle);
    current = unpacked.handle;
    await handle.close();
    const inner = await firstBytes(current);
    const reader = await openFormat(file, current, inner, true);
    return unpacked.damage === undefined ? reader : new SplitBag(file, [reader], [unpacked.damage]);
  } catch (error) {
    await current.close();
    throw error;
  }
}

/** The reader of the format takes the handle over. */
async function openFormat(
  file: string,
  handle: FileHandle,
  start: Uint8Array,
  unpacked = false,
): Promise<BagReader> {
  switch (bagFormat(start)) {
    case "mcap":
      return McapFile.open(file, handle);
    case "sqlite3":
      return Sqlite3File.open(file, handle, unpacked);
    case "zstd":
    case "foreign": {
      const what = describeForeignFile(unpacked ? file.replace(/\.zstd?$/, "") : file, start);
      throw new Fault("bag-unreadable", unpacked ? `${file}, unpacked, ${what}` : `${file} ${what}`);
    }
  }
}

async function openForReading(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (error) {
    throw new Fault("bag-unreadable", `${file} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

async function firstBytes(handle: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(new Uint8Array(512), 0, 512, 0);
  return buffer.subarray(0, bytesRead);
}

async function findFiles(bag: string): Promise<readonly string[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(bag)).isDirectory();
  } catch (error) {
    throw new Fault("bag-unreadable", `${bag} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (!isFolder) return [bag];
  return (await readRosbag2Metadata(bag))?.files ?? (await withoutMetadata(bag));
}

/** What rosbag2 names its files, the kind that is preferred first. */
const SPLIT_NAMES = [/\.mcap$/, /\.db3$/, /\.mcap\.zstd$/, /\.db3\.zstd$/];

/** Recording order of splits is the order of the number in their names: `drive_9.mcap` before `drive_10.mcap`. */
async function withoutMetadata(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  for (const pattern of SPLIT_NAMES) {
    const splits = names.filter((name) => pattern.test(name));
    if (splits.length > 0) {
      const byNumber = new Intl.Collator("en", { numeric: true });
      return splits.sort((a, b) => byNumber.compare(a, b)).map((name) => path.join(folder, name));
    }
  }
  // Any other single recording in the folder is opened for the sake of the message that says what it is.
  const foreign = names.find((name) => name.endsWith(".bag"));
  if (foreign !== undefined) return [path.join(folder, foreign)];
  throw new Fault(
    "bag-unreadable",
    `${folder} is not a rosbag2 folder: it holds neither metadata.yaml nor a .mcap or .db3 file`,
  );
}
