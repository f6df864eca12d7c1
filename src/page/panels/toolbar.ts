import { effect } from "@preact/signals-core";
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
