import { EXIT } from "./exitCodes.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
export type StopSignal = (typeof SIGNALS)[number];

/** npm and npx hand on the Ctrl-C that the terminal sends to all of its processes: a second one so soon is the same. */
const SAME_SIGNAL_MS = 100;

/**
 * Turns the first Ctrl-C (SIGINT) or SIGTERM into a wish that the work in hand looks for, so that what is done so far can be
 * finished and kept. The second one ends the process at once, by that signal, as each does before `listen()`: then there is
 * nothing yet that would be worth finishing.
 */
export class Interruption {
  readonly #what: string;
  readonly #abort = new AbortController();
  #signal: StopSignal | undefined;
  #askedAt = 0;
  #cutShort = false;
  #isListening = false;

  /** @param what is finished when the first signal comes, for the sentence on the terminal: "the scans under way" */
  constructor(what: string) {
    this.#what = what;
  }

  /** Can be called again. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  close(): void {
    this.#isListening = false;
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** To be asked where work is left to do: must it be left? */
  readonly isAsked = (): boolean => {
    this.#cutShort ||= this.#signal !== undefined;
    return this.#cutShort;
  };

  /** The signal that work was left for; undefined when there was none, or it came when all was done. */
  get stoppedBy(): StopSignal | undefined {
    return this.#cutShort ? this.#signal : undefined;
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#signal === undefined) {
      this.#signal = signal as StopSignal;
      this.#askedAt = performance.now();
      this.#abort.abort(signal);
      console.error(`ditr: ${signal}: finishing ${this.#what}; a second one ends at once`);
      return;
    }
    if (performance.now() - this.#askedAt < SAME_SIGNAL_MS) return;
    // The cursor that the progress bar hides.
    if (process.stderr.isTTY) process.stderr.write("\u001b[?25h");
    // With nobody listening the system ends the process, whatever its threads are doing.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
}

/** What a shell shows of a command that a signal ended. */
export function exitCodeOf(signal: StopSignal): number {
  return signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
}
