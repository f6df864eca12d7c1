import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import type { TransformStamped } from "../messages/types.js";
import { TransformBuffer } from "./TransformBuffer.js";
import { TransformFault, type TransformFaultReason } from "./TransformFault.js";

const SECOND = 1_000_000_000n;

function transform(
  parent: string,
  child: string,
  stamp: bigint,
  translation: TransformStamped["translation"] = [0, 0, 0],
  rotation: TransformStamped["rotation"] = [0, 0, 0, 1],
): TransformStamped {
  return { header: { stamp, frameId: parent }, childFrameId: child, translation, rotation };
}

function bufferOf(dynamic: TransformStamped[], fixed: TransformStamped[] = []): TransformBuffer {
  const buffer = new TransformBuffer();
  buffer.add({ transforms: dynamic }, false);
  buffer.add({ transforms: fixed }, true);
  return buffer;
}

/** Rotation about z with a translation, column-major. */
function planar(angle: number, x: number, y: number): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c, s, 0, 0, -s, c, 0, 0, 0, 0, 1, 0, x, y, 0, 1];
}

function expectMatrix(actual: Float64Array, expected: ArrayLike<number>): void {
  const largest = Math.max(...Array.from(actual, (value, i) => Math.abs(value - expected[i]!)));
  expect(largest).toBeLessThan(1e-9);
}

function reasonOf(lookup: () => unknown): TransformFaultReason {
  try {
    lookup();
  } catch (error) {
    if (error instanceof TransformFault) return error.reason;
    throw error;
  }
  throw new Error("the lookup had an answer");
}

