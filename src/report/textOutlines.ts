import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import opentype, { type Font } from "opentype.js";

export type TextWeight = 400 | 600;

export interface TextStyle {
  /** Pixels from one line to the next, as CSS font-size. */
  readonly size: number;
  readonly weight: TextWeight;
}

const ELLIPSIS = "…";
const fonts = new Map<TextWeight, Font>();

/**
 * Text as the `d` of an SVG path in the Inter typeface, its first glyph at `x` and standing on `baseline`. Outlines
 * need no font of the system, of which robots and containers often have none. Glyphs are set one after the other
 * without kerning or substitution: opentype.js does not know all of Inter's substitution tables and throws on them.
 */
export function textOutline(text: string, style: TextStyle, x: number, baseline: number): string {
  const font = loadFont(style.weight);
  let pen = x;
  let path = "";
  for (const character of text) {
    const glyph = font.charToGlyph(character);
    path += glyph.getPath(pen, baseline, style.size).toPathData(2);
    pen += advance(font, character, style);
  }
  return path;
}

/** Pixels from the first glyph's origin to where the next text would begin. */
export function textWidth(text: string, style: TextStyle): number {
  const font = loadFont(style.weight);
  let width = 0;
  for (const character of text) width += advance(font, character, style);
  return width;
}

/** The text, or its beginning and an ellipsis where it is wider than `width` pixels. */
export function fitText(text: string, style: TextStyle, width: number): string {
  if (textWidth(text, style) <= width) return text;
  let kept = text;
  do kept = kept.slice(0, -1);
  while (kept !== "" && textWidth(kept + ELLIPSIS, style) > width);
  return kept.trimEnd() + ELLIPSIS;
}

function advance(font: Font, character: string, { size }: TextStyle): number {
  return ((font.charToGlyph(character).advanceWidth ?? 0) * size) / font.unitsPerEm;
}

function loadFont(weight: TextWeight): Font {
  const known = fonts.get(weight);
  if (known !== undefined) return known;
  const require = createRequire(import.meta.url);
  const bytes = readFileSync(require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff`));
  // parse() takes a whole ArrayBuffer, and small files share theirs.
  const font = opentype.parse(Uint8Array.from(bytes).buffer);
  fonts.set(weight, font);
  return font;
}
