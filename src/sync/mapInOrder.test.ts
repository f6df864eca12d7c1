import { describe, expect, test } from "@jest/globals";
import { from, lastValueFrom, toArray } from "rxjs";
import { mapInOrder } from "./mapInOrder.js";

const collect = <T>(items: AsyncIterable<T>) => lastValueFrom(from(items).pipe(toArray()));

async function* numbers(count: number, taken: number[] = [], failure?: Error) {
  for (let i = 0; i < count; i++) {
    await Promise.resolve();
    taken.push(i);
    yield i;
  }
  if (failure !== undefined) throw failure;
}

const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("mapInOrder", () => {
  test("keeps the order when later items are ready first", async () => {
    const delays = [9, 1, 5, 1];
    const results = await collect(
      mapInOrder(
        numbers(4),
        async (i) => {
          await after(delays[i]!);
          return i * 10;
        },
        { concurrency: 3 },
      ),
    );
    expect(results).toEqual([0, 10, 20, 30]);
  });

  test("takes no more than is under way while the consumer does not ask", async () => {
    const taken: number[] = [];
    const mapped = mapInOrder(numbers(100, taken), (i) => Promise.resolve(i), { concurrency: 2 });
    await mapped.next();
    await after(5);
    expect(taken).toEqual([0, 1]);
    await mapped.next();
    await after(5);
    expect(taken).toEqual([0, 1, 2]);
  });

  test("closes the source when the consumer stops", async () => {
    let closed = false;
    async function* source() {
      try {
        yield* numbers(100);
      } finally {
        closed = true;
      }
    }
    for await (const i of mapInOrder(source(), (n) => Promise.resolve(n), { concurrency: 2 })) {
      if (i === 3) break;
    }
    expect(closed).toBe(true);
  });

  test.each(["source", "project"])("gives the results before an error of the %s", async (place) => {
    const failure = new Error("broken");
    const results: number[] = [];
    const run = async () => {
      const source = numbers(3, [], place === "source" ? failure : undefined);
      const project = (i: number) =>
        place === "project" && i === 2 ? Promise.reject(failure) : after(2).then(() => i);
      for await (const result of mapInOrder(source, project, { concurrency: 5 })) results.push(result);
    };
    await expect(run()).rejects.toBe(failure);
    expect(results).toEqual(place === "source" ? [0, 1, 2] : [0, 1]);
  });
});
