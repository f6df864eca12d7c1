import { GROUND_TRUTH_FIELD } from "../../bag/importers/dataset/groundTruth.js";
import { pointCount } from "../../messages/pointCloud2.js";
import { hasField, readColumn } from "../../messages/pointColumns.js";
import type { PointCloud2 } from "../../messages/types.js";
import type { SceneField } from "../../scene/SceneIndex.js";
import { quantile, quantizeField } from "./quantize.js";

/** Shown in other ways. */
const OTHERWISE = new Set(["x", "y", "z", "label", "rgb", "rgba", GROUND_TRUTH_FIELD]);
/** More fields than this are left out: each is one byte a point. */
const MOST_FIELDS = 8;
/** Come first, when a cloud has them. */
const FIRST = ["confidence", "entropy", "intensity", "reflectivity", "ring"];
/** The colours of these have the same ends in all pages. */
const KNOWN_RANGES: Readonly<Record<string, readonly [number, number]>> = { confidence: [0, 1] };

/** A scan's values, as `packScan` takes them, with the range that each was quantized in. */
export interface FieldColumns {
  readonly values: readonly (Uint8Array | undefined)[];
  readonly ranges: readonly (readonly [low: number, high: number] | null)[];
}

/** The numbers that points carry beside their places: which there are, and what their colours span. */
export class SceneFields {
  #names: readonly string[] | undefined;
  #leftOut: readonly string[] = [];
  readonly #samples = new Map<string, Float64Array[]>();

  /** Of the points `kept` of the cloud; the first cloud decides which fields there are. */
  columns(cloud: PointCloud2, kept: Uint32Array): FieldColumns {
    const names = (this.#names ??= this.#choose(cloud));
    const values: (Uint8Array | undefined)[] = [];
    const ranges: (readonly [number, number] | null)[] = [];
    for (const name of names) {
      if (!hasField(cloud, name)) {
        values.push(undefined);
        ranges.push(null);
        continue;
      }
      const column = readColumn(cloud, name, new Float64Array(pointCount(cloud)));
      const quantized = quantizeField(column, kept);
      values.push(quantized.values);
      ranges.push(quantized.range);
      this.#samples.set(name, [...(this.#samples.get(name) ?? []), quantized.sample]);
    }
    return { values, ranges };
  }

  /** Names of fields that were too many. */
  get leftOut(): readonly string[] {
    return this.#leftOut;
  }

  /** With what their colours span in all scans so far: nearly all values. */
  all(): SceneField[] {
    return (this.#names ?? []).map((name) => {
      const known = KNOWN_RANGES[name];
      if (known !== undefined) return { name, low: known[0], high: known[1] };
      const sorted = Float64Array.from((this.#samples.get(name) ?? []).flatMap((part) => [...part])).sort();
      if (sorted.length === 0) return { name, low: 0, high: 1 };
      return { name, low: quantile(sorted, 0.02), high: quantile(sorted, 0.98) };
    });
  }

  #choose({ fields }: PointCloud2): readonly string[] {
    const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
    const names = fields
      .map(({ name }) => name)
      .filter((name) => !OTHERWISE.has(name))
      .sort((a, b) => rank(a) - rank(b));
    this.#leftOut = names.slice(MOST_FIELDS);
    return names.slice(0, MOST_FIELDS);
  }
}
