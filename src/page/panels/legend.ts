import { effect } from "@preact/signals-core";
import { gradientCss } from "../colors/gradients.js";
import { VERDICTS } from "../colors/palettes.js";
import type { Colorist } from "../colors/PointColors.js";
import { button, count, element, number } from "../dom.js";
import type { ScanStore } from "../ScanStore.js";
import type { ViewState } from "../ViewState.js";

/** The classes with their points in the scan that is shown; a click shows or hides one, a double click shows it alone. */
export function legend({ index }: ScanStore, state: ViewState, colorist: Colorist): HTMLElement {
  const { classes, scans } = index;
  const slots = classes
    .map((_, slot) => slot)
    .filter((slot) => scans.some(({ counts }) => (counts[slot] ?? 0) > 0));
  const entries = slots.map((slot) => {
    const { name } = classes[slot]!;
    const swatch = element("span", { class: "swatch" });
    const points = element("span", { class: "count" });
    const entry = element(
      "button",
      { type: "button", class: "entry", title: `${name}: click to hide or show, double click for it alone` },
      swatch,
      element("span", { class: "name" }, name),
      points,
    );
    entry.dataset["slot"] = String(slot);
    entry.addEventListener("click", () => {
      const hidden = new Set(state.hidden.value);
      if (!hidden.delete(slot)) hidden.add(slot);
      state.hidden.value = hidden;
    });
    entry.addEventListener("dblclick", () => {
      state.hidden.value = new Set(classes.map((_, each) => each).filter((each) => each !== slot));
    });
    return { slot, entry, swatch, points };
  });
  const list = element("div", { class: "entries" }, ...entries.map(({ entry }) => entry));
  const scale = element("div", { class: "scale" });
  const root = element(
    "section",
    { class: "legend", "aria-label": "Classes" },
    element(
      "header",
      {},
      element("h2", {}, "Classes"),
      button("all", "Show all classes (A)", () => {
        state.hidden.value = new Set();
      }),
      button("none", "Hide all classes", () => {
        state.hidden.value = new Set(slots);
      }),
    ),
    scale,
    list,
  );
  effect(() => {
    const { counts } = scans[state.place.value]!;
    entries.forEach(({ slot, points, entry }) => {
      points.textContent = count(counts[slot] ?? 0);
      entry.classList.toggle("absent", (counts[slot] ?? 0) === 0);
    });
    const order = [...entries].sort((a, b) => (counts[b.slot] ?? 0) - (counts[a.slot] ?? 0));
    // Sorted by the first scan alone: entries that move while a drive plays cannot be clicked.
    if (list.dataset["sorted"] === undefined) list.replaceChildren(...order.map(({ entry }) => entry));
    list.dataset["sorted"] = "yes";
  });
  effect(() => {
    const palette = state.palette.value;
    for (const { slot, swatch } of entries) {
      swatch.style.background = `rgb(${colorist.classColor(slot, palette).join(" ")})`;
    }
  });
  effect(() => {
    const hidden = state.hidden.value;
    for (const { slot, entry } of entries) entry.setAttribute("aria-pressed", String(!hidden.has(slot)));
  });
  effect(() => {
    const coloring = state.coloring.value;
    const range = colorist.range(coloring);
    root.classList.toggle("by-class", coloring === "class");
    if (coloring === "verdict") {
      scale.replaceChildren(
        ...VERDICTS.map(({ name, color }) => {
          const swatch = element("span", { class: "swatch" });
          swatch.style.background = `rgb(${color.join(" ")})`;
          return element("span", { class: "verdict" }, swatch, name);
        }),
      );
    } else if (range !== undefined) {
      const bar = element("div", { class: "bar" });
      bar.style.background = gradientCss();
      const unit = coloring === "height" ? " m" : "";
      scale.replaceChildren(
        bar,
        element(
          "div",
          { class: "ends" },
          `${number(range[0])}${unit}`,
          element("span"),
          `${number(range[1])}${unit}`,
        ),
      );
    } else scale.replaceChildren();
  });
  return root;
}
