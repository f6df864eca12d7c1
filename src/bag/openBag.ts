import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { type BagFolder, findBagFiles } from "./bagFolder.js";
import { bagFormat, describeForeignFile } from "./bagFormat.js";
import { McapFile } from "./mcap/McapFile.js";
import { PackedSplit, UnpackedSplits } from "./PackedSplit.js";
import { withoutZstd } from "./rosbag2Metadata.js";
import { SplitBag } from "./SplitBag.js";
import { Sqlite3File } from "./sqlite3/Sqlite3File.js";
import { reasonOf } from "../files/systemError.js";
import type { BagReader } from "./types.js";
import { unfinishedOutput } from "./unfinishedOutput.js";
import { unpackZstdFile } from "./unpackZstdFile.js";

/**
 * Opens a recording: an MCAP or rosbag2 SQLite (.db3) file, either also zstd-compressed as a whole, or a folder of
 * them (rosbag2's, with or without metadata.yaml). What a file is, its content decides. A damaged or cut off file is
 * read as far as it makes sense, with a warning; so is a folder of which some, but not all, files are missing or foreign.
 * Of several compressed files only those that are being read are unpacked.
 *
 * @throws Fault `bag-unreadable` when there is no such file, or it is another format: the message says which, and the way round
 */
export async function openBag(bag: string): Promise<BagReader> {
  const { files: paths, content, warnings: folderWarnings } = await findFiles(bag);
  const unfinished = await unfinishedOutput(bag);
  const failures: Fault[] = [];
  const files: BagReader[] = [];
  const unpacked = new UnpackedSplits();
  for (const file of paths) {
    try {
      const isPacked = paths.length > 1 && (await isZstd(file));
      const times = content?.times.get(withoutZstd(path.basename(file)));
      const declared = content && times && { topics: content.topics, times };
      files.push(
        isPacked ? await PackedSplit.open(file, openFile, unpacked, declared) : await openFile(file),
      );
    } catch (error) {
      if (!(error instanceof Fault) || paths.length === 1) {
        await Promise.all(files.map((opened) => opened.close()));
        if (!(error instanceof Fault) || unfinished === undefined) throw error;
        throw new Fault(error.code, `${unfinished.message}; but ${error.message}`, { cause: error });
      }
      failures.push(error);
    }
  }
  const [firstFailure] = failures;
  if (files.length === 0 && firstFailure !== undefined) throw firstFailure;
  const isDeclared = files.some((file) => file instanceof PackedSplit && !file.isKnown);
  const warnings = [...(unfinished ? [unfinished] : []), ...folderWarnings, ...failures];
  return new SplitBag(bag, files, warnings, isDeclared ? content?.topics : undefined);
}

async function isZstd(file: string): Promise<boolean> {
  const handle = await openForReading(file);
  try {
    return bagFormat(await firstBytes(file, handle)) === "zstd";
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<BagReader> {
  const handle = await openForReading(file);
  let current = handle;
  try {
    const start = await firstBytes(file, handle);
    if (bagFormat(start) !== "zstd") return await openFormat(file, handle, start);
    const unpacked = await unpackZstdFile(file, handle);
    current = unpacked.handle;
    await handle.close();
    const inner = await firstBytes(file, current);
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

/** @throws Fault `bag-unreadable` when the system refuses, as for a folder that has the name of a file */
async function firstBytes(file: string, handle: FileHandle): Promise<Uint8Array> {
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new Fault("bag-unreadable", `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * The files that a recording is read from: itself, or those of its folder.
 * @throws Fault `bag-unreadable` when there is none
 */
export async function bagFiles(bag: string): Promise<readonly string[]> {
  return (await findFiles(bag)).files;
}

async function findFiles(bag: string): Promise<BagFolder> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(bag)).isDirectory();
  } catch (error) {
    throw new Fault("bag-unreadable", `${bag} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return isFolder ? findBagFiles(bag) : { files: [bag], content: undefined, warnings: [] };
}
