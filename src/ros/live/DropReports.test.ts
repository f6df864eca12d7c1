import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { FaultLog } from "../../faults/FaultLog.js";
import { SyncLedger } from "../../sync/SyncLedger.js";
import { DropReports } from "./DropReports.js";

let ledger: SyncLedger;
let faults: FaultLog;
let reports: DropReports;

jest.useFakeTimers();
beforeEach(() => {
  ledger = new SyncLedger();
  faults = new FaultLog();
  reports = new DropReports({
    ledger,
    faults,
    topicOf: (name) => (name === undefined ? "/points" : `/${name}`),
  });
});
afterEach(() => {
  jest.clearAllTimers();
});

function recorded(): (readonly [code: string, severity: string, count: number])[] {
  return faults.summary().map(({ code, severity, count }) => [code, severity, count]);
}

test("what is dropped around a jump is told of with the jump, once", () => {
  ledger.clouds.drop(7n, "out_of_order");
  jest.advanceTimersByTime(100);
  expect(recorded()).toEqual([]);
  ledger.jump(1_234_000_000n);
  ledger.camera("front").drop(8n, "reset");
  ledger.camera("front").drop(9n, "reset");
  jest.advanceTimersByTime(50);
  // /clock comes a little later.
  ledger.jump();
  ledger.clouds.drop(10n, "reset");
  jest.advanceTimersByTime(250);
  expect(recorded()).toEqual([
    ["time-jumped", "warning", 1],
    ["dropped-out-of-order", "info", 1],
    ["dropped-reset", "info", 3],
  ]);
  expect(faults.summary()[0]!.messages).toEqual([
    "time jumped back by 1.234 s; dropped around it: 2 clouds and 2 images",
  ]);
});

test("a jump that costs nothing is told of as well", () => {
  ledger.jump();
  jest.advanceTimersByTime(250);
  ledger.jump(2_000_000_000n);
  jest.advanceTimersByTime(250);
  expect(faults.summary()[0]!.messages).toEqual([
    "the clock jumped back, or was switched",
    "time jumped back by 2.000 s",
  ]);
});

test("without a jump a cloud out of order is a lost scan", () => {
  ledger.clouds.drop(7n, "out_of_order");
  ledger.camera("front").drop(8n, "out_of_order");
  jest.advanceTimersByTime(250);
  expect(recorded()).toEqual([["dropped-out-of-order", "error", 2]]);
  ledger.jump(2_000_000_000n);
  ledger.clouds.drop(7n, "duplicate");
  expect(recorded()[1]).toEqual(["dropped-duplicate", "error", 1]);
});

test("nothing is lost at the end", () => {
  ledger.clouds.drop(7n, "out_of_order");
  reports.close();
  expect(recorded()).toEqual([["dropped-out-of-order", "error", 1]]);
  ledger.clouds.drop(8n, "duplicate");
  expect(recorded()).toHaveLength(1);
});
