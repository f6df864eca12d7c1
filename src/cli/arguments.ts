import { InvalidArgumentError } from "commander";

/** Parses an option's value as a finite number. */
export function numberArgument(value: string): number {
  const parsed = Number(value);
  if (value.trim() === "" || !Number.isFinite(parsed)) throw new InvalidArgumentError("It must be a number.");
  return parsed;
}

/** Parses an option's value as a whole number that is not negative. */
export function wholeNumber(value: string): number {
  const parsed = numberArgument(value);
  if (!Number.isSafeInteger(parsed) || parsed < 0) {
    throw new InvalidArgumentError("It must be a whole number that is not negative.");
  }
  return parsed;
}

/** Parses a number above 0. */
export function positiveNumber(value: string): number {
  const parsed = numberArgument(value);
  if (parsed <= 0) throw new InvalidArgumentError("It must be greater than 0.");
  return parsed;
}

/** Parses a number of milliseconds into nanoseconds. */
export function milliseconds(value: string): bigint {
  return BigInt(Math.round(numberArgument(value) * 1e6));
}

/** Parses a number from 0 to 1. */
export function share(value: string): number {
  const parsed = numberArgument(value);
  if (parsed < 0 || parsed > 1) throw new InvalidArgumentError("It must lie between 0 and 1.");
  return parsed;
}
