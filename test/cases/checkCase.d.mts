import type { Expectation } from "./expectations.mjs";

export interface CheckedCase {
  /** Of `ditr run`, or why it was killed. */
  readonly exit: number | string;
  /** What each command printed. */
  readonly inspect: string;
  readonly run: string;
  /** What is not right, in words. */
  readonly wrong: readonly string[];
}

/** @param folder of the cases */
export declare function checkCase(folder: string, expectation: Expectation): Promise<CheckedCase>;
