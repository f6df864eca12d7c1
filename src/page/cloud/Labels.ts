import { element } from "../dom.js";
import type { Vector } from "../LoadedScan.js";
import type { CloudView } from "./CloudView.js";

export interface Label {
  readonly text: string;
  readonly position: Vector;
  readonly color?: string;
}

/** Short texts at places of the 3D view, over its canvas. */
export class Labels {
  readonly root = element("div", { class: "labels", "aria-hidden": "true" });
  readonly #view: CloudView;
  #labels: readonly { readonly made: HTMLElement; readonly position: Vector }[] = [];

  constructor(view: CloudView) {
    this.#view = view;
    view.onDraw(() => {
      this.#place();
    });
  }

  set(labels: readonly Label[]): void {
    this.#labels = labels.map(({ text, position, color }) => {
      const made = element("span", {}, text);
      if (color !== undefined) made.style.borderColor = color;
      return { made, position };
    });
    this.root.replaceChildren(...this.#labels.map(({ made }) => made));
    this.#place();
  }

  #place(): void {
    for (const { made, position } of this.#labels) {
      const at = this.#view.project(position);
      made.hidden = at === undefined;
      if (at !== undefined) made.style.transform = `translate(${at.x}px, ${at.y}px) translate(-50%, -100%)`;
    }
  }
}
