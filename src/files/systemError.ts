import { Fault } from "../faults/Fault.js";

/**
 * Is this what Node throws when the operating system refuses (no such file, no space, no permission)?
 * Asked by its fields, since `instanceof Error` fails for errors of another realm.
 */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === "object" && error !== null && "syscall" in error && "code" in error;
}

/** What an error says, for a sentence that names the file. */
export function reasonOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : String(error);
}

/** Is there no such file, or no such folder above it? */
export function isMissing(error: unknown): boolean {
  return isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/**
 * Runs what writes a file. System errors (no space, no permission, no such folder) are the user's to hear of; others are
 * defects.
 * @throws Fault `bag-unwritable`
 */
export async function asUnwritable<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new Fault("bag-unwritable", `${file} cannot be written: ${error.message}`, { cause: error });
  }
}