/** The scenarios of geometry2's test_tf2/test/buffer_core_test.cpp. */
describe("TransformBuffer as tf2::BufferCore", () => {
  const STAMP = 4000n * SECOND;
  const EPSILONS = [0n, -1n, 1n, -1_000_000n, 1_000_000n];

  test("one link forwards and backwards", () => {
    const buffer = bufferOf([
      transform("a", "b", STAMP, [1, 0, 0]),
      transform("a", "b", STAMP + SECOND, [1, 0, 0]),
    ]);
    for (const epsilon of EPSILONS.filter((value) => value >= 0n)) {
      expectMatrix(buffer.lookup("a", "b", STAMP + epsilon), planar(0, 1, 0));
      expectMatrix(buffer.lookup("b", "a", STAMP + epsilon), planar(0, -1, 0));
      expectMatrix(buffer.lookup("a", "a", STAMP + epsilon), planar(0, 0, 0));
    }
  });

  test("trees of the shapes i, y and v", () => {
    const links = (pairs: readonly [string, string][]) =>
      pairs.flatMap(([parent, child]) => [
        transform(parent, child, STAMP - SECOND, [1, 0, 0]),
        transform(parent, child, STAMP + SECOND, [1, 0, 0]),
      ]);
    // prettier-ignore
    const buffer = bufferOf(links([["a", "b"], ["b", "c"], ["c", "d"], ["b", "f"], ["f", "g"], ["a", "h"]]));
    const depth: Record<string, number> = { a: 0, b: 1, c: 2, d: 3, f: 2, g: 3, h: 1 };
    for (const [source, sourceDepth] of Object.entries(depth)) {
      for (const [target, targetDepth] of Object.entries(depth)) {
        for (const epsilon of EPSILONS) {
          const found = buffer.lookup(target, source, STAMP + epsilon);
          expectMatrix(found, planar(0, sourceDepth - targetDepth, 0));
        }
      }
    }
  });

  test("a ring of eight links of 45 degrees comes back to its start", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    const eighth = Math.PI / 4;
    const buffer = bufferOf(
      names.slice(1).flatMap((child, index) => {
        const rotation = [0, 0, Math.sin(eighth / 2), Math.cos(eighth / 2)] as const;
        const translation = [Math.SQRT1_2 - 1, Math.SQRT1_2, 0] as const;
        const parent = names[index]!;
        return [-SECOND, SECOND].map((d) => transform(parent, child, STAMP + d, translation, rotation));
      }),
    );
    for (const [source, from] of names.entries()) {
      for (const [target, to] of names.entries()) {
        const angle = (source - target) * eighth;
        const found = buffer.lookup(to, from, STAMP);
        expectMatrix(found, planar(angle, Math.cos(angle) - 1, Math.sin(angle)));
      }
    }
  });

  test("a frame is where it is, whether or not anything is known of it", () => {
    const buffer = new TransformBuffer();
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    expect([...buffer.lookup("/lidar", "lidar", SECOND)]).toEqual(identity);
    expect([...buffer.lookupThrough("lidar", SECOND, "lidar", 2n * SECOND, "lidar")]).toEqual(identity);
  });

  test("unknown frames, separate trees, and frames in a tree that has no data for the time", () => {
    const empty = new TransformBuffer();
    expect(reasonOf(() => empty.lookup("a", "b", SECOND))).toBe("unknown-frame");
    expect(() => empty.lookup("a", "b", SECOND)).toThrow('named the frame "a" (known: none)');
    const buffer = bufferOf([transform("foo", "child", SECOND), transform("other", "lone", SECOND)]);
    expect(reasonOf(() => buffer.lookup("foo", "bar", SECOND))).toBe("unknown-frame");
    expect(reasonOf(() => buffer.lookup("lone", "child", SECOND))).toBe("not-connected");
    expect(() => buffer.lookup("lone", "child", SECOND)).toThrow('under "foo" and "other"');
  });

  test("nothing is extrapolated, and each way of failing says what there is", () => {
    const buffer = bufferOf([
      transform("odom", "base", 10n * SECOND),
      transform("odom", "base", 12n * SECOND, [2, 0, 0]),
      transform("odom", "once", 11n * SECOND),
    ]);
    expect(reasonOf(() => buffer.lookup("odom", "base", 12n * SECOND + 1n))).toBe("extrapolation-future");
    expect(reasonOf(() => buffer.lookup("base", "odom", 10n * SECOND - 1n))).toBe("extrapolation-past");
    expect(reasonOf(() => buffer.lookup("odom", "once", 12n * SECOND))).toBe("one-sample");
    expect(() => buffer.lookup("odom", "base", 12n * SECOND + 1n)).toThrow(
      'no transform from "base" to "odom" at 12.000000001 s: extrapolation into the future, ' +
        'the latest sample of "base" is at 12.000000000 s, ',
    );
    expectMatrix(buffer.lookup("once", "base", 11n * SECOND), planar(0, 1, 0));
  });

  test("a gap above the common ancestor does not matter", () => {
    const buffer = bufferOf(
      [transform("map", "odom", SECOND)],
      [transform("odom", "left", 0n, [0, 1, 0]), transform("odom", "right", 0n, [0, -1, 0])],
    );
    expectMatrix(buffer.lookup("left", "right", 99n * SECOND), planar(0, 0, -2));
    expect(reasonOf(() => buffer.lookup("map", "right", 99n * SECOND))).toBe("one-sample");
  });

  test("static transforms hold at any time and survive clear, dynamic ones do not", () => {
    const buffer = bufferOf(
      [transform("a", "b", SECOND), transform("a", "b", 2n * SECOND)],
      [transform("b", "c", SECOND, [0, 0, 3])],
    );
    buffer.lookup("a", "c", SECOND);
    buffer.clear();
    expect(buffer.lookup("b", "c", 0n)[14]).toBe(3);
    expect(reasonOf(() => buffer.lookup("a", "b", SECOND))).toBe("not-connected");
    expect(buffer.add({ transforms: [transform("a", "b", 0n, [7, 0, 0])] }, false)).toBe(0);
    expect(buffer.lookup("a", "b", 0n)[12]).toBe(7);
  });

  test("who becomes static starts anew", () => {
    const buffer = bufferOf([transform("foo", "bar", SECOND)], [transform("foo", "bar", SECOND, [1, 0, 0])]);
    expect(buffer.lookup("foo", "bar", 2n * SECOND)[12]).toBe(1);
  });

  test("keeps the cache length and counts what is older", () => {
    const buffer = new TransformBuffer({ cacheLength: 10n * SECOND });
    const add = (stamp: bigint) => buffer.add({ transforms: [transform("a", "b", stamp)] }, false);
    for (let second = 0n; second <= 300n; second++) expect(add(second * SECOND)).toBe(0);
    buffer.lookup("a", "b", 290n * SECOND);
    expect(reasonOf(() => buffer.lookup("a", "b", 290n * SECOND - 1n))).toBe("extrapolation-past");
    expect(add(290n * SECOND - 1n)).toBe(1);
    expect(add(290n * SECOND + 1n)).toBe(0);
  });

  test("samples may come in any order; of equal stamps the first counts", () => {
    const buffer = new TransformBuffer();
    for (const [stamp, x] of [
      [3n, 3],
      [1n, 1],
      [2n, 5],
      [2n, 9],
      [0n, 0],
    ] as const) {
      buffer.add({ transforms: [transform("a", "b", stamp * SECOND, [x, 0, 0])] }, false);
    }
    const at = (stamp: bigint) => buffer.lookup("a", "b", stamp)[12];
    expect([0n, 1n, 2n, 3n].map((stamp) => at(stamp * SECOND))).toEqual([0, 1, 5, 3]);
    expect(at(SECOND + SECOND / 2n)).toBe(3);
  });

  test("between two samples with different parents the older parent holds", () => {
    const buffer = bufferOf(
      [transform("left", "cup", SECOND, [1, 0, 0]), transform("right", "cup", 3n * SECOND, [2, 0, 0])],
      [transform("table", "left", 0n, [10, 0, 0]), transform("table", "right", 0n, [20, 0, 0])],
    );
    expect(buffer.lookup("table", "cup", 2n * SECOND)[12]).toBe(11);
    expect(buffer.lookup("table", "cup", 3n * SECOND)[12]).toBe(22);
  });

  test("latest is the newest time that the whole way is known", () => {
    const buffer = bufferOf(
      [
        ...[0n, 5n].map((s) => transform("odom", "base", s * SECOND, [Number(s), 0, 0])),
        ...[0n, 8n].map((s) => transform("base", "arm", s * SECOND, [0, Number(s), 0])),
      ],
      [transform("arm", "hand", 0n)],
    );
    expectMatrix(buffer.lookup("odom", "hand", "latest"), planar(0, 5, 5));
    expectMatrix(buffer.lookup("base", "hand", "latest"), planar(0, 0, 8));
    expectMatrix(buffer.lookup("arm", "hand", "latest"), planar(0, 0, 0));
  });

  test("through a fixed frame at two times: what stood still moves in the robot's eyes", () => {
    const buffer = bufferOf(
      [transform("odom", "base", 0n), transform("odom", "base", SECOND, [10, 0, 0])],
      [transform("base", "camera", 0n, [1, 0, 0]), transform("base", "lidar", 0n, [0, 0, 2])],
    );
    const found = buffer.lookupThrough("camera", SECOND / 2n, "lidar", SECOND / 4n, "odom");
    expect([found[12], found[13], found[14]]).toEqual([2.5 - 5 - 1, 0, 2]);
    expect(reasonOf(() => buffer.lookupThrough("camera", 2n * SECOND, "lidar", 0n, "odom"))).toBe(
      "extrapolation-future",
    );
  });

  test("a leading slash makes no other frame", () => {
    const buffer = bufferOf([], [transform("/a", "/b", 0n, [1, 2, 3])]);
    expect(buffer.lookup("a", "/b", 0n)[14]).toBe(3);
    expect(buffer.has("/a")).toBe(true);
  });
});

