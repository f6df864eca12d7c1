import { boxOverlap } from "../geometry/boxOverlap.js";
import type { OrientedBox } from "../geometry/OrientedBox.js";
import type { BoxDetection } from "../messages/boxDetections.js";
import { averagePrecision, type ScanMatches } from "./averagePrecision.js";

/** A box that is there. */
export interface TrueBox extends OrientedBox {
  readonly className: string;
  /** Measured points within it. */
  readonly points: number;
}

/** A class of boxes and what true boxes of it are called. */
export interface BoxClass {
  readonly name: string;
  readonly of: readonly string[];
}

export interface BoxScoringOptions {
  /** Absent: each class that found or true boxes have, by its name. */
  readonly classes?: readonly BoxClass[];
  /** Boxes with fewer measured points need not be found. */
  readonly smallestPoints: number;
  /** x, y, z minimum, then maximum, metres: boxes whose centres are outside need not be found. */
  readonly pointRange?: readonly [number, number, number, number, number, number];
}

/** AP of a class, 0 to 1; undefined where no box of it had to be found. */
export interface BoxClassScores {
  readonly name: string;
  /** That had to be found. */
  readonly boxes: number;
  readonly ap25: number | undefined;
  readonly ap50: number | undefined;
}

/** How well boxes are found over scans; Python scores likewise in `training/ditr_train/evaluation/detection.py`. */
export class BoxScores {
  readonly #options: BoxScoringOptions;
  readonly #scans: (readonly [found: readonly BoxDetection[], there: readonly TrueBox[]])[] = [];

  constructor(options: BoxScoringOptions) {
    this.#options = options;
  }

  /** Both in the frame of the scan's points. */
  add(found: readonly BoxDetection[], there: readonly TrueBox[]): void {
    this.#scans.push([found, there]);
  }

  get smallestPoints(): number {
    return this.#options.smallestPoints;
  }

  get scans(): number {
    return this.#scans.length;
  }

  classScores(): BoxClassScores[] {
    return this.#classes().map((entry) => {
      const scans = this.#scans.map(([found, there]) => this.#matches(entry, found, there));
      return {
        name: entry.name,
        boxes: scans.reduce((sum, { counted }) => sum + counted.filter(Boolean).length, 0),
        ap25: averagePrecision(scans, 0.25),
        ap50: averagePrecision(scans, 0.5),
      };
    });
  }

  #classes(): readonly BoxClass[] {
    const { classes } = this.#options;
    if (classes !== undefined) return classes;
    const names = this.#scans.flatMap((scan) => scan.flatMap((boxes) => boxes.map((box) => box.className)));
    return [...new Set(names)].sort().map((name) => ({ name, of: [name] }));
  }

  #matches({ name, of }: BoxClass, found: readonly BoxDetection[], there: readonly TrueBox[]): ScanMatches {
    const ours = found.filter(({ className }) => className === name);
    const theirs = there.filter(({ className }) => of.includes(className));
    return {
      scores: ours.map(({ score }) => score),
      overlaps: ours.map(({ box }) => theirs.map((other) => boxOverlap(box, other))),
      counted: theirs.map((box) => this.#counts(box)),
    };
  }

  #counts({ center, points }: TrueBox): boolean {
    const { pointRange, smallestPoints } = this.#options;
    const isWithin =
      pointRange === undefined ||
      center.every((value, axis) => value >= pointRange[axis]! && value < pointRange[axis + 3]!);
    return isWithin && points >= smallestPoints;
  }
}

/** Of the classes that have boxes; undefined where none has. */
export function meanOf(scores: readonly BoxClassScores[], measure: "ap25" | "ap50"): number | undefined {
  const known = scores.flatMap((row) => row[measure] ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
