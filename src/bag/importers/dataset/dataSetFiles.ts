/** Reading a data set's folders and files; what cannot be read is a Fault that names it. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { isSystemError, reasonOf } from "../../../files/systemError.js";
import { type FrameName, orderFrames } from "./frameNames.js";

/**
 * Names in a folder, sorted; none when there is no such folder.
 * @throws Fault `data-set-unreadable`
 */
export async function listFolder(folder: string): Promise<readonly string[]> {
  return (await unlessMissing(folder, () => readdir(folder)))?.sort() ?? [];
}

/**
 * Paths of all files below a folder, relative to it, sorted.
 * @throws Fault `data-set-unreadable`, also when there is no such folder
 */
export async function listFilesBelow(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/** The frames of a folder whose files end with `extension`, in their order. */
export async function listFrames(folder: string, extension: string): Promise<readonly FrameName[]> {
  const names = (await listFolder(folder)).filter(
    (name) => name.endsWith(extension) && !name.startsWith("."),
  );
  return orderFrames(names.map((name) => name.slice(0, -extension.length)));
}

/**
 * The path of a file that a data set names, below its folder. A link inside the folder may lead elsewhere: whoever has
 * made it wanted it.
 * @throws Fault `data-set-unreadable` when the name is absolute or leads out of the folder
 */
export function fileInside(folder: string, name: string): string {
  const file = path.join(folder, name);
  const relative = path.relative(folder, file);
  const leadsOut = relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  if (!path.isAbsolute(name) && !leadsOut) return file;
  throw new Fault(
    "data-set-unreadable",
    `the data set names the file '${name}', which is not in its folder ${folder}: it is not read`,
  );
}

/** @throws Fault `data-set-unreadable` */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** @throws Fault `data-set-unreadable` */
export async function readText(file: string): Promise<string> {
  try {
    return withoutMark(await readFile(file, "utf8"));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/**
 * As `readText`; undefined when there is no such file.
 * @throws Fault `data-set-unreadable`
 */
export async function readTextIfThere(file: string): Promise<string | undefined> {
  return unlessMissing(file, async () => withoutMark(await readFile(file, "utf8")));
}

/** Editors of Windows put a byte order mark in front. */
function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, "");
}

/** @throws Fault `data-set-unreadable`, also when the file is no JSON */
export async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault("data-set-unreadable", `${file} is not JSON: ${reasonOf(error)}`, { cause: error });
  }
}

/** The result of `parse`; its fault has the file's name in front. */
export async function inFile<T>(file: string, parse: () => T | Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    throw error instanceof Fault ? error.at(file) : error;
  }
}

/** Numbers between white space; undefined when something in between is no finite number. */
export function parseNumbers(text: string): readonly number[] | undefined {
  const words = text.trim().split(/\s+/);
  const numbers = words.map(Number);
  return words[0] !== "" && numbers.every(Number.isFinite) ? numbers : undefined;
}

async function unlessMissing<T>(place: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw unreadable(place, error);
  }
}

function unreadable(place: string, error: unknown): Fault {
  return new Fault("data-set-unreadable", `${place} cannot be read: ${reasonOf(error)}`, { cause: error });
}
