import { element } from "../dom.js";

export interface Tab {
  readonly title: string;
  readonly body: HTMLElement;
  /** Called when it is shown: what measures itself can do so only then. */
  readonly opened?: () => void;
}

/** One of several bodies at a time. */
export function tabs(all: readonly Tab[]): HTMLElement {
  const buttons = all.map(({ title }, place) => {
    const made = element("button", { type: "button", role: "tab", id: `tab-${place}` }, title);
    made.addEventListener("click", () => {
      choose(place);
    });
    return made;
  });
  const bodies = all.map(({ body }, place) =>
    element("div", { role: "tabpanel", "aria-labelledby": `tab-${place}` }, body),
  );
  const choose = (chosen: number): void => {
    buttons.forEach((made, place) => {
      made.setAttribute("aria-selected", String(place === chosen));
    });
    bodies.forEach((body, place) => {
      body.hidden = place !== chosen;
    });
    all[chosen]?.opened?.();
  };
  choose(0);
  return element("section", { class: "tabs" }, element("div", { role: "tablist" }, ...buttons), ...bodies);
}
