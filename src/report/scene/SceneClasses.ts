import { Fault } from "../../faults/Fault.js";
import { NO_CLASS } from "../../scene/packedScan.js";
import type { SceneClass } from "../../scene/SceneIndex.js";
import type { PaintedClass } from "../paintedClasses.js";

/** What classes are shown in that no point has shown a colour of. */
const NO_COLOR = [98, 106, 118] as const;

/** The classes of a page by slot: those that the bag names, in its order, then those that only labels have. */
export class SceneClasses {
  readonly #classes: PaintedClass[] = [];
  readonly #slots = new Map<number, number>();
  readonly #seen = new Set<number>();

  constructor(names: Iterable<readonly [id: number, name: string]>) {
    for (const [id, name] of names) this.#add({ id, name, color: NO_COLOR });
  }

  /** Classes of a scan, with colours. */
  learn(classes: readonly PaintedClass[]): void {
    for (const shown of classes) {
      const slot = this.#slots.get(shown.id);
      if (slot === undefined) this.#add(shown);
      else if (!this.#seen.has(shown.id)) this.#classes[slot] = shown;
      this.#seen.add(shown.id);
    }
  }

  get count(): number {
    return this.#classes.length;
  }

  slotOf(id: number): number {
    return this.#slots.get(id) ?? NO_CLASS;
  }

  slotOfName(name: string): number {
    const slot = this.#classes.findIndex((each) => each.name === name);
    return slot < 0 ? NO_CLASS : slot;
  }

  /** By slot. */
  all(): SceneClass[] {
    return this.#classes.map(({ id, name, color }) => ({ id, name, color }));
  }

  #add(added: PaintedClass): void {
    if (this.#classes.length === NO_CLASS) {
      throw new Fault(
        "data-set-unreadable",
        `labels have more than ${NO_CLASS} classes, and a report shows no more; "${added.name}" is one too many`,
      );
    }
    this.#slots.set(added.id, this.#classes.length);
    this.#classes.push(added);
  }
}