test("frames expire: those that nothing was said of for longest, and static ones last", () => {
  const buffer = new TransformBuffer({ maxFrames: 100 });
  buffer.add({ transforms: [transform("base", "lidar", 0n, [1, 0, 0])] }, true);
  for (let i = 0n; i < 1000n; i++) {
    const seen = transform("map", `object_${i.toString()}`, i * SECOND);
    buffer.add({ transforms: [transform("map", "base", i * SECOND), seen] }, false);
  }
  for (const known of ["map", "base", "lidar", "object_999", "object_990"])
    expect(buffer.has(known)).toBe(true);
  for (const gone of ["object_0", "object_899"]) expect(buffer.has(gone)).toBe(false);
  expectMatrix(buffer.lookup("map", "lidar", 999n * SECOND), planar(0, 1, 0));
  expect(reasonOf(() => buffer.lookup("map", "object_0", "latest"))).toBe("unknown-frame");
});

describe("TransformBuffer tells once of a frame whose publishers contradict each other", () => {
  const told = (...samples: (readonly [isStatic: boolean, transform: TransformStamped])[]): string[] => {
    const buffer = new TransformBuffer();
    const messages: string[] = [];
    for (const [isStatic, sample] of [...samples, ...samples]) {
      buffer.add({ transforms: [sample] }, isStatic);
      messages.push(...buffer.takeConflicts().map(({ code, message }) => `${code}: ${message}`));
    }
    return messages;
  };
  const turned = [0, 0, Math.SQRT1_2, Math.SQRT1_2] as const;

  test.each([
    [
      "static and moving",
      [
        [true, transform("base", "lidar", 0n)],
        [false, transform("map", "lidar", SECOND)],
      ],
      "the frame 'lidar' has several places: static in 'base' and moving in 'map'; the last that comes holds",
    ],
    [
      "static in two parents",
      [
        [true, transform("base", "lidar", 0n)],
        [true, transform("mast", "lidar", 0n)],
      ],
      "the frame 'lidar' has several places: static in 'base' and in 'mast'; the last holds",
    ],
    [
      "static at two places",
      [
        [true, transform("base", "lidar", 0n)],
        [true, transform("base", "lidar", 0n, [0.5, 0, 0], turned)],
      ],
      "the static frame 'lidar' has several places in 'base', 0.5 m and 90 degrees apart; the last holds",
    ],
    [
      "moving in two parents in turn",
      [
        [false, transform("odom", "base", 0n)],
        [false, transform("map", "base", SECOND)],
        [false, transform("odom", "base", 2n * SECOND)],
      ],
      "the frame 'base' has several places: in 'odom', then in 'map', then in 'odom' again; the last holds",
    ],
  ] as const)("%s", (_, samples, sentence) => {
    expect(told(...samples)).toEqual([`transforms-conflict: ${sentence}; leave one publisher of it`]);
  });

  test("and not of one that moves to another parent, or is said again", () => {
    const moves = [transform("odom", "base", 0n), transform("map", "base", SECOND)];
    const fixed = [
      transform("base", "lidar", 0n, [1, 0, 0]),
      transform("base", "lidar", 9n, [1 + 1e-9, 0, 0]),
    ];
    expect(
      told(
        ...moves.map((sample) => [false, sample] as const),
        ...fixed.map((sample) => [true, sample] as const),
      ),
    ).toEqual([]);
  });
});

