import * as THREE from "three";
import { effect } from "@preact/signals-core";
import { CloudObject } from "./cloud/CloudObject.js";
import type { CloudView } from "./cloud/CloudView.js";
import type { Colorist } from "./colors/PointColors.js";
import type { ScanStore } from "./ScanStore.js";
import type { ViewState } from "./ViewState.js";

/** Keeps the 3D view at what the state says: which scans, where, and in which colours. */
export class SceneController {
  readonly #store: ScanStore;
  readonly #state: ViewState;
  readonly #view: CloudView;
  readonly #colorist: Colorist;
  #order = 0;
  #shown: Promise<void> = Promise.resolve();

  constructor(store: ScanStore, state: ViewState, view: CloudView, colorist: Colorist) {
    this.#store = store;
    this.#state = state;
    this.#view = view;
    this.#colorist = colorist;
    effect(() => {
      const [place, gathered, follows] = [state.place.value, state.gathered.value, state.follows.value];
      this.#shown = this.#show(place, gathered, follows);
    });
    effect(() => {
      const [coloring, palette] = [state.coloring.value, state.palette.value];
      for (const cloud of view.clouds) cloud.setColors(colorist.colors(cloud.scan, coloring, palette));
      view.draw();
    });
    effect(() => {
      const hidden = state.hidden.value;
      for (const cloud of view.clouds) cloud.hide(hidden);
      view.draw();
    });
    effect(() => {
      view.setTheme(state.theme.value);
    });
    effect(() => {
      view.setDepthShading(state.shadesDepth.value);
    });
    effect(() => {
      view.setPointSize(state.pointSize.value);
    });
  }

  /** Resolves when the scan that was asked for last is shown. */
  get shown(): Promise<void> {
    return this.#shown;
  }

  async #show(place: number, gathered: number, follows: boolean): Promise<void> {
    const order = ++this.#order;
    const { scans } = this.#store.index;
    const places = [place];
    for (let before = place - 1; before > place - gathered && before >= 0; before--) {
      if (scans[before]!.pose !== undefined) places.unshift(before);
    }
    const loaded = await Promise.all(places.map((each) => this.#store.scan(each)));
    // Another one was asked for meanwhile.
    if (order !== this.#order) return;
    const { coloring, palette, hidden } = this.#state;
    const reference = upright(this.#store.index.frameId).multiply(
      matrixOf(scans[follows ? place : 0]!.pose).invert(),
    );
    const shown = this.#view.clouds;
    const clouds = loaded.map((scan) => {
      let cloud = shown.find((each) => each.scan === scan);
      if (cloud === undefined) {
        cloud = new CloudObject(scan, this.#view.isSlow);
        cloud.setColors(this.#colorist.colors(scan, coloring.peek(), palette.peek()));
        cloud.hide(hidden.peek());
      }
      cloud.object.matrix.multiplyMatrices(reference, matrixOf(scan.scan.pose));
      cloud.object.matrixWorldNeedsUpdate = true;
      return cloud;
    });
    this.#view.show(clouds);
    this.#state.shownPlace.value = -1;
    this.#state.shownPlace.value = place;
    const next = place + 1 < scans.length ? place + 1 : 0;
    if (this.#state.isPlaying.peek()) void this.#store.scan(next);
  }
}

/** To x forward, y left, z up; a camera's optical frame has z forward and y down. */
function upright(frameId: string): THREE.Matrix4 {
  const turned = new THREE.Matrix4();
  return frameId.includes("optical") ? turned.set(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1) : turned;
}

/** Without a pose, where the sensor is. */
function matrixOf(pose: readonly number[] | undefined): THREE.Matrix4 {
  return pose === undefined ? new THREE.Matrix4() : new THREE.Matrix4().fromArray(pose);
}
