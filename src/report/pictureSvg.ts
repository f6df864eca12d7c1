import { fitText, textOutline, textWidth, type TextStyle } from "./textOutlines.js";
import type { ClassCount } from "./paintedClasses.js";

export const PAGE_COLOR = "#10141b";
export const VIEW_COLOR = "#090c11";
export const TEXT_COLOR = "#e8ecf2";
export const QUIET_COLOR = "#8b95a5";

/** Where a line of text begins, or ends with `end`. */
export interface TextPlace {
  readonly x: number;
  readonly baseline: number;
  readonly anchor?: "start" | "end";
  /** Pixels; longer text is cut. */
  readonly maxWidth?: number;
}

export function textSvg(text: string, style: TextStyle, color: string, place: TextPlace): string {
  const shown = place.maxWidth === undefined ? text : fitText(text, style, place.maxWidth);
  const x = place.anchor === "end" ? place.x - textWidth(shown, style) : place.x;
  return `<path fill="${color}" d="${textOutline(shown, style, x, place.baseline)}"/>`;
}

export interface LegendPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly columns: number;
  readonly rows: number;
}

export const LEGEND_ROW_HEIGHT = 24;

const COLUMN_GAP = 28;
const SWATCH = 12;
const NAME: TextStyle = { size: 14, weight: 400 };
const COUNT: TextStyle = { size: 14, weight: 600 };

/** Classes column by column with their colours and numbers of points; what finds no place is summed up at the end. */
export function legendSvg(present: readonly ClassCount[], place: LegendPlace): string {
  const { left, top, width, columns, rows } = place;
  const columnWidth = (width - COLUMN_GAP * (columns - 1)) / columns;
  return summedUp(present, rows * columns)
    .map(({ name, color, count }, entry) => {
      const x = left + Math.floor(entry / rows) * (columnWidth + COLUMN_GAP);
      const y = top + (entry % rows) * LEGEND_ROW_HEIGHT;
      const baseline = y + LEGEND_ROW_HEIGHT / 2 + 5;
      const number = formatCount(count);
      const nameLeft = x + SWATCH + 10;
      const nameWidth = columnWidth - SWATCH - 10 - 8 - textWidth(number, COUNT);
      return [
        swatchSvg(x, y + (LEGEND_ROW_HEIGHT - SWATCH) / 2, color),
        textSvg(name, NAME, TEXT_COLOR, { x: nameLeft, baseline, maxWidth: nameWidth }),
        textSvg(number, COUNT, QUIET_COLOR, { x: x + columnWidth, baseline, anchor: "end" }),
      ].join("");
    })
    .join("");
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

interface LegendEntry {
  readonly name: string;
  readonly color?: ClassCount["color"] | undefined;
  readonly count: number;
}

function summedUp(present: readonly ClassCount[], capacity: number): readonly LegendEntry[] {
  if (present.length <= capacity) return present;
  const rest = present.slice(capacity - 1);
  const count = rest.reduce((sum, entry) => sum + entry.count, 0);
  return [...present.slice(0, capacity - 1), { name: `${rest.length} more classes`, count }];
}

function swatchSvg(x: number, y: number, color: ClassCount["color"] | undefined): string {
  if (color === undefined) return "";
  return (
    `<rect x="${x}" y="${y}" width="${SWATCH}" height="${SWATCH}" rx="3" ` +
    `fill="rgb(${color.join(",")})" stroke="#fff" stroke-opacity="0.25"/>`
  );
}
