import type { FileHandle } from "node:fs/promises";
import { link, lstat, mkdir, open, rename, rm, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { isBeingWritten, OutputLock } from "./OutputLock.js";
import { asUnwritable, isMissing, isSystemError } from "./systemError.js";

export interface OutputOptions {
  /** Replace a file that exists, and what a run that was killed left. Default false. */
  readonly force?: boolean;
}

/**
 * A file that is written as `<path>.partial` and gets its own name when it is whole: a file of the final name is always
 * complete, and what was there before stays until then.
 */
export class OutputFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #lock: OutputLock;
  readonly #force: boolean;
  #isOpen = true;

  private constructor(path: string, handle: FileHandle, lock: OutputLock, force: boolean) {
    this.path = path;
    this.handle = handle;
    this.#lock = lock;
    this.#force = force;
  }

  /**
   * Creates the partial file, which must not exist (no link is followed), and the folders above it.
   * @throws Fault `output-refused` when something is in the way, `bag-unwritable` when the system refuses
   */
  static async create(file: string, { force = false }: OutputOptions = {}): Promise<OutputFile> {
    return asUnwritable(file, async () => {
      await mkdir(path.dirname(file), { recursive: true });
      const lock = await OutputLock.acquire(file);
      if (lock === undefined) throw heldByAnother(file);
      try {
        await requireFree(file, force);
        await requireNoPartial(file, force);
        // The lock is held and the user agreed: nobody needs it any more.
        if (force) await rm(partialPath(file), { force: true });
        return new OutputFile(file, await openNew(file), lock, force);
      } catch (error) {
        await lock.release();
        throw error;
      }
    });
  }

  /**
   * Gives the file its name. When that cannot be done, what was written stays as the partial file.
   * @throws Fault `output-refused` when a file of that name has appeared, `bag-unwritable` when the system refuses
   */
  async finish(): Promise<void> {
    const partial = partialPath(this.path);
    await asUnwritable(this.path, async () => {
      await this.handle.datasync();
      if (!(await this.#isInPlace())) {
        throw new Fault(
          "bag-unwritable",
          `${partial} was removed or replaced while it was written, so that ${this.path} could not be made of it`,
        );
      }
      await this.handle.close();
      this.#isOpen = false;
      if (this.#force) await rename(partial, this.path);
      else await renameToNew(partial, this.path);
    });
    await this.#lock.release();
  }

  /** Gives up: nothing is left on the disk. Does nothing after `finish()`. */
  async discard(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false;
      const inPlace = await this.#isInPlace();
      await this.handle.close();
      if (inPlace) await rm(partialPath(this.path), { force: true });
    }
    await this.#lock.release();
  }

  /** Is the file that the handle writes still the one of its name? */
  async #isInPlace(): Promise<boolean> {
    try {
      const [own, named] = await Promise.all([
        this.handle.stat({ bigint: true }),
        lstat(partialPath(this.path), { bigint: true }),
      ]);
      return own.dev === named.dev && own.ino === named.ino;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }
}

/** The name of an output that is being written. */
export function partialPath(file: string): string {
  return `${file}${PARTIAL_SUFFIX}`;
}

/** Of the names of outputs that are being written, or were when their run was killed. */
export const PARTIAL_SUFFIX = ".partial";

/** @throws Fault `output-refused` when a folder has the name, or without force anything has */
export async function requireFree(file: string, force: boolean): Promise<void> {
  const there = await lstatOrNothing(file);
  if (there === undefined) return;
  // What a link leads to counts, but only the link itself would be replaced.
  const target = there.isSymbolicLink() ? await statOrNothing(file) : there;
  if (target?.isDirectory() === true) {
    throw new Fault("output-refused", `${file} is a folder; name a file in it, or beside it`);
  }
  if (target !== undefined && !target.isFile()) {
    throw new Fault("output-refused", `${file} is no regular file, so that it is not replaced; name another`);
  }
  if (!force) {
    throw new Fault(
      "output-refused",
      `${file} exists, and is replaced only with --force; or name another file`,
    );
  }
}

/** @throws Fault `output-refused` when the partial file is of another run: one that goes on, or without force any */
export async function requireNoPartial(file: string, force: boolean): Promise<void> {
  const partial = partialPath(file);
  const there = await lstatOrNothing(partial);
  if (there === undefined) return;
  if (there.isDirectory()) {
    throw new Fault(
      "output-refused",
      `${partial} is a folder, and is needed as a file while ${file} is written`,
    );
  }
  if (!force) {
    throw new Fault(
      "output-refused",
      `${partial} is what a run that was killed left of this output: look at it with \`ditr inspect ${partial}\`; --force replaces it`,
    );
  }
}

/** @throws Fault `output-refused` while another run writes the file */
export async function requireNoOtherRun(file: string): Promise<void> {
  if ((await lstatOrNothing(path.dirname(path.resolve(file))))?.isDirectory() !== true) return;
  if (await isBeingWritten(file)) throw heldByAnother(file);
}

function heldByAnother(file: string): Fault {
  return new Fault(
    "output-refused",
    `${file} is being written by another run (${partialPath(file)}); wait until that has ended, or name another file`,
  );
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(partialPath(file), "wx");
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST") throw heldByAnother(file);
    throw error;
  }
}

/** As rename, but never over another file. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!isSystemError(error) || isMissing(error)) throw error;
    // Some file systems have no hard links.
    if (error.code !== "EEXIST" && (await lstatOrNothing(to)) === undefined) return rename(from, to);
    throw new Fault(
      "output-refused",
      `${to} appeared while this run was under way, and is not replaced; what was written is whole, and named ${from}`,
    );
  }
  await unlink(from);
}

async function lstatOrNothing(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function statOrNothing(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
