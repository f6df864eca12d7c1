import { expect, test } from "@jest/globals";
import { MessageRows } from "./MessageRows.js";

function listed(rows: MessageRows): readonly unknown[] {
  return Array.from({ length: rows.length }, (_, row) => [rows.id(row), rows.topicId(row), rows.time(row)]);
}

test("rows beyond the first capacity are kept, and are counted and found by their times", () => {
  const rows = new MessageRows(2);
  for (let i = 0; i < 100; i++) rows.push(3 * i, i % 3, BigInt(10 * i));
  expect(rows.leaveOutRepeated()).toEqual([]);
  rows.sortByTime();
  expect(listed(rows)).toEqual(Array.from({ length: 100 }, (_, i) => [3 * i, i % 3, BigInt(10 * i)]));
  expect([...rows.counts()]).toEqual([
    [0, 34],
    [1, 33],
    [2, 33],
  ]);
  expect([-1n, 0n, 1n, 990n, 991n].map((time) => rows.firstAtOrAfter(time))).toEqual([0, 0, 1, 99, 100]);
});

test("of rows that come again the first counts, and ties in time stay in the order of their ids", () => {
  const rows = new MessageRows(1);
  rows.push(5, 0, 20n);
  rows.push(1, 1, 20n);
  rows.push(5, 2, 10n);
  rows.push(3, 3, 10n);
  rows.push(5, 4, 30n);
  expect(rows.leaveOutRepeated()).toEqual([5, 5]);
  rows.sortByTime();
  expect(listed(rows)).toEqual([
    [3, 3, 10n],
    [1, 1, 20n],
    [5, 0, 20n],
  ]);
});

test("of rows with one id the one stays that is found by it, wherever it came", () => {
  const rows = new MessageRows(1);
  // A damaged row has the id of a sound one that comes later, and another that of one that came before.
  rows.push(37, 0, 20n);
  rows.push(36, 1, 30n);
  rows.push(37, 2, 40n);
  rows.push(36, 3, 50n);
  const sound = [30n, 40n];
  expect(rows.leaveOutRepeated((row) => sound.includes(rows.time(row)))).toEqual([36, 37]);
  expect(listed(rows)).toEqual([
    [36, 1, 30n],
    [37, 2, 40n],
  ]);
});