test("an empty frame is nowhere, not even in itself", () => {
  const buffer = bufferOf([transform("odom", "base", 0n)]);
  for (const [target, source] of [
    ["", ""],
    ["base", "/"],
    ["", "base"],
  ] as const) {
    expect(() => buffer.lookup(target, source, 0n)).toThrow("header.frame_id of a sensor is empty");
  }
});

test("the sentence of a lookup says how old the last sample of a frame is", () => {
  const buffer = bufferOf([transform("odom", "base", 0n), transform("odom", "base", SECOND)]);
  expect(() => buffer.lookup("odom", "base", 61n * SECOND)).toThrow(
    'the latest sample of "base" is at 1.000000000 s, 60.000 s before that',
  );
});

describe("TransformBuffer refuses", () => {
  test.each([
    ["an empty child", transform("a", "", 0n), "child_frame_id of a transform"],
    ["an empty parent", transform("", "b", 0n), "header.frame_id of the transform"],
    ["a self-transform", transform("a", "/a", 0n), "same frame as its parent"],
    ["NaN", transform("a", "b", 0n, [NaN, 0, 0]), "must be finite, but is [NaN, 0, 0]"],
    ["infinity", transform("a", "b", 0n, [0, 0, 0], [0, 0, 0, Infinity]), "must be finite"],
    ["a zero quaternion", transform("a", "b", 0n, [0, 0, 0], [0, 0, 0, 0]), "squared norm 0, not 1"],
    ["a long quaternion", transform("a", "b", 0n, [0, 0, 0], [0, 0, 0, 1.01]), "not 1 within 0.01"],
  ])("%s", (_, bad, message) => {
    const buffer = new TransformBuffer();
    const good = transform("x", "y", 0n);
    expect(() => buffer.add({ transforms: [bad, good] }, false)).toThrow(message);
    expect(buffer.has("y")).toBe(true);
    expect(buffer.has("b")).toBe(false);
  });

  test("a loop, naming it", () => {
    const buffer = bufferOf([transform("a", "b", 0n), transform("b", "c", 0n)]);
    expect(() => buffer.add({ transforms: [transform("c", "a", 0n)] }, false)).toThrow(
      'would close a loop: "a" in "c" in "b" in "a"',
    );
    buffer.lookup("a", "c", 0n);
  });

  test("to follow a loop that only samples of different times make", () => {
    const buffer = bufferOf([transform("r", "a", 9n), transform("s", "b", 9n)]);
    buffer.add({ transforms: [transform("b", "a", 5n), transform("a", "b", 5n)] }, false);
    expect(() => buffer.lookup("r", "b", 5n)).toThrow('a loop: "b" in "a" in "b"');
  });
});

