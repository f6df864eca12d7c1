import { element, count, percent } from "../dom.js";
import type { SceneMatrix, SceneTruth } from "../../scene/SceneIndex.js";

/** IoU by class and the confusion matrix, of all scans or of those of one mode. */
export function scores({ classNames, matrices }: SceneTruth): HTMLElement {
  const body = element("div");
  const select = element(
    "select",
    { "aria-label": "Scans" },
    ...matrices.map(({ title }, which) => element("option", { value: which }, title)),
  );
  const show = (): void => {
    body.replaceChildren(...oneOf(classNames, matrices[Number(select.value)]!, matrices));
  };
  select.addEventListener("change", show);
  show();
  return element("div", { class: "scores" }, matrices.length > 1 ? element("p", {}, select) : "", body);
}

function oneOf(
  classNames: readonly string[],
  matrix: SceneMatrix,
  matrices: readonly SceneMatrix[],
): HTMLElement[] {
  const columns = classNames.length + 1;
  const rowSum = (row: number): number =>
    matrix.counts.slice(row * columns, (row + 1) * columns).reduce((sum, value) => sum + value, 0);
  const columnSum = (column: number): number =>
    classNames.reduce((sum, _, row) => sum + matrix.counts[row * columns + column]!, 0);
  const present = classNames.map((_, slot) => slot).filter((slot) => rowSum(slot) + columnSum(slot) > 0);
  const shownColumns = columnSum(classNames.length) > 0 ? [...present, classNames.length] : present;
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "truth ↓ label →"),
    ...shownColumns.map((slot) =>
      element("th", { scope: "col" }, element("span", {}, classNames[slot] ?? "no label")),
    ),
    element("th", { scope: "col" }, element("span", {}, "points")),
    ...matrices.map(({ title }) => element("th", { scope: "col" }, element("span", {}, `IoU %, ${title}`))),
  );
  const rows = present.map((row) => {
    const total = rowSum(row);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, classNames[row]!),
      ...shownColumns.map((column) => cell(matrix.counts[row * columns + column]!, total, row === column)),
      element("td", { class: "number" }, count(total)),
      ...matrices.map(({ iou }) => element("td", { class: "number" }, percent(iou[row]!))),
    );
  });
  const means = element(
    "tr",
    { class: "mean" },
    element(
      "th",
      { scope: "row", colspan: shownColumns.length + 2 },
      "mean over the classes in truth or labels",
    ),
    ...matrices.map(({ meanIou }) => element("td", { class: "number" }, percent(meanIou))),
  );
  const accuracy = element(
    "tr",
    { class: "mean" },
    element("th", { scope: "row", colspan: shownColumns.length + 2 }, "points labelled right"),
    ...matrices.map((each) => element("td", { class: "number" }, percent(each.accuracy))),
  );
  return [
    element(
      "table",
      { class: "confusion" },
      element("thead", {}, head),
      element("tbody", {}, ...rows),
      element("tfoot", {}, means, accuracy),
    ),
    element("p", { class: "hint" }, "Cells are percent of the points of the row's true class."),
  ];
}

/** Right ones blue, wrong ones orange, the more the stronger. */
function cell(points: number, total: number, isRight: boolean): HTMLElement {
  const share = total === 0 ? 0 : points / total;
  const made = element(
    "td",
    { class: isRight ? "right" : "wrong", title: `${count(points)} points` },
    points === 0 ? "" : share < 0.001 ? "·" : percent(share),
  );
  made.style.setProperty("--share", String(Math.sqrt(share)));
  return made;
}
