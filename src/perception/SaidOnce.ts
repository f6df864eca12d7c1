import { Fault } from "../faults/Fault.js";

/** Sentences that are remembered; beyond them nothing more is said. */
const MOST = 1000;

/** Oddities of messages that are mentioned once per topic, however often they come. */
export class SaidOnce {
  readonly #said = new Set<string>();

  /** The oddities that were not said of this topic before, as faults. Numbers do not tell two of them apart. */
  faults(topic: string, oddities: readonly string[] | undefined): Fault[] {
    return this.first(
      topic,
      (oddities ?? []).map((sentence) => new Fault("redundant-field", sentence)),
    );
  }

  /** Those of the faults that were not there before on this topic, with the topic as their place. */
  first(topic: string, faults: readonly Fault[]): Fault[] {
    return faults.flatMap((fault) => {
      const key = `${topic}\n${fault.message.replace(/\d+/g, "#")}`;
      if (this.#said.has(key) || this.#said.size >= MOST) return [];
      this.#said.add(key);
      return [fault.at({ topic })];
    });
  }
}
