import { effect } from "@preact/signals-core";
import type { SceneBox, SceneImage } from "../../scene/SceneIndex.js";
import type { Sightings } from "../../scene/packedScan.js";
import type { Colorist, PointColors } from "../colors/PointColors.js";
import { boxColor } from "./boxLayer.js";
import { count, element } from "../dom.js";
import type { LoadedScan } from "../LoadedScan.js";
import type { ScanStore } from "../ScanStore.js";
import type { Coloring, Palette, ViewState } from "../ViewState.js";

/** Pixels of the image around a pointer within which a point is found. */
const REACH = 6;

/** A camera's image with the points on it: those that it sees, and, faintly, those that something hides from it. */
class CameraTile {
  readonly root: HTMLElement;
  readonly #state: ViewState;
  readonly #canvas = element("canvas", { tabindex: "-1" });
  readonly #mark = element("div", { class: "mark", hidden: true });
  readonly #caption = element("figcaption");
  readonly #name: string;
  #shown:
    { readonly scan: LoadedScan; readonly image: SceneImage; readonly sightings: Sightings } | undefined;

  constructor(name: string, state: ViewState) {
    this.#name = name;
    this.#state = state;
    const frame = element("div", { class: "frame" }, this.#canvas, this.#mark);
    this.root = element("figure", { class: "camera", "data-camera": name }, frame, this.#caption);
    this.#canvas.addEventListener("pointermove", (event) => {
      const point = this.#pointAt(event);
      const { scan } = this.#shown ?? {};
      state.hovered.value = scan && point !== undefined ? { place: scan.place, point } : undefined;
    });
    this.#canvas.addEventListener("pointerleave", () => {
      state.hovered.value = undefined;
    });
    this.#canvas.addEventListener("click", (event) => {
      const point = this.#pointAt(event);
      const { scan } = this.#shown ?? {};
      state.selected.value = scan && point !== undefined ? { place: scan.place, point } : undefined;
    });
  }

  /** Points that are painted. */
  painted = 0;

  show(
    scan: LoadedScan,
    place: number,
    bitmap: ImageBitmap,
    colors: PointColors,
    { hidden, opacity }: { readonly hidden: ReadonlySet<number>; readonly opacity: number },
  ): void {
    const image = scan.scan.images[place]!;
    const sightings = scan.packed.sightings[place]!;
    this.#shown = { scan, image, sightings };
    const { width, height } = image;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.root.classList.remove("missing");
    const context = this.#canvas.getContext("2d", { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0, width, height);
    if (opacity > 0) {
      const pixels = context.getImageData(0, 0, width, height);
      this.painted = paint(pixels, sightings, scan, colors, hidden, opacity);
      context.putImageData(pixels, 0, 0);
    } else this.painted = 0;
    if (this.#state.showsBoxes.peek()) drawBoxes(context, image, scan.scan.boxes);
    const { deltaMs, seen, hidden: behind } = image;
    const delta = `${deltaMs >= 0 ? "+" : "−"}${Math.abs(deltaMs).toFixed(1)} ms`;
    this.#caption.replaceChildren(
      element("b", {}, this.#name),
      element("span", { title: "Image stamp against the scan's" }, delta),
      element(
        "span",
        { title: "Points that the camera sees, and points in the image that nearer ones hide from it" },
        `${count(seen)} seen, ${count(behind)} hidden`,
      ),
    );
  }

  showMissing(reason: string): void {
    this.#shown = undefined;
    this.painted = 0;
    this.root.classList.add("missing");
    this.#caption.replaceChildren(element("b", {}, this.#name), element("span", {}, reason));
  }

  /** Shows where a point of the scan is in the image. */
  markPoint(point: number | undefined): void {
    const place = point === undefined ? -1 : (this.#shown?.sightings.points.indexOf(point) ?? -1);
    this.#mark.hidden = place < 0;
    if (place < 0 || this.#shown === undefined) return;
    const { u, v, seen } = this.#shown.sightings;
    this.#mark.style.left = `${(100 * u[place]!) / 65535}%`;
    this.#mark.style.top = `${(100 * v[place]!) / 65535}%`;
    this.#mark.classList.toggle("occluded", seen[place] === 0);
  }

  get markShown(): boolean {
    return !this.#mark.hidden;
  }

  #pointAt(event: MouseEvent): number | undefined {
    if (this.#shown === undefined) return undefined;
    const box = this.#canvas.getBoundingClientRect();
    const { sightings, image, scan } = this.#shown;
    const hidden = this.#state.hidden.peek();
    const x = ((event.clientX - box.left) / box.width) * 65535;
    const y = ((event.clientY - box.top) / box.height) * 65535;
    const reach = REACH / image.width;
    const ratio = image.height / image.width;
    let [found, best] = [-1, (reach * 65535) ** 2];
    for (let i = 0; i < sightings.points.length; i++) {
      if (sightings.seen[i] === 0 || hidden.has(scan.packed.labels[sightings.points[i]!]!)) continue;
      const away = (sightings.u[i]! - x) ** 2 + ((sightings.v[i]! - y) * ratio) ** 2;
      if (away < best) [found, best] = [i, away];
    }
    return found < 0 ? undefined : sightings.points[found];
  }
}

function paint(
  { data, width, height }: ImageData,
  { points, u, v, seen }: Sightings,
  { packed: { labels } }: LoadedScan,
  { bytes, table }: PointColors,
  hidden: ReadonlySet<number>,
  opacity: number,
): number {
  let painted = 0;
  // Hidden points first, so that what is seen lies on top.
  for (const wanted of [0, 1]) {
    const alpha = wanted === 1 ? opacity : 0.25 * opacity;
    const size = wanted === 1 ? 2 : 1;
    for (let i = 0; i < points.length; i++) {
      if (seen[i] !== wanted) continue;
      const point = points[i]!;
      if (hidden.size > 0 && hidden.has(labels[point]!)) continue;
      const entry = 4 * bytes[point]!;
      const left = Math.floor((u[i]! / 65536) * width);
      const top = Math.floor((v[i]! / 65536) * height);
      for (let y = top; y < Math.min(height, top + size); y++) {
        for (let x = left; x < Math.min(width, left + size); x++) {
          const at = 4 * (y * width + x);
          for (let channel = 0; channel < 3; channel++) {
            data[at + channel] = data[at + channel]! * (1 - alpha) + table[entry + channel]! * alpha;
          }
        }
      }
      painted += wanted;
    }
  }
  return painted;
}

function drawBoxes(
  context: CanvasRenderingContext2D,
  { boxes, width, height }: SceneImage,
  described: readonly SceneBox[],
): void {
  context.lineWidth = 1.5;
  boxes.forEach((ends, number) => {
    context.strokeStyle = `rgb(${boxColor(described[number]!).join(" ")})`;
    context.beginPath();
    for (let at = 0; at < ends.length; at += 4) {
      context.moveTo(ends[at]! * width, ends[at + 1]! * height);
      context.lineTo(ends[at + 2]! * width, ends[at + 3]! * height);
    }
    context.stroke();
  });
}

export interface CameraPanel {
  readonly root: HTMLElement;
  /** Points that are painted on a camera's image, and whether it marks the point under the pointer. */
  readonly painted: () => Readonly<Record<string, number>>;
  readonly marked: () => Readonly<Record<string, boolean>>;
  /** Resolves when the images of the scan that was asked for last are shown. */
  readonly shown: () => Promise<void>;
}

/** The images of the scan that is shown, side by side. */
export function cameraPanel(store: ScanStore, state: ViewState, colorist: Colorist): CameraPanel {
  const { cameras, scans } = store.index;
  const tiles = cameras.map((name) => new CameraTile(name, state));
  const slider = element("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.85 });
  slider.setAttribute("aria-label", "How strongly labels cover the images");
  const root = element(
    "section",
    { class: "cameras", "aria-label": "Cameras", "data-count": cameras.length },
    element("header", {}, element("h2", {}, "Cameras"), element("label", {}, "Labels ", slider)),
    element("div", { class: "tiles" }, ...tiles.map((tile) => tile.root)),
  );
  root.hidden = cameras.length === 0;
  let order = 0;
  let shown: Promise<void> = Promise.resolve();
  let isBoxed = state.showsBoxes.peek();
  const show = async (
    place: number,
    coloring: Coloring,
    palette: Palette,
    hidden: ReadonlySet<number>,
  ): Promise<void> => {
    const own = ++order;
    const { images, missing } = scans[place]!;
    const [scan, bitmaps] = await Promise.all([
      store.scan(place),
      Promise.all(images.map(({ image }) => store.image(image))),
    ]);
    if (own !== order) return;
    const colors = colorist.colors(scan, coloring, palette);
    tiles.forEach((tile, camera) => {
      const which = images.findIndex((image) => image.camera === camera);
      const look = { hidden, opacity: Number(slider.value) };
      if (which >= 0) tile.show(scan, which, bitmaps[which]!, colors, look);
      else {
        tile.showMissing(missing.find((each) => each.camera === camera)?.reason ?? "no image for this scan");
      }
    });
    markHovered();
  };
  const markHovered = (at = state.hovered.peek() ?? state.selected.peek()): void => {
    const point = at?.place === state.place.peek() ? at.point : undefined;
    for (const tile of tiles) tile.markPoint(point);
  };
  const update = (): void => {
    const { place, coloring, palette, hidden } = state;
    shown = show(place.value, coloring.value, palette.value, hidden.value);
  };
  effect(update);
  effect(() => {
    if (state.showsBoxes.value === isBoxed) return;
    isBoxed = state.showsBoxes.peek();
    update();
  });
  effect(() => {
    markHovered(state.hovered.value ?? state.selected.value);
  });
  slider.addEventListener("input", update);
  return {
    root,
    painted: () => Object.fromEntries(tiles.map((tile, camera) => [cameras[camera]!, tile.painted])),
    marked: () => Object.fromEntries(tiles.map((tile, camera) => [cameras[camera]!, tile.markShown])),
    shown: () => shown,
  };
}
