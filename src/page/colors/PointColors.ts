import { NO_CLASS } from "../../scene/packedScan.js";
import type { SceneIndex } from "../../scene/SceneIndex.js";
import type { LoadedScan } from "../LoadedScan.js";
import type { Coloring, Palette } from "../ViewState.js";
import { gradient } from "./gradients.js";
import { NO_CLASS_COLOR, safePalette, VERDICTS } from "./palettes.js";

/** Colours of a scan's points: of each point a byte, and of each byte a colour. */
export interface PointColors {
  /** [N] */
  readonly bytes: Uint8Array;
  /** [256, 4] red, green, blue, 255 */
  readonly table: Uint8Array;
}

/** Says which colour each point has; bytes are made once for a scan and a colouring. */
export class Colorist {
  readonly #index: SceneIndex;
  readonly #safe: readonly (readonly [number, number, number])[];
  readonly #bytes = new WeakMap<LoadedScan, Map<Coloring, Uint8Array>>();

  constructor(index: SceneIndex) {
    this.#index = index;
    this.#safe = safePalette(index.classes, index.scans);
  }

  /** Of a class. */
  classColor(slot: number, palette: Palette): readonly [number, number, number] {
    const color = palette === "safe" ? this.#safe[slot] : this.#index.classes[slot]?.color;
    return color ?? NO_CLASS_COLOR;
  }

  colors(scan: LoadedScan, coloring: Coloring, palette: Palette): PointColors {
    return { bytes: this.#bytesOf(scan, coloring), table: this.#table(scan, coloring, palette) };
  }

  /** Values at the two ends of the colours; undefined where colours are not of numbers. */
  range(coloring: Coloring): readonly [low: number, high: number] | undefined {
    if (coloring === "height") {
      const { ground, range } = this.#index;
      return [ground - 0.02 * range, ground + 0.12 * range];
    }
    const field = this.#index.fields[fieldOf(coloring) ?? -1];
    return field && [field.low, field.high];
  }

  #bytesOf(scan: LoadedScan, coloring: Coloring): Uint8Array {
    const made = this.#bytes.get(scan) ?? new Map<Coloring, Uint8Array>();
    this.#bytes.set(scan, made);
    const bytes = made.get(coloring) ?? this.#makeBytes(scan, coloring);
    made.set(coloring, bytes);
    return bytes;
  }

  #makeBytes({ packed, scan }: LoadedScan, coloring: Coloring): Uint8Array {
    const { labels, truth, positions } = packed;
    const field = fieldOf(coloring);
    if (field !== undefined) return packed.fields[field] ?? new Uint8Array(labels.length);
    switch (coloring) {
      case "height": {
        const [low, high] = this.range("height")!;
        const { origin, step } = scan.layout;
        return Uint8Array.from(labels, (_, point) => {
          const z = origin[2] + step * positions[3 * point + 2]!;
          return Math.min(255, Math.max(0, (255 * (z - low)) / (high - low)));
        });
      }
      case "verdict":
        if (truth === undefined) return new Uint8Array(labels.length).fill(2);
        return Uint8Array.from(labels, (label, point) => {
          const wanted = truth[point]!;
          return wanted === NO_CLASS ? 2 : wanted === label ? 1 : 0;
        });
      default:
        return labels;
    }
  }

  #table({ scan }: LoadedScan, coloring: Coloring, palette: Palette): Uint8Array {
    const field = fieldOf(coloring);
    if (field !== undefined) {
      const [low, high] = this.range(coloring)!;
      const [first, last] = scan.layout.fields[field] ?? [0, 0];
      return table((byte) => gradient((first + (byte / 255) * (last - first) - low) / (high - low || 1)));
    }
    switch (coloring) {
      case "height":
        return table((byte) => gradient(byte / 255));
      case "verdict":
        return table((byte) => (VERDICTS[byte] ?? VERDICTS[2]!).color);
      default:
        return table((slot) => this.classColor(slot, palette));
    }
  }
}

/** The number of the field that a colouring shows. */
function fieldOf(coloring: Coloring): number | undefined {
  return coloring.startsWith("field:") ? Number(coloring.slice("field:".length)) : undefined;
}

function table(color: (byte: number) => readonly [number, number, number]): Uint8Array {
  const entries = new Uint8Array(256 * 4);
  for (let byte = 0; byte < 256; byte++) entries.set([...color(byte), 255], 4 * byte);
  return entries;
}
