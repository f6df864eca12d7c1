import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { boxOverlap } from "../geometry/boxOverlap.js";
import type { BoxDetection } from "../messages/boxDetections.js";
import { averagePrecision, type ScanMatches } from "./averagePrecision.js";
import { BoxScores, meanOf, type TrueBox } from "./BoxScores.js";

function scan(
  scores: readonly number[],
  overlaps: readonly (readonly number[])[],
  counted = overlaps[0]!.map(() => true),
): ScanMatches {
  return { scores, overlaps, counted };
}

describe("average precision by hand", () => {
  test("right, wrong, right of four: the envelope is 1, then 2/3", () => {
    const one = scan(
      [0.9, 0.8, 0.7],
      [
        [0.6, 0, 0, 0],
        [0.1, 0, 0, 0],
        [0, 0.6, 0, 0],
      ],
    );
    expect(averagePrecision([one], 0.5)).toBeCloseTo((1 / 4) * 1 + (1 / 4) * (2 / 3), 12);
  });

  test("a second box on the same object is wrong even near another", () => {
    const one = scan(
      [0.9, 0.8],
      [
        [0.9, 0.3],
        [0.8, 0.6],
      ],
    );
    expect(averagePrecision([one], 0.5)).toBeCloseTo(1 / 2, 12);
  });

  test("scores order the boxes of all scans together", () => {
    // Wrong, right, right of two.
    const scans = [scan([0.2, 0.9], [[0.9], [0.1]]), scan([0.5], [[0.6]])];
    expect(averagePrecision(scans, 0.25)).toBeCloseTo(2 / 3, 12);
  });

  test("the overlap has to be more than the threshold", () => {
    expect(averagePrecision([scan([1], [[0.25]])], 0.25)).toBe(0);
  });

  test("boxes that need not be found count neither way", () => {
    const one = scan(
      [0.9, 0.8, 0.7],
      [
        [0, 0.9],
        [0.6, 0.9],
        [0, 0.1],
      ],
      [true, false],
    );
    expect(averagePrecision([one], 0.5)).toBe(1);
    expect(averagePrecision([scan([0.9], [[0.9]], [false])], 0.5)).toBeUndefined();
  });
});

const NAMES = ["car", "person"];

/** Random boxes, many of which overlap one that is there; the same for the same seed. */
class Made {
  #state: number;
  /** scan, class, score, box */
  readonly found: number[][] = [];
  /** scan, class, points, box */
  readonly there: number[][] = [];

  constructor(seed: number, scans: number) {
    this.#state = seed;
    for (let index = 0; index < scans; index++) {
      for (let box = 0; box < 6; box++) {
        const place = [this.#between(-45, 45), this.#between(-45, 45), this.#between(-1, 1)];
        const size = [this.#between(1, 5), this.#between(1, 3), this.#between(1, 2)];
        const yaw = this.#between(-Math.PI, Math.PI);
        const kind = Math.floor(this.#between(0, 2));
        this.there.push([index, kind, Math.floor(this.#between(0, 12)), ...place, ...size, yaw]);
        for (let guess = Math.floor(this.#between(0, 3)); guess > 0; guess--) {
          const near = place.map((value) => value + this.#between(-0.35, 0.35));
          const like = size.map((value) => value * this.#between(0.9, 1.1));
          const score = Math.fround(this.#between(0, 1));
          const numbers = [...near, ...like, yaw + this.#between(-0.3, 0.3)].map(Math.fround);
          this.found.push([index, this.#between(0, 1) < 0.8 ? kind : 1 - kind, score, ...numbers]);
        }
      }
    }
  }

  #between(low: number, high: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * this.#state) / 2 ** 32;
  }
}

function boxOf(row: readonly number[]): BoxDetection["box"] {
  const [x, y, z, length, width, height, yaw] = row.slice(3) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { center: [x, y, z], size: [length, width, height], yaw };
}

function array(rows: readonly (readonly number[])[]): { data: Float64Array; shape: readonly number[] } {
  return { data: Float64Array.from(rows.flat()), shape: [rows.length, rows[0]!.length] };
}

describeWithPython("scores of boxes against Python's evaluation", () => {
  test("AP25 and AP50 per class and in the mean, and the overlaps that they are made of", () => {
    const scans = 8;
    const { found, there } = new Made(5, scans);
    const reference = runReference(
      "box_scores.py",
      { found: array(found), there: array(there) },
      { scans, changes: ["detection.smallest_points=3"] },
    );
    const scores = new BoxScores({
      classes: NAMES.map((name) => ({ name, of: [name] })),
      smallestPoints: 3,
      // Of test/reference/boxes.yaml.
      pointRange: [-40, -40, -6, 40, 40, 10],
    });
    for (let index = 0; index < scans; index++) {
      const of = (rows: number[][]): number[][] => rows.filter(([which]) => which === index);
      scores.add(
        of(found).map((row): BoxDetection => ({
          box: boxOf(row),
          className: NAMES[row[1]!]!,
          score: row[2]!,
        })),
        of(there).map((row): TrueBox => ({ ...boxOf(row), className: NAMES[row[1]!]!, points: row[2]! })),
      );
    }
    const classes = scores.classScores();
    const numbers = classes.flatMap(({ boxes, ap25, ap50 }) => [boxes, ap25!, ap50!]);
    numbers.forEach((value, index) => {
      expect(value).toBeCloseTo(Number(reference["classes"]!.data[index]), 9);
    });
    for (const [index, measure] of (["ap25", "ap50"] as const).entries()) {
      expect(meanOf(classes, measure)).toBeCloseTo(Number(reference["means"]!.data[index]), 9);
    }
    // Some are found and some are not, by either measure, and some boxes need not be found.
    for (const { boxes, ap25, ap50 } of classes) {
      expect(boxes).toBeLessThan(there.length / 2);
      expect(ap50).toBeGreaterThan(0.05);
      expect(ap25).toBeGreaterThan(ap50!);
      expect(ap25).toBeLessThan(0.95);
    }
    const differences = found.flatMap((one, row) =>
      there.map((other, column) =>
        Math.abs(
          boxOverlap(boxOf(one), boxOf(other)) -
            Number(reference["overlaps"]!.data[row * there.length + column]),
        ),
      ),
    );
    expect(Math.max(...differences)).toBeLessThan(1e-9);
  });
});

test("without classes of a model, those are scored that boxes have", () => {
  const scores = new BoxScores({ smallestPoints: 1 });
  const box = { center: [0, 0, 0], size: [4, 2, 1.5], yaw: 0 } as const;
  scores.add(
    [{ box, className: "car", score: 0.5 }],
    [
      { ...box, className: "car", points: 9 },
      { ...box, className: "bus", points: 9 },
    ],
  );
  expect(scores.classScores()).toEqual([
    { name: "bus", boxes: 1, ap25: 0, ap50: 0 },
    { name: "car", boxes: 1, ap25: 1, ap50: 1 },
  ]);
});
