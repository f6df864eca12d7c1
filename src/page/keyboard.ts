import type { SceneIndex } from "../scene/SceneIndex.js";
import type { CloudView } from "./cloud/CloudView.js";
import { element } from "./dom.js";
import { colorings, gatherings, moves } from "./panels/toolbar.js";
import { step } from "./panels/transport.js";
import type { ViewState } from "./ViewState.js";

/** What each key does, for the page and for its help. */
export function keyboard(
  index: SceneIndex,
  state: ViewState,
  view: CloudView,
): ReadonlyMap<string, readonly [what: string, action: () => void]> {
  const { scans } = index;
  const resize = (factor: number) => () => {
    state.pointSize.value = Math.min(8, Math.max(0.25, state.pointSize.value * factor));
  };
  const keys = new Map<string, readonly [string, () => void]>([
    [" ", ["play or stop", () => (state.isPlaying.value = !state.isPlaying.value)]],
    [
      "ArrowRight",
      [
        "one scan on",
        () => {
          step(state, scans.length, 1);
        },
      ],
    ],
    [
      "ArrowLeft",
      [
        "one scan back",
        () => {
          step(state, scans.length, -1);
        },
      ],
    ],
    [
      "Home",
      [
        "first scan",
        () => {
          step(state, scans.length, -scans.length);
        },
      ],
    ],
    [
      "End",
      [
        "last scan",
        () => {
          step(state, scans.length, scans.length);
        },
      ],
    ],
    [
      "c",
      [
        "next colouring",
        () => {
          const all = colorings(index).map(([value]) => value);
          state.coloring.value = all[(all.indexOf(state.coloring.value) + 1) % all.length]!;
        },
      ],
    ],
    [
      "b",
      [
        "colour-blind safe colours",
        () => (state.palette.value = state.palette.value === "safe" ? "recorded" : "safe"),
      ],
    ],
    ["a", ["show all classes", () => (state.hidden.value = new Set())]],
    [
      "r",
      [
        "overview",
        () => {
          view.look("overview");
        },
      ],
    ],
    [
      "t",
      [
        "from above",
        () => {
          view.look("top");
        },
      ],
    ],
    [
      "d",
      [
        "from the sensor",
        () => {
          view.look("driver");
        },
      ],
    ],
    [
      "q",
      [
        "turn left",
        () => {
          view.turn(-0.15, 0, 1);
        },
      ],
    ],
    [
      "w",
      [
        "turn right",
        () => {
          view.turn(0.15, 0, 1);
        },
      ],
    ],
    [
      "ArrowUp",
      [
        "forward",
        () => {
          view.walk(0.08, 0);
        },
      ],
    ],
    [
      "ArrowDown",
      [
        "back",
        () => {
          view.walk(-0.08, 0);
        },
      ],
    ],
    [
      "g",
      [
        "more scans together",
        () => {
          const all = moves(index) ? gatherings(index) : [1];
          state.gathered.value = all[(all.indexOf(state.gathered.value) + 1) % all.length]!;
        },
      ],
    ],
    ["f", ["follow the sensor, or stand still", () => (state.follows.value = !state.follows.value)]],
    ["x", ["boxes", () => (state.showsBoxes.value = !state.showsBoxes.value)]],
    ["m", ["measure between two clicks", () => (state.measures.value = !state.measures.value)]],
    ["e", ["shading by depth", () => (state.shadesDepth.value = !state.shadesDepth.value)]],
    ["+", ["larger points", resize(1.4)]],
    ["-", ["smaller points", resize(1 / 1.4)]],
    ["l", ["light or dark", () => (state.theme.value = state.theme.value === "dark" ? "light" : "dark")]],
    ["Escape", ["choose no point", () => (state.selected.value = undefined)]],
  ]);
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    // A list and a slider have keys of their own, and space presses a button.
    if (target.matches("select, input") && event.key !== "Escape") return;
    if (target.matches("button") && (event.key === " " || event.key === "Enter")) return;
    const found = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (found === undefined) return;
    event.preventDefault();
    found[1]();
  });
  return keys;
}

const SIGNS: Readonly<Record<string, string>> = {
  " ": "space",
  ArrowRight: "→",
  ArrowLeft: "←",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

export function keyList(keys: ReturnType<typeof keyboard>): HTMLElement {
  return element(
    "dl",
    { class: "keys" },
    ...[...keys].flatMap(([key, [what]]) => [
      element("dt", {}, element("kbd", {}, SIGNS[key] ?? key.toUpperCase())),
      element("dd", {}, what),
    ]),
  );
}
