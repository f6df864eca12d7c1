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
