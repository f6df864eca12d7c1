import { effect } from "@preact/signals-core";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { SceneIndex, SceneScan } from "../../scene/SceneIndex.js";
import { element } from "../dom.js";
import type { ViewState } from "../ViewState.js";

/** Told apart on both themes, and by colour-blind eyes; those of further lines begin again. */
const LINES = ["#3d8fd6", "#d08a00", "#12996f", "#cc5a9a", "#c65000", "#8a7ae0", "#7b8794"];
const CHART_HEIGHT = 150;

export interface Timeline {
  readonly root: HTMLElement;
  /** To be called when it is on the screen: charts measure themselves. */
  readonly opened: () => void;
}

/** What happened over the recording: modes with reasons, images that lack, camera times, stage times. A click goes there. */
export function timeline({ scans, cameras, truth }: SceneIndex, state: ViewState): Timeline {
  const charts = element("div", { class: "charts" });
  const root = element(
    "div",
    { class: "timeline" },
    band(scans, state),
    eventList(scans, cameras, state),
    charts,
  );
  let plots: readonly uPlot[] = [];
  const build = (): void => {
    for (const plot of plots) plot.destroy();
    const width = Math.max(260, charts.clientWidth);
    plots = chartsOf(scans, cameras, truth !== undefined).map((chart) =>
      plotOf(chart, scans, width, charts, state),
    );
  };
  state.theme.subscribe(() => {
    if (plots.length > 0) build();
  });
  effect(() => {
    const place = state.place.value;
    for (const plot of plots) markTime(plot, scans[place]!.seconds);
  });
  let built = 0;
  new ResizeObserver(() => {
    // Wide enough to be seen, and of another width than at the last time.
    if (charts.clientWidth === 0 || charts.clientWidth === built) return;
    built = charts.clientWidth;
    build();
  }).observe(charts);
  return {
    root,
    opened: () => {
      for (const plot of plots) plot.redraw();
    },
  };
}

/** One cell a scan, in the colour of its mode; marked where an image lacks or something is odd. */
function band(scans: readonly SceneScan[], state: ViewState): HTMLElement {
  const cells = scans.map(({ number, labelled, missing, events }, place) => {
    const mode = labelled?.mode ?? "unknown";
    const lacks = missing.length > 0 || events.length > 0;
    const made = element("button", {
      type: "button",
      class: lacks ? "lacks" : "",
      "data-mode": mode,
      title: `scan ${number}: ${mode}${labelled === undefined ? "" : ` (${labelled.reason})`}${lacks ? ", with gaps" : ""}`,
      tabindex: -1,
    });
    made.addEventListener("click", () => {
      state.isPlaying.value = false;
      state.place.value = place;
    });
    return made;
  });
  effect(() => {
    const place = state.place.value;
    cells.forEach((made, each) => {
      made.toggleAttribute("data-here", each === place);
    });
  });
  return element("div", { class: "band", "aria-label": "Mode of each scan" }, ...cells);
}

/** Runs of scans that were labelled alike or lack the same image, each to be clicked. */
function eventList(scans: readonly SceneScan[], cameras: readonly string[], state: ViewState): HTMLElement {
  const spans = [
    ...runs(
      scans,
      ({ labelled }) => labelled && { mode: labelled.mode, text: `${labelled.mode}: ${labelled.reason}` },
    ),
    ...cameras.flatMap((name, camera) =>
      runs(scans, ({ missing }) => {
        const reason = missing.find((each) => each.camera === camera)?.reason;
        return reason === undefined ? undefined : { mode: "gap", text: `${name}: ${reason}` };
      }),
    ),
    ...runs(scans, ({ events }) =>
      events.length === 0 ? undefined : { mode: "gap", text: events.join(" ") },
    ),
  ].sort((a, b) => a.first - b.first);
  const list = spans.map(({ first, last, mode, text }) => {
    const numbers =
      first === last
        ? `scan ${scans[first]!.number}`
        : `scans ${scans[first]!.number} to ${scans[last]!.number}`;
    const made = element(
      "button",
      { type: "button", class: "event" },
      element("b", {}, numbers),
      element("span", { "data-mode": mode }, ` ${text}`),
    );
    made.addEventListener("click", () => {
      state.isPlaying.value = false;
      state.place.value = first;
    });
    return element("li", {}, made);
  });
  const said = scans.some(({ labelled }) => labelled !== undefined)
    ? []
    : [
        element(
          "p",
          { class: "hint" },
          "How scans were labelled is not in the bag: give ditr report the summary of the run (--summary).",
        ),
      ];
  return element("div", {}, ...said, element("ul", { class: "events" }, ...list));
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly mode: string;
  readonly text: string;
}

