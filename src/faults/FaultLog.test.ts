import { describe, expect, test } from "@jest/globals";
import { Fault } from "./Fault.js";
import { FaultLog, type FaultAnnouncement } from "./FaultLog.js";

/** A log with a clock that the test sets, and what it announced. */
function logAt(start: number): {
  log: FaultLog;
  announced: FaultAnnouncement[];
  setTime: (ms: number) => void;
} {
  let now = start;
  const announced: FaultAnnouncement[] = [];
  const log = new FaultLog({
    announce: (announcement) => announced.push(announcement),
    intervalMs: 1000,
    clock: () => now,
  });
  return { log, announced, setTime: (ms) => (now = ms) };
}

describe("FaultLog", () => {
  test("counts by code, keeps the first three messages, and sums up errors before warnings", () => {
    const log = new FaultLog();
    for (let index = 0; index < 5; index++) log.record(new Fault("malformed-message", `cloud ${index}`));
    log.record(new Fault("dropped-no-match", "image of no cloud"));
    log.record(new Fault("inference-failed", "out of memory"));
    expect(log.summary()).toEqual([
      { code: "inference-failed", severity: "error", count: 1, messages: ["out of memory"] },
      {
        code: "malformed-message",
        severity: "warning",
        count: 5,
        messages: ["cloud 0", "cloud 1", "cloud 2"],
      },
      { code: "dropped-no-match", severity: "info", count: 1, messages: ["image of no cloud"] },
    ]);
    expect(log.total).toBe(6);
  });

  test("has the worst severity of a code", () => {
    const log = new FaultLog();
    const fault = new Fault("malformed-message", "4 bytes");
    log.record(fault);
    log.record(fault.asError());
    log.record(fault);
    expect(log.summary()).toMatchObject([{ severity: "error", count: 3 }]);
  });

  test("announces the first fault of a code and topic at once, later ones once per interval with their number", () => {
    const { log, announced, setTime } = logAt(5000);
    const at = (topic: string, value: number): Fault =>
      new Fault("malformed-message", `height ${value}`).at({ topic, stamp: 7n });
    log.record(at("/front", 0));
    log.record(at("/rear", 1));
    log.record(new Fault("transform-missing", "no way from lidar to camera"));
    for (let index = 2; index < 100; index++) log.record(at("/front", index));
    setTime(5999);
    log.record(at("/front", 100));
    setTime(6000);
    log.record(at("/front", 101));
    log.record(at("/front", 102));
    setTime(7000);
    log.record(at("/front", 103));
    setTime(8000);
    log.record(at("/front", 104));
    expect(announced.map(({ text }) => text)).toEqual([
      "/front at 7 ns: height 0",
      "/rear at 7 ns: height 1",
      "no way from lidar to camera",
      "/front at 7 ns: height 101 (and 99 more like it since the last line)",
      "/front at 7 ns: height 103 (and 1 more like it since the last line)",
      "/front at 7 ns: height 104",
    ]);
    expect(announced[0]).toMatchObject({ code: "malformed-message", severity: "warning" });
  });

  test("does not announce what cost nothing", () => {
    const { log, announced } = logAt(0);
    log.record(new Fault("dropped-no-match", "image of no cloud"));
    expect([announced, log.total]).toEqual([[], 0]);
  });
});

describe("Fault", () => {
  test("keeps its code, severity and cause when its place is added", () => {
    const fault = new Fault("image-decoding-failed", "not a JPEG");
    const placed = fault.at({ topic: "/camera/front", stamp: 12n });
    expect(placed.message).toBe("/camera/front at 12 ns: not a JPEG");
    expect(placed).toMatchObject({ code: "image-decoding-failed", severity: "warning", cause: fault });
    expect(placed.at("drive.mcap").place).toEqual({ topic: "/camera/front", stamp: 12n });
    expect(fault.at({ topic: "/a", logTime: 3n }).message).toBe("/a at log time 3 ns: not a JPEG");
    expect(fault.at({ topic: "/a" }).message).toBe("/a: not a JPEG");
    expect(fault.asError()).toMatchObject({ severity: "error", message: "not a JPEG" });
  });
});
