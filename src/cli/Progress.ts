import cliProgress from "cli-progress";

/** A progress bar on stderr for long work; silent when stderr is not a terminal. */
export class Progress {
  readonly #bar: cliProgress.SingleBar | undefined;
  readonly #start = performance.now();
  #done = 0;

  /**
   * @param what for example "labelling"
   * @param total items in all; 0 when it is not known
   * @param unit for example "scans"
   */
  constructor(what: string, total: number, unit: string) {
    if (!process.stderr.isTTY) return;
    const counts = total > 0 ? "{value}/{total}" : "{value}";
    const eta = total > 0 ? " | ETA {eta_formatted}" : "";
    this.#bar = new cliProgress.SingleBar({
      format: `${what} {bar} ${counts} ${unit} | {rate}/s${eta} | dropped {dropped}`,
      stream: process.stderr,
      hideCursor: true,
      etaBuffer: 20,
    });
    this.#bar.start(total, 0, { rate: "-", dropped: 0 });
  }

  /** One more item is done; `dropped` is the count so far. */
  step(dropped = 0): void {
    this.#done++;
    const seconds = (performance.now() - this.#start) / 1000;
    this.#bar?.update(this.#done, { rate: (this.#done / seconds).toFixed(1), dropped });
  }

  stop(): void {
    this.#bar?.stop();
  }
}
