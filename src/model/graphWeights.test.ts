import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "@jest/globals";
import { readGraphWeights } from "./graphWeights.js";

/** A field of wire type 2; all lengths here are below 128. */
function message(field: number, ...bytes: number[]): number[] {
  return [field * 8 + 2, bytes.length, ...bytes];
}

function initializer(type: number, ...dimensions: number[]): number[] {
  const dims = dimensions.flatMap((size) => [1 * 8, size]);
  return message(5, ...dims, 2 * 8, type, ...message(9, 1, 2, 3, 4));
}

function precision(bytes: Uint8Array): string | undefined {
  return readGraphWeights(bytes).precision;
}

function file(...initializers: number[][]): Uint8Array {
  const node = message(1, ...message(4, 65, 66));
  const fixed = [20 * 8 + 5, 0, 0, 0, 0, 21 * 8 + 1, 0, 0, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([
    8,
    10,
    ...fixed,
    ...message(7, ...node, ...initializers.flat()),
    ...message(8, 16, 20),
  ]);
}

describe("the weights of a graph", () => {
  test("have the precision of most of them, whatever the tensors of integers", () => {
    expect(precision(file(initializer(1, 3, 4), initializer(7, 100)))).toBe("float32");
    expect(precision(file(initializer(1, 11), initializer(10, 3, 4), initializer(1)))).toBe("float32");
    expect(precision(file(initializer(1, 11), initializer(10, 3, 5), initializer(1)))).toBe("float16");
    const packed = message(5, ...message(1, 3, 100), 2 * 8, 10);
    expect(precision(file(initializer(1, 100), packed))).toBe("float16");
  });

  test("may lie in other files", () => {
    const text = (word: string) => [...Buffer.from(word)];
    const pair = (key: string, value: string) =>
      message(13, ...message(1, ...text(key)), ...message(2, ...text(value)));
    const outside = message(5, 1 * 8, 100, 2 * 8, 10, ...pair("location", "a.data"), ...pair("offset", "0"));
    expect(readGraphWeights(file(initializer(1, 3), outside, outside))).toEqual({
      precision: "float16",
      files: new Set(["a.data"]),
    });
  });

  test("are none in a file without initializers, or of any bytes", () => {
    expect(precision(file(initializer(7, 100)))).toBeUndefined();
    expect(precision(Buffer.from("the bytes of a graph"))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        precision(bytes);
      }),
    );
  });

  test("of the shipped model are float32", () => {
    const graph = fileURLToPath(new URL("../../models/street-tiny/fused.onnx", import.meta.url));
    expect(precision(readFileSync(graph))).toBe("float32");
  });
});
