import * as THREE from "three";
import { effect } from "@preact/signals-core";
import type { CloudView } from "../cloud/CloudView.js";
import { Labels } from "../cloud/Labels.js";
import type { Vector } from "../LoadedScan.js";
import type { ViewState } from "../ViewState.js";

/** While it is on, each second point that is clicked is measured from the one before. */
export function measure(state: ViewState, view: CloudView): HTMLElement {
  const labels = new Labels(view);
  let first: Vector | undefined;
  let remove: (() => void) | undefined;
  const clear = (): void => {
    remove?.();
    remove = undefined;
    labels.set([]);
  };
  const line = (from: Vector, to: Vector): void => {
    const geometry = new THREE.BufferGeometry().setFromPoints([
      new THREE.Vector3(...from),
      new THREE.Vector3(...to),
    ]);
    const material = new THREE.LineBasicMaterial({ color: 0xff3d7f, depthTest: false });
    const made = new THREE.Line(geometry, material);
    made.frustumCulled = false;
    made.renderOrder = 9;
    remove = view.add(made);
    const [dx, dy, dz] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
    const text = `${Math.hypot(dx, dy, dz).toFixed(2)} m (level ${Math.hypot(dx, dy).toFixed(2)}, up ${dz.toFixed(2)})`;
    labels.set([
      { text, position: [from[0] + dx / 2, from[1] + dy / 2, from[2] + dz / 2], color: "#ff3d7f" },
    ]);
  };
  effect(() => {
    const [isOn, selected] = [state.measures.value, state.selected.value];
    if (!isOn) {
      first = undefined;
      clear();
      return;
    }
    const position = selected && view.positionOf(selected);
    if (position === undefined) return;
    if (first === undefined) {
      clear();
      first = position;
      labels.set([{ text: "to …", position, color: "#ff3d7f" }]);
    } else {
      clear();
      line(first, position);
      first = undefined;
    }
  });
  return labels.root;
}
