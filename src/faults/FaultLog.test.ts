import { describe, expect, test } from "@jest/globals";
import { Fault } from "./Fault.js";
import { FaultLog } from "./FaultLog.js";

describe("FaultLog", () => {
  test("counts by code, keeps the first three messages and announces the first of each code", () => {
    const announced: string[] = [];
    const log = new FaultLog((fault) => announced.push(fault.message));
    for (let index = 0; index < 5; index++) log.record(new Fault("malformed-message", `cloud ${index}`));
    log.record(new Fault("transform-missing", "no way from lidar to camera"));
    expect(log.total).toBe(6);
    expect(log.summary()).toEqual([
      { code: "malformed-message", count: 5, messages: ["cloud 0", "cloud 1", "cloud 2"] },
      { code: "transform-missing", count: 1, messages: ["no way from lidar to camera"] },
    ]);
    expect(announced).toEqual(["cloud 0", "no way from lidar to camera"]);
  });

  test("a fault keeps its code and cause when its place is added", () => {
    const fault = new Fault("image-decoding-failed", "not a JPEG");
    const placed = fault.at("/camera/front");
    expect(placed.message).toBe("/camera/front: not a JPEG");
    expect(placed.code).toBe("image-decoding-failed");
    expect(placed.cause).toBe(fault);
  });
});
