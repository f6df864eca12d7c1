import { projectToView, type ScanView } from "./scanViews.js";

const LINE = 'fill="none" stroke="#2a3342" stroke-width="1.2"';
const DEGREE = Math.PI / 180;

/** Metres between the rings of a view that is made for `range`. */
export function ringSpacing(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 3));
  return power * [5, 2, 1].find((factor) => factor * power <= range / 3)!;
}

/** Rings around the sensor on the ground, its axes, and an arrow that points forward; `ground` is a z in metres. */
export function groundSvg(view: ScanView, range: number, ground: number): string {
  const spacing = ringSpacing(range);
  const parts: string[] = [];
  for (let radius = spacing; radius <= range * 2; radius += spacing) {
    const circle = Array.from({ length: 181 }, (_, step) => {
      const angle = 2 * step * DEGREE;
      return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
    });
    parts.push(`<path ${LINE} d="${groundPath(view, ground, circle)}"/>`);
  }
  const reach = 2 * range;
  for (const [x, y] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const axis = Array.from({ length: 81 }, (_, step) => {
      const along = (step / 40 - 1) * reach;
      return [along * x, along * y] as const;
    });
    parts.push(`<path ${LINE} d="${groundPath(view, ground, axis)}"/>`);
  }
  const size = range * 0.03;
  const arrow = [
    [1.2, 0],
    [-1, 0.8],
    [-0.5, 0],
    [-1, -0.8],
    [1.2, 0],
  ] as const;
  const outline = arrow.map(([x, y]) => [x * size, y * size] as const);
  parts.push(`<path fill="#e8ecf2" d="${groundPath(view, ground, outline)}"/>`);
  return parts.join("");
}

/** A line through (x, y) places on the ground, broken where it goes behind the viewer. */
function groundPath(view: ScanView, ground: number, line: readonly (readonly [number, number])[]): string {
  let path = "";
  let isDrawing = false;
  for (const [x, y] of line) {
    const place = projectToView(view, x, y, ground);
    if (place !== undefined) path += `${isDrawing ? "L" : "M"}${place[0].toFixed(1)} ${place[1].toFixed(1)}`;
    isDrawing = place !== undefined;
  }
  return path;
}
