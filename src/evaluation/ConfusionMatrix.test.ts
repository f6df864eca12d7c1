import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { ConfusionMatrix } from "./ConfusionMatrix.js";
import { IGNORED, LabelTable } from "./LabelTable.js";
import { ModeConfusion } from "./ModeConfusion.js";

const UNLABELED = 255;
const tables = {
  predicted: LabelTable.identity(3, [UNLABELED]),
  truth: LabelTable.identity(3, [UNLABELED]),
};

function exampleMatrix(): ConfusionMatrix {
  const matrix = new ConfusionMatrix(["road", "car", "tree"]);
  const truth = Uint8Array.of(0, 0, 0, 1, 1, UNLABELED);
  const predicted = Uint16Array.of(0, 0, 1, 1, UNLABELED, 0);
  matrix.add(predicted, truth, tables);
  return matrix;
}

describe("ConfusionMatrix", () => {
  test("counts truth in rows and predictions in columns, leaves out points without truth", () => {
    const matrix = exampleMatrix();
    expect([...matrix.toCounts()]).toEqual([2, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    expect(matrix.points).toBe(5);
    expect(matrix.count(0, 1)).toBe(1);
    expect(matrix.count(1, undefined)).toBe(1);
  });

  test("a point that got no label is a miss of its class and nobody's false alarm", () => {
    expect(exampleMatrix().classScores()).toEqual([
      { name: "road", iou: 2 / 3, precision: 1, recall: 2 / 3, truthPoints: 3, predictedPoints: 2 },
      { name: "car", iou: 1 / 3, precision: 1 / 2, recall: 1 / 2, truthPoints: 2, predictedPoints: 2 },
      {
        name: "tree",
        iou: undefined,
        precision: undefined,
        recall: undefined,
        truthPoints: 0,
        predictedPoints: 0,
      },
    ]);
  });

  test("means over the present classes and over all classes are told apart", () => {
    const matrix = exampleMatrix();
    expect(matrix.meanIou("present")).toBeCloseTo((2 / 3 + 1 / 3) / 2, 12);
    expect(matrix.meanIou("all")).toBeCloseTo((2 / 3 + 1 / 3) / 3, 12);
    expect(matrix.meanAccuracy()).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12);
    expect(matrix.overallAccuracy()).toBeCloseTo(3 / 5, 12);
  });

  test("a class that is only predicted is present, with an IoU of 0", () => {
    const matrix = exampleMatrix();
    matrix.add(Uint8Array.of(2), Uint8Array.of(0), tables);
    expect(matrix.classScores()[2]).toMatchObject({ iou: 0, precision: 0, recall: undefined });
    expect(matrix.meanIou("present")).toBeCloseTo((2 / 4 + 1 / 3 + 0) / 3, 12);
    expect(matrix.meanIou("truth")).toBeCloseTo((2 / 4 + 1 / 3) / 2, 12);
    const kinds = ["present", "truth", "all"] as const;
    expect(kinds.map((kind) => matrix.classesOfMean(kind))).toEqual([3, 2, 3]);
    expect(kinds.map((kind) => exampleMatrix().classesOfMean(kind))).toEqual([2, 2, 3]);
  });

  test("without points there are no scores", () => {
    const matrix = new ConfusionMatrix(["road"]);
    expect(matrix.meanIou("present")).toBeUndefined();
    expect(matrix.meanIou("all")).toBe(0);
    expect(matrix.meanAccuracy()).toBeUndefined();
    expect(matrix.overallAccuracy()).toBeUndefined();
  });

  test("refuses different lengths and unknown ids, and then has added nothing", () => {
    const matrix = exampleMatrix();
    const before = matrix.toCounts();
    expect(() => {
      matrix.add(new Uint8Array(3), new Uint8Array(4), tables);
    }).toThrow("there are 3 predicted labels for 4 true labels");
    expect(() => {
      matrix.add(Uint8Array.of(0, 0), Uint8Array.of(0, 7), tables);
    }).toThrow("label 7 is not in the label map");
    expect(() => {
      matrix.add(Uint32Array.of(0, 70_000), Uint8Array.of(0, UNLABELED), tables);
    }).toThrow("label 70000 is not in the label map");
    expect(() => {
      matrix.add(Int32Array.of(-1), Uint8Array.of(0), tables);
    }).toThrow("label -1 is not in the label map");
    expect(matrix.toCounts()).toEqual(before);
  });

  test("refuses tables and matrices of other classes", () => {
    const matrix = new ConfusionMatrix(["road"]);
    expect(() => {
      matrix.add(Uint8Array.of(0), Uint8Array.of(0), tables);
    }).toThrow("the predicted table has class 2 of 1");
    expect(() => {
      matrix.merge(exampleMatrix());
    }).toThrow("classes [road, car, tree] cannot be added to [road]");
  });
});

describe("LabelTable", () => {
  test.each([-1, 1.5, 65_536])("refuses the id %p", (id) => {
    expect(() => new LabelTable([[id, 0]])).toThrow(`label id ${id} is not a whole number from 0 to 65535`);
  });

  test("an empty table knows no id", () => {
    expect(() => new LabelTable([]).classIndexOf(0)).toThrow("label 0 is not in the label map");
  });
});

describe("ModeConfusion", () => {
  test("keeps the modes apart and adds them up", () => {
    const confusion = new ModeConfusion(["road", "car", "tree"]);
    confusion.add("fused", Uint8Array.of(0, 1), Uint8Array.of(0, 1), tables);
    confusion.add("image-free", Uint8Array.of(0, 1), Uint8Array.of(1, 0), tables);
    expect(confusion.of("fused").overallAccuracy()).toBe(1);
    expect(confusion.of("image-free").overallAccuracy()).toBe(0);
    expect(confusion.total().overallAccuracy()).toBe(0.5);
    expect(confusion.of("fused").points).toBe(2);
  });
});

describeWithPython("ConfusionMatrix against NumPy", () => {
  test("counts and scores of random labels under a learning map are equal", () => {
    const classes = 6;
    // Like SemanticKITTI's: several ids per class, ignored ids, a class that never occurs (5).
    const truthMap = { 0: IGNORED, 1: IGNORED, 10: 0, 40: 1, 44: 1, 70: 2, 252: 0, 253: 3, 259: 4 };
    const predictedMap = { 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, [UNLABELED]: IGNORED };
    const draw = (ids: object, seed: number) =>
      fc.sample(fc.constantFrom(...Object.keys(ids).map(Number)), { seed, numRuns: 20_000 });
    const truth = Uint32Array.from(draw(truthMap, 1));
    // Half of the predictions are right.
    const predicted = Int32Array.from(draw(predictedMap, 2), (id, point) => {
      const index = truthMap[truth[point]! as keyof typeof truthMap];
      return point % 2 === 0 && index !== IGNORED ? index : id;
    });

    const entries = (map: object) =>
      Object.entries(map).map(([id, index]) => [Number(id), index as number] as const);
    const matrix = new ConfusionMatrix(Array.from({ length: classes }, (_, index) => `class ${index}`));
    matrix.add(predicted, truth, {
      predicted: new LabelTable(entries(predictedMap)),
      truth: new LabelTable(entries(truthMap)),
    });
    const reference = runReference(
      "confusion_scores.py",
      {
        truth: { data: truth, shape: [truth.length] },
        predicted: { data: predicted, shape: [predicted.length] },
      },
      { classes, truth_map: truthMap, predicted_map: predictedMap },
    );

    expect(matrix.toCounts()).toEqual(reference["counts"]!.data);
    const scores = matrix.classScores();
    for (const name of ["iou", "precision", "recall"] as const) {
      expectAllClose(
        scores.map((row) => row[name] ?? NaN),
        reference[name]!.data,
      );
    }
    expect(scores[5]!.iou).toBeUndefined();
    expectAllClose(
      [matrix.meanIou("present")!, matrix.meanIou("all")!, matrix.meanAccuracy()!, matrix.overallAccuracy()!],
      reference["means"]!.data,
    );
  });
});

function expectAllClose(actual: readonly number[], expected: Iterable<number | bigint>): void {
  const numbers = Array.from(expected, Number);
  expect(actual).toHaveLength(numbers.length);
  actual.forEach((value, index) => {
    if (Number.isNaN(numbers[index])) expect(value).toBeNaN();
    else expect(value).toBeCloseTo(numbers[index]!, 12);
  });
}
