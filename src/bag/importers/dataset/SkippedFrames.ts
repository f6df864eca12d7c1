import { Fault } from "../../../faults/Fault.js";

/** What was left out of a recording, and whether anything was left in. */
export class SkippedFrames {
  readonly #faults: Fault[] = [];
  #firstLost: Fault | undefined;
  #read = 0;
  #mayLackScans = false;

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** Scans that were read. */
  get read(): number {
    return this.#read;
  }

  /** What lists the scans is damaged, so that some may never have been tried. */
  get mayLackScans(): boolean {
    return this.#mayLackScans;
  }

  /** As `add`, for a part of what lists the scans. */
  addListed(message: string): void {
    this.#mayLackScans = true;
    this.add(message);
  }

  /** A file or a part of it is left out; `message` names it and says why. */
  add(message: string): void {
    this.#faults.push(new Fault("data-set-unreadable", message, { severity: "warning" }));
  }

  /** The result of `read`; undefined, and its fault a warning, when the file is bad input. */
  async unless<T>(read: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { code, message } = error;
      this.#faults.push(new Fault(code, message, { cause: error, severity: "warning" }));
      return undefined;
    }
  }

  /** As `unless`, for a scan, of which there must be some. */
  async unlessScan<T>(read: () => T | Promise<T>): Promise<T | undefined> {
    const before = this.#faults.length;
    const scan = await this.unless(read);
    if (scan === undefined) this.#firstLost ??= this.#faults[before];
    else this.#read++;
    return scan;
  }

  /** @throws Fault `data-set-unreadable` when no scan was read */
  requireSome(source: string): void {
    if (this.#read > 0) return;
    const first = this.#firstLost ?? this.#faults[0];
    throw new Fault(
      "data-set-unreadable",
      `no scan of ${source} can be read${first === undefined ? "" : `: ${first.message}`}`,
    );
  }
}
