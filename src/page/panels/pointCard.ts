import { effect } from "@preact/signals-core";
import { NO_CLASS } from "../../scene/packedScan.js";
import type { CloudView } from "../cloud/CloudView.js";
import { element, number } from "../dom.js";
import type { LoadedScan } from "../LoadedScan.js";
import type { ScanStore } from "../ScanStore.js";
import type { PointAt, ViewState } from "../ViewState.js";

/** What is known of the point that was clicked, or that is under the pointer. */
export function pointCard(store: ScanStore, state: ViewState): HTMLElement {
  const root = element("div", { class: "point-card", role: "status", hidden: true });
  let order = 0;
  const show = async (at: PointAt | undefined, isSelected: boolean): Promise<void> => {
    const own = ++order;
    if (at === undefined) {
      root.hidden = true;
      return;
    }
    const scan = await store.scan(at.place);
    if (own !== order) return;
    root.hidden = false;
    root.classList.toggle("selected", isSelected);
    root.replaceChildren(
      element(
        "dl",
        {},
        ...pointFacts(store, scan, at.point).flatMap(([name, value]) => [
          element("dt", {}, name),
          element("dd", {}, value),
        ]),
      ),
    );
  };
  effect(() => {
    const [hovered, selected] = [state.hovered.value, state.selected.value];
    void show(hovered ?? selected, hovered === undefined);
  });
  return root;
}

function pointFacts(
  { index }: ScanStore,
  scan: LoadedScan,
  point: number,
): readonly (readonly [string, string])[] {
  const { labels, truth, sightings } = scan.packed;
  const [x, y, z] = scan.position(point);
  const cameras = scan.scan.images.map(({ camera }, image) => {
    const { points, seen } = sightings[image]!;
    const place = points.indexOf(point);
    const name = index.cameras[camera]!;
    return [
      name,
      place < 0 ? "not in the image" : seen[place] === 1 ? "seen" : "hidden by nearer points",
    ] as const;
  });
  const slot = truth?.[point];
  return [
    ["class", scan.className(labels[point]!)],
    ...(slot === undefined
      ? []
      : [["truth", slot === NO_CLASS ? "not known" : scan.className(slot)] as const]),
    ...index.fields.flatMap(({ name }, field) => {
      const value = scan.value(field, point);
      return value === undefined ? [] : [[name, number(value)] as const];
    }),
    ["x, y, z", `${x.toFixed(2)}, ${y.toFixed(2)}, ${z.toFixed(2)} m`],
    ["distance", `${Math.hypot(x, y, z).toFixed(2)} m`],
    ...cameras,
  ];
}

/** Points are found under the pointer and clicked; both are marked. */
export function followPointer(view: CloudView, state: ViewState): void {
  let moved: PointerEvent | undefined;
  let isPressed = false;
  const at = ({ clientX, clientY }: MouseEvent): PointAt | undefined => {
    const { left, top } = view.canvas.getBoundingClientRect();
    return view.pick(clientX - left, clientY - top);
  };
  view.canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || isPressed) return;
    if (moved === undefined) {
      requestAnimationFrame(() => {
        state.hovered.value = moved && at(moved);
        moved = undefined;
      });
    }
    moved = event;
  });
  view.canvas.addEventListener("pointerleave", () => {
    state.hovered.value = undefined;
  });
  let pressedAt: readonly [number, number] = [0, 0];
  view.canvas.addEventListener("pointerdown", ({ clientX, clientY }) => {
    pressedAt = [clientX, clientY];
    isPressed = true;
    state.hovered.value = undefined;
  });
  window.addEventListener("pointerup", () => {
    isPressed = false;
  });
  view.canvas.addEventListener("click", (event) => {
    // A drag turns the view and chooses nothing.
    if (Math.hypot(event.clientX - pressedAt[0], event.clientY - pressedAt[1]) > 4) return;
    state.selected.value = at(event);
  });
  effect(() => {
    const [hovered] = [state.hovered.value, state.shownPlace.value];
    view.mark("hovered", hovered && view.positionOf(hovered), 0xffffff, 9);
  });
  effect(() => {
    const [selected] = [state.selected.value, state.shownPlace.value];
    view.mark("selected", selected && view.positionOf(selected), 0xff3d7f, 10);
  });
}
