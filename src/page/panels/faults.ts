import type { SceneFault } from "../../scene/SceneIndex.js";
import { count, element } from "../dom.js";

/** What went wrong, how often, and what mends it. */
export function faultList(faults: readonly SceneFault[]): HTMLElement {
  if (faults.length === 0) return element("p", { class: "hint" }, "Nothing went wrong that is known of.");
  return element(
    "ul",
    { class: "faults" },
    ...faults.map(({ severity, code, count: times, messages, remedy }) =>
      element(
        "li",
        { "data-severity": severity },
        element("b", {}, `${severity} ${code}`),
        ` ${count(times)}×`,
        ...messages.map((message) => element("p", {}, message)),
        remedy === "" ? "" : element("p", { class: "remedy" }, remedy),
      ),
    ),
  );
}
