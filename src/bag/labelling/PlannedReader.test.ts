import path from "node:path";
import { expect, test } from "@jest/globals";
import { encodeHeader } from "../../messages/header.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import { IndexedTopic } from "./IndexedTopic.js";
import { PlannedReader } from "./PlannedReader.js";

const BYTES = encodeHeader({ stamp: 1n, frameId: "0" }).length;

/** Topics a and b with 20 messages each; three at a time have one log time. */
async function read(
  orders: Readonly<Record<string, readonly number[]>>,
  asked: readonly (readonly [topic: string, row: number])[],
  budget: number,
): Promise<{ rows: readonly string[]; lookups: number }> {
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "bag.mcap"));
    const topics = ["a", "b"].map((topic) => new IndexedTopic(topic));
    for (let row = 0; row < 20; row++) {
      for (const index of topics) {
        const logTime = BigInt(1 + Math.floor(row / 3));
        index.add(logTime, logTime);
        const frameId = String.fromCharCode(65 + row);
        await writer.write(
          index.topic,
          "std_msgs/msg/Header",
          { logTime },
          encodeHeader({ stamp: 1n, frameId }),
        );
      }
    }
    await writer.close();
    const reader = await openBag(writer.path);
    const plan = topics.map((index) => ({ index, order: Uint32Array.from(orders[index.topic]!), lag: 0n }));
    const planned = new PlannedReader(
      reader,
      plan,
      ({ topic, data }) => `${topic} ${(data.at(-2) ?? 0) - 65}`,
      budget,
    );
    const rows: string[] = [];
    for (const [topic, row] of asked) rows.push(await planned.get(topic, row));
    await planned.close();
    await reader.close();
    return { rows, lookups: planned.lookups };
  });
}

const ascending = Array.from({ length: 20 }, (_, i) => i);
const descending = ascending.toReversed();
const inOrder = (orders: Readonly<Record<string, readonly number[]>>) =>
  ascending.flatMap((i) => [["a", orders["a"]![i]!] as const, ["b", orders["b"]![i]!] as const]);

test.each([
  ["as logged", { a: ascending, b: ascending }, 3 * BYTES, 0],
  ["one topic backwards, kept", { a: ascending, b: descending }, 100 * BYTES, 0],
  [
    "one topic backwards, looked up where too much would be kept",
    { a: ascending, b: descending },
    4 * BYTES,
    18,
  ],
])("%s", async (_, orders, budget, lookups) => {
  const asked = inOrder(orders);
  const result = await read(orders, asked, budget);
  expect(result.rows).toEqual(asked.map(([topic, row]) => `${topic} ${row}`));
  expect(result.lookups).toBeLessThanOrEqual(lookups);
  expect(result.lookups > 0).toBe(lookups > 0);
});

test("a message can be asked for again, also an earlier one", async () => {
  const orders = { a: ascending, b: ascending };
  const asked = [
    ["a", 3],
    ["a", 3],
    ["b", 7],
    ["a", 9],
    ["a", 2],
    ["a", 9],
    ["b", 7],
  ] as const;
  const { rows } = await read(orders, asked, 1e6);
  expect(rows).toEqual(asked.map(([topic, row]) => `${topic} ${row}`));
});
