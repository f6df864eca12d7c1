import { TransformFault } from "../transforms/TransformFault.js";

/** A question to a TransformBuffer. */
export interface TransformLookup {
  /** The same for the same frames. */
  readonly key: string;
  /** Throws a TransformFault when there is no answer. */
  readonly run: () => unknown;
}

/**
 * Tells which lookups are worth waiting for. Waiting costs latency, so it must not be in vain scan after scan: once a
 * lookup was given up, no other between the same frames is waited for until the one that was given up has its answer.
 */
export class AwaitedTransforms {
  readonly #givenUp = new Map<string, TransformLookup>();

  /** Why some lookup has no answer yet, while one may still come. */
  awaited(lookups: readonly TransformLookup[]): TransformFault | undefined {
    for (const lookup of lookups) {
      const fault = pending(lookup);
      if (fault === undefined) continue;
      const earlier = this.#givenUp.get(lookup.key);
      if (earlier === undefined || pending(earlier) === undefined) return fault;
    }
    return undefined;
  }

  /** These were waited for, and go unanswered now. */
  giveUp(lookups: readonly TransformLookup[]): void {
    for (const lookup of lookups) {
      if (pending(lookup) === undefined) this.#givenUp.delete(lookup.key);
      else this.#givenUp.set(lookup.key, lookup);
    }
  }

  clear(): void {
    this.#givenUp.clear();
  }
}

/** Undefined when there is an answer, or never will be. */
function pending({ run }: TransformLookup): TransformFault | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof TransformFault)) throw error;
    return error.reason === "extrapolation-past" ? undefined : error;
  }
}
