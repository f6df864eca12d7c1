import { effect, type Signal } from "@preact/signals-core";
import type { SceneIndex } from "../../scene/SceneIndex.js";
import type { CloudView } from "../cloud/CloudView.js";
import { button, element } from "../dom.js";
import type { Coloring, ViewState } from "../ViewState.js";

/** What points can be coloured by, in the order of the list. */
export function colorings({ fields, truth }: SceneIndex): readonly (readonly [Coloring, string])[] {
  return [
    ["class", "class"],
    ...(truth === undefined ? [] : [["verdict", "right / wrong"] as const]),
    ...fields.map(({ name }, field) => [`field:${field}`, name] as const),
    ["height", "height"],
  ];
}

/** How many scans can be shown together. */
export function gatherings({ scans }: SceneIndex): readonly number[] {
  return [1, 3, 10, 30, 100].filter((count) => count === 1 || count <= scans.length);
}

/** Are there poses, and did the sensor move? Only then scans can be put together. */
export function moves({ scans }: SceneIndex): boolean {
  const poses = scans.flatMap(({ pose }) => (pose === undefined ? [] : [pose.join()]));
  return new Set(poses).size > 1;
}

function toggle(text: string, title: string, state: Signal<boolean>): HTMLButtonElement {
  const made = button(text, title, () => {
    state.value = !state.value;
  });
  effect(() => {
    made.setAttribute("aria-pressed", String(state.value));
  });
  return made;
}

/** Colours, views and sizes, over the 3D view. */
export function toolbar(index: SceneIndex, state: ViewState, view: CloudView): HTMLElement {
  const select = element(
    "select",
    { "aria-label": "Colour points by", title: "Colour points by (C)" },
    ...colorings(index).map(([value, name]) => element("option", { value }, name)),
  );
  select.addEventListener("change", () => {
    state.coloring.value = select.value as Coloring;
  });
  effect(() => {
    select.value = state.coloring.value;
  });
  const safe = button("colour-blind safe", "Colours that stay apart for colour-blind eyes (B)", () => {
    state.palette.value = state.palette.value === "safe" ? "recorded" : "safe";
  });
  effect(() => {
    safe.setAttribute("aria-pressed", String(state.palette.value === "safe"));
  });
  const hasBoxes = index.scans.some(({ boxes }) => boxes.length > 0);
  const gather = element(
    "select",
    { "aria-label": "Scans together", title: "How many scans are shown together (G)" },
    ...gatherings(index).map((scans) =>
      element("option", { value: scans }, scans === 1 ? "1 scan" : `${scans} scans`),
    ),
  );
  gather.addEventListener("change", () => {
    state.gathered.value = Number(gather.value);
  });
  effect(() => {
    gather.value = String(state.gathered.value);
  });
  return element(
    "div",
    { class: "toolbar" },
    element("label", {}, "Colour ", select),
    safe,
    element(
      "span",
      { class: "group" },
      button("overview", "From behind and above (R)", () => {
        view.look("overview");
      }),
      button("top", "From straight above (T)", () => {
        view.look("top");
      }),
      button("driver", "From the sensor (D)", () => {
        view.look("driver");
      }),
    ),
    ...(moves(index) ? [gather, toggle("follow", "The view moves with the sensor (F)", state.follows)] : []),
    ...(hasBoxes ? [toggle("boxes", "Boxes (X)", state.showsBoxes)] : []),
    toggle("measure", "Distance between two points that are clicked (M)", state.measures),
    toggle("depth", "Shading by depth: edges stand out (E)", state.shadesDepth),
    element(
      "span",
      { class: "group" },
      button("−", "Smaller points (−)", () => {
        state.pointSize.value = Math.max(0.25, state.pointSize.value / 1.4);
      }),
      button("+", "Larger points (+)", () => {
        state.pointSize.value = Math.min(8, state.pointSize.value * 1.4);
      }),
    ),
  );
}
