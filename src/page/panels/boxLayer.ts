import * as THREE from "three";
import { effect } from "@preact/signals-core";
import type { SceneBox, SceneIndex } from "../../scene/SceneIndex.js";
import { boxLines } from "../cloud/boxLines.js";
import type { CloudView } from "../cloud/CloudView.js";
import { Labels } from "../cloud/Labels.js";
import type { ViewState } from "../ViewState.js";

/** More names than this only hide the scene. */
const MOST_NAMES = 40;
/** Okabe and Ito's, by topic: true boxes and those of a model are told apart, also by colour-blind eyes. */
const COLORS: readonly (readonly [number, number, number])[] = [
  [230, 159, 0],
  [86, 180, 233],
  [204, 121, 167],
  [0, 158, 115],
];

export function boxColor({ topic }: SceneBox): readonly [number, number, number] {
  return COLORS[topic % COLORS.length]!;
}

/** The boxes of the scan that is shown, with their names; where the view stands still, they move with their scan. */
export function boxLayer({ scans }: SceneIndex, state: ViewState, view: CloudView): HTMLElement {
  const labels = new Labels(view);
  let remove: (() => void) | undefined;
  const show = (place: number, isShown: boolean): void => {
    remove?.();
    remove = undefined;
    const boxes = scans[place]?.boxes ?? [];
    if (!isShown || boxes.length === 0) {
      labels.set([]);
      return;
    }
    const lines = boxLines(boxes, boxColor);
    const matrix = view.clouds.find(({ scan }) => scan.place === place)?.object.matrix ?? new THREE.Matrix4();
    lines.matrixAutoUpdate = false;
    lines.matrix.copy(matrix);
    lines.matrixWorldNeedsUpdate = true;
    remove = view.add(lines);
    labels.set(
      boxes.slice(0, MOST_NAMES).map((box) => {
        const top = new THREE.Vector3(box.center[0], box.center[1], box.center[2] + box.size[2] / 2);
        const { x, y, z } = top.applyMatrix4(matrix);
        const score = box.score < 1 ? ` ${box.score.toFixed(2)}` : "";
        return { text: box.name + score, position: [x, y, z], color: `rgb(${boxColor(box).join(" ")})` };
      }),
    );
  };
  effect(() => {
    show(state.shownPlace.value, state.showsBoxes.value);
  });
  return labels.root;
}
