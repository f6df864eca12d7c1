import type { SceneIndex } from "../../scene/SceneIndex.js";
import { count, element } from "../dom.js";

/** What made the labels and this page, and what it leaves out. */
export function about(index: SceneIndex): HTMLElement {
  const { scans, run, notes, source, madeBy, madeAt, frameId, scansInBag, cameras } = index;
  const [points, shown] = [
    scans.reduce((sum, { total }) => sum + total, 0),
    scans.reduce((sum, scan) => sum + scan.points, 0),
  ];
  const unmeasured = scans.reduce((sum, { notFinite, noReturns }) => sum + notFinite + noReturns, 0);
  const far = scans.reduce((sum, scan) => sum + scan.far, 0);
  const facts: (readonly [string, string])[] = [
    ["Labelled bag", source],
    ...(run?.facts ?? []),
    ["Scans", `${count(scans.length)} of ${count(scansInBag)}`],
    [
      "Points",
      `${count(shown)} of ${count(points)} are in this page (${((100 * shown) / Math.max(1, points)).toFixed(1)} %)`,
    ],
    ...(unmeasured > 0
      ? [["Not measured", `${count(unmeasured)} points are no returns and not shown`] as const]
      : []),
    ...(far > 0 ? [["Far off", `${count(far)} points more than 300 m away are not shown`] as const] : []),
    ["Frame", frameId],
    ...(cameras.length > 0 ? [["Cameras", cameras.join(", ")] as const] : []),
    ["Page", `${madeBy}, ${madeAt.slice(0, 16).replace("T", " ")} UTC`],
  ];
  const list = element(
    "dl",
    { class: "facts" },
    ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
  const said =
    run === undefined
      ? [
          element(
            "p",
            { class: "hint" },
            "Model, provider, stage times and the faults of the run are in its summary: ditr run --json summary.json, then ditr report --summary summary.json.",
          ),
        ]
      : [];
  return element("div", { class: "about" }, list, ...notes.map((note) => element("p", {}, note)), ...said);
}