function runs(
  scans: readonly SceneScan[],
  of: (scan: SceneScan) => { readonly mode: string; readonly text: string } | undefined,
): Run[] {
  const found: Run[] = [];
  scans.forEach((scan, place) => {
    const said = of(scan);
    if (said === undefined) return;
    const before = found.at(-1);
    if (before?.last === place - 1 && before.text === said.text)
      found[found.length - 1] = { ...before, last: place };
    else found.push({ first: place, last: place, ...said });
  });
  return found;
}

interface Chart {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

function chartsOf(scans: readonly SceneScan[], cameras: readonly string[], hasTruth: boolean): Chart[] {
  const stages = [...new Set(scans.flatMap(({ labelled }) => labelled?.stages.map(([name]) => name) ?? []))];
  const charts: Chart[] = [
    {
      title: "Image time against its scan, ms",
      lines: cameras.map((name, camera) => ({
        name,
        values: scans.map(({ images }) => images.find((image) => image.camera === camera)?.deltaMs ?? null),
      })),
    },
    {
      title: "Stages, ms",
      lines: stages.map((name) => ({
        name,
        values: scans.map(({ labelled }) => labelled?.stages.find(([stage]) => stage === name)?.[1] ?? null),
      })),
    },
    {
      title: "Share of voxels that a camera sees, %",
      lines: scans.some(({ labelled }) => labelled?.seenShare !== undefined)
        ? [
            {
              name: "seen",
              values: scans.map(({ labelled }) =>
                labelled?.seenShare === undefined ? null : 100 * labelled.seenShare,
              ),
            },
          ]
        : [],
    },
    {
      title: "Points labelled right, %",
      lines: hasTruth
        ? [
            {
              name: "right",
              values: scans.map(({ right, judged }) =>
                right === undefined || !judged ? null : (100 * right) / judged,
              ),
            },
          ]
        : [],
    },
  ];
  return charts.filter(({ lines }) => lines.length > 0);
}

function plotOf(
  { title, lines }: Chart,
  scans: readonly SceneScan[],
  width: number,
  parent: HTMLElement,
  state: ViewState,
): uPlot {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const seconds = scans.map((scan) => scan.seconds);
  const axis: uPlot.Axis = {
    stroke: color("--quiet"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
  };
  const plot = new uPlot(
    {
      title,
      width,
      height: CHART_HEIGHT,
      cursor: { sync: { key: "timeline" }, drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
        { ...axis, size: 62 },
      ],
      series: [
        { label: "time", value: (_, value) => (value as number | null)?.toFixed(2) ?? "-" },
        ...lines.map(({ name }, line): uPlot.Series => ({
          label: name,
          stroke: LINES[line % LINES.length]!,
          width: 1.5,
          points: { show: scans.length < 60, size: 5 },
          value: (_, value) => (value as number | null)?.toFixed(1) ?? "-",
        })),
      ],
      hooks: {
        ready: [
          (made) => {
            made.over.append(element("div", { class: "here" }));
          },
        ],
        setSize: [
          (made) => {
            markTime(made, scans[state.place.peek()]!.seconds);
          },
        ],
      },
    },
    [seconds, ...lines.map(({ values }) => [...values])],
    parent,
  );
  markTime(plot, scans[state.place.peek()]!.seconds);
  plot.over.addEventListener("click", () => {
    const place = plot.cursor.idx;
    if (place === null || place === undefined) return;
    state.isPlaying.value = false;
    state.place.value = place;
  });
  return plot;
}

/** Moves the line at the scan that is shown. */
function markTime(plot: uPlot, seconds: number): void {
  const line = plot.over.querySelector<HTMLElement>(".here");
  if (line !== null) line.style.left = `${plot.valToPos(seconds, "x")}px`;
}
