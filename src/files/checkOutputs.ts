import { constants } from "node:fs";
import { access, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { partialPath, requireFree, requireNoOtherRun, requireNoPartial } from "./OutputFile.js";
import { asUnwritable, isMissing, isSystemError } from "./systemError.js";

export interface OutputPlan {
  /** Files and folders that the command reads: they and all that is in them stay as they are. */
  readonly inputs: readonly string[];
  /** Folders of which every file counts as a part, so that nothing new may get into them: those of bags. */
  readonly bagFolders?: readonly string[];
  /** Files that the command will write. */
  readonly files: readonly (string | undefined)[];
  /** Folders that it will fill. */
  readonly folders?: readonly (string | undefined)[];
  /** Replace what exists. */
  readonly force: boolean;
}

/**
 * Looks, before any work is done, whether all outputs of a command can be written without a loss: none is an input or a
 * part of one (by whatever name or link), none exists unless it is to be replaced, none is being written by another run,
 * no two are the same, and their places can be written.
 *
 * @throws Fault `output-refused` or `bag-unwritable`: the sentence names the file and the way out
 */
export async function checkOutputs({
  inputs,
  bagFolders = [],
  files,
  folders = [],
  force,
}: OutputPlan): Promise<void> {
  const taken = new Map<string, string>();
  for (const file of files) {
    if (file === undefined || isDevice(file)) continue;
    requireName(file);
    for (const name of [file, partialPath(file)]) {
      await requireNoInput(name, inputs);
      const place = await placeOf(name);
      const other = taken.get(place);
      if (other !== undefined) {
        throw new Fault(
          "output-refused",
          `${file} and ${other} are the same file; each output needs its own`,
        );
      }
      taken.set(place, file);
    }
    await requireOutside(file, bagFolders);
    await asUnwritable(file, async () => {
      await requireFree(file, force);
      await requireNoOtherRun(file);
      await requireNoPartial(file, force);
    });
    await requireWritable(file);
  }
  for (const folder of folders) {
    if (folder === undefined) continue;
    requireName(folder);
    await requireOutside(path.join(folder, "-"), [...bagFolders, ...inputs]);
    await requireFreeFolder(folder, force);
    await requireWritable(path.join(folder, "-"));
  }
}

/** An unset variable in a script makes an empty argument. */
function requireName(output: string): void {
  if (output === "") throw new Fault("output-refused", "the name of an output is empty; name a file");
}

/** `/dev/stdout` and the like: written as they are, and never replaced. */
export function isDevice(file: string): boolean {
  return path.resolve(file).startsWith("/dev/");
}

async function requireNoInput(output: string, inputs: readonly string[]): Promise<void> {
  const identity = await identityOf(output);
  if (identity === undefined) return;
  const real = await realpath(output);
  for (const input of inputs) {
    const inside = await isInside(real, input);
    if (inside || (await holds(input, identity, new Set()))) {
      const what =
        (await identityOf(input)) === identity
          ? `is an input of this command`
          : `is a part of the input ${input}`;
      throw new Fault(
        "output-refused",
        `${output} ${what}, which no command changes (not with --force either); name another output`,
      );
    }
  }
}

/** Is the file the input, or below its folder, also through links? */
async function holds(input: string, identity: string, seen: Set<string>): Promise<boolean> {
  const own = await identityOf(input);
  if (own === undefined || seen.has(own)) return false;
  seen.add(own);
  if (own === identity) return true;
  for (const entry of await entriesOf(input)) {
    if (await holds(path.join(input, entry), identity, seen)) return true;
  }
  return false;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

async function requireOutside(file: string, folders: readonly string[]): Promise<void> {
  const place = await placeOf(file);
  for (const folder of folders) {
    if (!(await isInside(place, folder))) continue;
    const output = path.basename(file) === "-" ? path.dirname(file) : file;
    throw new Fault(
      "output-refused",
      `${output} lies in the input folder ${folder}, of which it would become a part; name a place outside of it`,
    );
  }
}

/** @param real without links */
async function isInside(real: string, folder: string): Promise<boolean> {
  if ((await statOf(folder))?.isDirectory() !== true) return false;
  const relative = path.relative(await realpath(folder), real);
  return (
    relative !== "" &&
    relative !== ".." &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  );
}

async function requireFreeFolder(folder: string, force: boolean): Promise<void> {
  const there = await statOf(folder);
  if (there === undefined) return;
  if (!there.isDirectory())
    throw new Fault("output-refused", `${folder} is a file, and a folder is to be made there`);
  if (!force && (await entriesOf(folder)).length > 0) {
    throw new Fault(
      "output-refused",
      `${folder} is a folder that is not empty, and is written into only with --force; or name another`,
    );
  }
}

/** The nearest folder above that exists can be written, and so can the file if it exists. */
async function requireWritable(file: string): Promise<void> {
  await asUnwritable(file, async () => {
    if ((await statOf(file)) !== undefined) await access(file, constants.W_OK);
    let folder = path.dirname(path.resolve(file));
    for (;;) {
      const there = await statOf(folder);
      if (there !== undefined) {
        if (!there.isDirectory())
          throw new Fault("bag-unwritable", `${file} cannot be written: ${folder} is no folder`);
        break;
      }
      folder = path.dirname(folder);
    }
    await access(folder, constants.W_OK | constants.X_OK);
  });
}

/** The absolute path without links in the folders above, as far as they exist. */
async function placeOf(file: string): Promise<string> {
  const absolute = path.resolve(file);
  const folder = path.dirname(absolute);
  if (folder === absolute) return absolute;
  try {
    return path.join(await realpath(folder), path.basename(absolute));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return path.join(await placeOf(folder), path.basename(absolute));
  }
}

/** Device and inode of what a path leads to; undefined when it leads to nothing. */
async function identityOf(file: string): Promise<string | undefined> {
  const there = await statOf(file);
  return there && `${there.dev.toString()}:${there.ino.toString()}`;
}

async function statOf(file: string) {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