describeWithPython("TransformBuffer against SciPy", () => {
  test("interpolated chains and two-time lookups agree to 1e-9", () => {
    let seed = 12345;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const [links, samples, queries] = [4, 12, 200];
    const stamps = new BigInt64Array(links * samples);
    const poses = new Float64Array(links * samples * 7);
    const buffer = new TransformBuffer();
    for (let i = 0; i < links * samples; i++) {
      const stamp =
        1_700_000_000n * SECOND + BigInt((i % samples) * 100_000_000 + Math.floor(random() * 9e7));
      // The last link turns by less than a milliradian, where a naive slerp loses its digits.
      const scale = i < (links - 1) * samples ? 1 : 1e-4;
      const turn = [random() - 0.5, random() - 0.5, random() - 0.5].map((value) => value * scale);
      const raw = [...turn, scale === 1 ? random() - 0.5 : 1];
      const norm = Math.hypot(...raw);
      const rotation = raw.map((value) => value / norm) as unknown as TransformStamped["rotation"];
      const translation = [random() * 20 - 10, random() * 20 - 10, random() * 20 - 10] as const;
      stamps[i] = stamp;
      poses.set([...translation, ...rotation], i * 7);
      const link = Math.floor(i / samples);
      const frame = transform(`f${link}`, `f${link + 1}`, stamp, translation, rotation);
      buffer.add({ transforms: [frame] }, false);
    }
    const times = BigInt64Array.from({ length: queries * 2 }, () => {
      return 1_700_000_000n * SECOND + 90_000_000n + BigInt(Math.floor(random() * 1.0e9));
    });
    const { single, double } = runReference("transforms_scipy.py", {
      stamps: { data: stamps, shape: [links, samples] },
      poses: { data: poses, shape: [links, samples, 7] },
      times: { data: times, shape: [queries, 2] },
    });
    for (let query = 0; query < queries; query++) {
      const expected = (array: typeof single) =>
        array!.data.slice(query * 16, query * 16 + 16) as Float64Array;
      const [targetStamp, sourceStamp] = [times[query * 2]!, times[query * 2 + 1]!];
      expectMatrix(buffer.lookup("f0", `f${links}`, targetStamp), expected(single));
      const through = buffer.lookupThrough(`f${links}`, targetStamp, `f${links}`, sourceStamp, "f0");
      expectMatrix(through, expected(double));
    }
  });
});

describe("TransformBuffer.forgetFrom", () => {
  const buffer = (): TransformBuffer =>
    bufferOf(
      [
        transform("odom", "base", 100n * SECOND),
        transform("odom", "base", 101n * SECOND),
        transform("odom", "other", 100n * SECOND),
        transform("odom", "other", 110n * SECOND),
      ],
      [transform("base", "lidar", 500n * SECOND)],
    );

  test("forgets the frames that are known at that time or later, whole, and no static ones", () => {
    const kept = buffer();
    kept.forgetFrom(110n * SECOND);
    expectMatrix(kept.lookup("odom", "lidar", 100n * SECOND), planar(0, 0, 0));
    expect(reasonOf(() => kept.lookup("odom", "other", 100n * SECOND))).toBe("not-connected");
    expectMatrix(kept.lookup("base", "lidar", "latest"), planar(0, 0, 0));
  });

  test("lets transforms of an earlier time in again", () => {
    const kept = buffer();
    kept.add({ transforms: [transform("odom", "other", 50n * SECOND, [5, 0, 0])] }, false);
    expect(reasonOf(() => kept.lookup("odom", "other", 50n * SECOND))).toBe("extrapolation-past");
    kept.forgetFrom(60n * SECOND);
    kept.add({ transforms: [transform("odom", "other", 50n * SECOND, [5, 0, 0])] }, false);
    expectMatrix(kept.lookup("odom", "other", 50n * SECOND), planar(0, 5, 0));
  });
});
