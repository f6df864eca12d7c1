import { effect } from "@preact/signals-core";
import { button, element } from "../dom.js";
import type { ScanStore } from "../ScanStore.js";
import type { ViewState } from "../ViewState.js";

/** Milliseconds: faster than this no scan follows another, slower than this none waits. */
const [SHORTEST, LONGEST] = [30, 2000];

/** Plays, steps and scrubs through the scans. `shown` resolves when the last that was asked for is on the screen. */
export function transport(
  { index: { scans } }: ScanStore,
  state: ViewState,
  shown: () => Promise<unknown>,
): HTMLElement {
  const play = button("", "", () => {
    state.isPlaying.value = !state.isPlaying.value;
  });
  play.className = "play";
  const slider = element("input", {
    type: "range",
    min: 0,
    max: scans.length - 1,
    step: 1,
    value: 0,
    class: "scrub",
  });
  slider.setAttribute("aria-label", "Scan");
  const said = element("output", { class: "scan-number" });
  const speed = element(
    "select",
    { "aria-label": "Speed", title: "Speed" },
    ...[0.25, 0.5, 1, 2, 4].map((times) =>
      element("option", { value: times, selected: times === 1 }, `${times}×`),
    ),
  );
  const root = element(
    "section",
    { class: "transport", "aria-label": "Scans" },
    button("|◀", "First scan (Home)", () => {
      state.place.value = 0;
    }),
    button("◁", "One scan back (←)", () => {
      step(state, scans.length, -1);
    }),
    play,
    button("▷", "One scan on (→)", () => {
      step(state, scans.length, 1);
    }),
    slider,
    said,
    speed,
  );
  slider.addEventListener("input", () => {
    state.isPlaying.value = false;
    state.place.value = Number(slider.value);
  });
  speed.addEventListener("change", () => {
    state.speed.value = Number(speed.value);
  });
  effect(() => {
    const place = state.place.value;
    const { number, seconds } = scans[place]!;
    slider.value = String(place);
    said.textContent = `scan ${number} · ${seconds.toFixed(2)} s`;
  });
  effect(() => {
    const isPlaying = state.isPlaying.value;
    play.textContent = isPlaying ? "❚❚" : "▶ Play";
    play.title = isPlaying ? "Stop (space)" : "Play (space)";
    play.setAttribute("aria-pressed", String(isPlaying));
    if (isPlaying) void run();
  });
  const run = async (): Promise<void> => {
    while (state.isPlaying.peek()) {
      const place = state.place.peek();
      const next = (place + 1) % scans.length;
      const recorded = 1000 * (scans[next]!.seconds - scans[place]!.seconds);
      const wanted = next === 0 ? 600 : Math.min(LONGEST, Math.max(SHORTEST, recorded)) / state.speed.peek();
      const start = performance.now();
      await shown();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, wanted - (performance.now() - start))));
      if (state.isPlaying.peek() && state.place.peek() === place) state.place.value = next;
    }
  };
  root.hidden = scans.length < 2;
  return root;
}

export function step(state: ViewState, count: number, by: number): void {
  state.isPlaying.value = false;
  state.place.value = Math.min(count - 1, Math.max(0, state.place.value + by));
}
