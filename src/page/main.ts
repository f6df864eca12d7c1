import { effect } from "@preact/signals-core";
import "./report.css";
import { CloudView } from "./cloud/CloudView.js";
import { Colorist } from "./colors/PointColors.js";
import { element } from "./dom.js";
import { keyboard, keyList } from "./keyboard.js";
import { readIndex } from "./pageData.js";
import { about } from "./panels/about.js";
import { boxLayer } from "./panels/boxLayer.js";
import { cameraPanel } from "./panels/cameraPanel.js";
import { header } from "./panels/header.js";
import { legend } from "./panels/legend.js";
import { faultList } from "./panels/faults.js";
import { measure } from "./panels/measure.js";
import { followPointer, pointCard } from "./panels/pointCard.js";
import { scores } from "./panels/scores.js";
import { tabs } from "./panels/tabs.js";
import { timeline } from "./panels/timeline.js";
import { toolbar } from "./panels/toolbar.js";
import { transport } from "./panels/transport.js";
import { SceneController } from "./SceneController.js";
import { ScanStore } from "./ScanStore.js";
import { exposeToTests } from "./testHook.js";
import { ViewState } from "./ViewState.js";

function start(): void {
  const index = readIndex();
  document.title = `${index.title} · ditr report`;
  const state = new ViewState();
  if (window.matchMedia("(prefers-color-scheme: light)").matches) state.theme.value = "light";
  const store = new ScanStore(index);
  const colorist = new Colorist(index);
  const canvas = element("canvas", { class: "cloud", tabindex: "0" });
  canvas.setAttribute("aria-label", "The labelled points in 3D");
  const stage = element("div", { class: "stage" }, canvas);
  const view = new CloudView(canvas, index.range, index.ground);
  // Before the panels are made: what they draw themselves takes its colours from the style sheet.
  effect(() => {
    document.documentElement.dataset["theme"] = state.theme.value;
  });
  const scene = new SceneController(store, state, view, colorist);
  const cameras = cameraPanel(store, state, colorist);
  const shown = () => Promise.all([scene.shown, cameras.shown()]);
  stage.append(
    boxLayer(index, state, view),
    measure(state, view),
    toolbar(index, state, view),
    pointCard(store, state),
  );
  const time = timeline(index, state);
  const keys = keyboard(index, state, view);
  document
    .getElementById("app")!
    .append(
      header(store, state),
      element("main", {}, stage, element("aside", {}, cameras.root, legend(store, state, colorist))),
      transport(store, state, shown),
      tabs([
        { title: "Timeline", body: time.root, opened: time.opened },
        ...(index.truth === undefined ? [] : [{ title: "Scores", body: scores(index.truth) }]),
        { title: `Faults (${index.faults.length})`, body: faultList(index.faults) },
        { title: "Made by", body: about(index) },
        { title: "Keys", body: keyList(keys) },
      ]),
    );
  followPointer(view, state);
  exposeToTests({ index, state, view, store, cameras, shown });
}

try {
  start();
} catch (error) {
  // A page without WebGL, or cut off on its way, says so.
  const said = error instanceof Error ? error.message : String(error);
  document
    .getElementById("app")!
    .append(element("p", { class: "failure", role: "alert" }, `This page cannot be shown: ${said}`));
  throw error;
}
