import { effect } from "@preact/signals-core";
import { button, count, element, percent } from "../dom.js";
import type { ScanStore } from "../ScanStore.js";
import type { ViewState } from "../ViewState.js";

/** The name of the bag, and what is to be said of the scan that is shown. */
export function header({ index }: ScanStore, state: ViewState): HTMLElement {
  const mode = element("span", { class: "mode" });
  const reason = element("span", { class: "reason" });
  const facts = element("span", { class: "scan-facts" });
  const theme = button("", "", () => {
    state.theme.value = state.theme.value === "dark" ? "light" : "dark";
  });
  effect(() => {
    const { labelled, total, points, right, judged } = index.scans[state.place.value]!;
    mode.hidden = labelled === undefined;
    reason.hidden = labelled === undefined;
    mode.textContent = labelled?.mode ?? "";
    mode.dataset["mode"] = labelled?.mode ?? "";
    reason.textContent = labelled?.reason ?? "";
    reason.title = labelled?.reason ?? "";
    const shown = points < total ? `${count(points)} of ${count(total)} points` : `${count(total)} points`;
    const share = right !== undefined && judged ? `, ${percent(right / judged)} % right` : "";
    facts.textContent = shown + share;
  });
  effect(() => {
    const isDark = state.theme.value === "dark";
    theme.textContent = isDark ? "☀ Light" : "☾ Dark";
    theme.title = `${isDark ? "Light" : "Dark"} colours (L)`;
  });
  return element(
    "header",
    { class: "page-header" },
    element("h1", {}, index.title),
    mode,
    reason,
    facts,
    theme,
  );
}
