import { describe, expect, test } from "@jest/globals";
import { dropsOf, runScenario } from "./marbleScenario.js";

describe("stamps that are wrong", () => {
  test("zero stamps are bad, of clouds and of images", () => {
    const statistics = runScenario({
      clouds: "         a---z-----b",
      images: { front: "A----y----B" },
      stamps: { z: null, y: null },
      expected: "       a---------b",
      frames: { a: "a A complete", b: "b B complete" },
    });
    expect(dropsOf(statistics.clouds)).toEqual({ bad_stamp: 1 });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ bad_stamp: 1 });
  });

  test("the second of two equal stamps is dropped, whether the first has left or still waits", () => {
    const statistics = runScenario({
      clouds: "         a-x-------b-y----",
      images: { front: "A---X---------B-Y" },
      stamps: { x: 0, y: 10, X: 0, B: 10, Y: 10 },
      expected: "       a-------------b",
      frames: { a: "a A complete", b: "b B complete" },
    });
    expect(dropsOf(statistics.clouds)).toEqual({ duplicate: 2 });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ duplicate: 2 });
  });

  test("the second of two equal images is dropped, also when a newer one came between", () => {
    const statistics = runScenario({
      clouds: "         -----a",
      images: { front: "AB-X--" },
      stamps: { X: 0, a: 0 },
      expected: "       -----a",
      frames: { a: "a A complete" },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ duplicate: 1 });
  });

  test("clouds that change places while they wait leave in stamp order", () => {
    const statistics = runScenario({
      clouds: "         --b-a-----",
      images: { front: "-----AB---" },
      stamps: { a: 0, b: 2, A: 0, B: 2 },
      tolerance: 1,
      expected: "       -----ab---",
      frames: { a: "a A complete", b: "b B complete" },
    });
    expect(dropsOf(statistics.clouds)).toEqual({});
  });

  test("a cloud waits no longer than maxWait for an older one that arrived after it", () => {
    runScenario({
      clouds: "         --b-a-----",
      images: { front: "----------" },
      stamps: { a: 0, b: 2 },
      maxWait: 5,
      expected: "       -------b--",
      frames: { b: "a -never_seen timeout, b -never_seen timeout" },
    });
  });

  test("a cloud older than one that has left is dropped as out of order", () => {
    const statistics = runScenario({
      clouds: "         a-----c-b---d",
      images: { front: "A-----C-----D" },
      stamps: { b: 3 },
      expected: "       a-----c-----d",
      frames: { a: "a A complete", c: "c C complete", d: "d D complete" },
    });
    expect(dropsOf(statistics.clouds)).toEqual({ out_of_order: 1 });
  });

  test("images that change places are used as long as a cloud can use them", () => {
    const statistics = runScenario({
      clouds: "         a----b-------c",
      images: { front: "A-----CB-X----" },
      stamps: { B: 5, C: 13, X: 2 },
      tolerance: 2,
      expected: "       a-----b------c",
      frames: { a: "a A complete", b: "b -no_match early", c: "c C complete" },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ no_match: 1, out_of_order: 1 });
  });
});

describe("time that jumps", () => {
  const loop = {
    //       0         1         2
    clouds: "a---b---c---d---e---f",
    images: "A---B---------D-E---F",
    stamps: { d: 1000, D: 1000, e: 1004, E: 1004, f: 1008, F: 1008 },
  };
  const looped = { a: 2000, A: 2000, b: 2004, B: 2004, c: 2008 };

  test("a looped bag, live: the cloud that waits is dropped, and the join starts again", () => {
    const statistics = runScenario({
      clouds: loop.clouds,
      images: { front: loop.images },
      stamps: { ...loop.stamps, ...looped },
      jumpThreshold: 500,
      expected: "a---b---------d-e---f",
      frames: {
        a: "a A complete",
        b: "b B complete",
        d: "d D complete",
        e: "e E complete",
        f: "f F complete",
      },
    });
    expect(statistics.jumps).toBe(1);
    expect(dropsOf(statistics.clouds)).toEqual({ reset: 1 });
  });

  test("a looped bag whose image comes before its cloud: the image survives the clouds' jump", () => {
    const statistics = runScenario({
      clouds: "         a---b------c---d",
      images: { front: "A---B---C------D" },
      stamps: { a: 2000, A: 2000, b: 2004, B: 2004, c: 1000, C: 1000, d: 1004, D: 1004 },
      jumpThreshold: 500,
      expected: "       a---b------c---d",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete", d: "d D complete" },
    });
    expect(statistics.jumps).toBe(1);
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({});
  });

  test("a looped bag whose image comes before the last cloud of the lap has left: the image survives", () => {
    const statistics = runScenario({
      clouds: "         a---b-------c---d",
      images: { front: "A-----C---------D" },
      stamps: { a: 2000, A: 2000, b: 2004, c: 1000, C: 1000, d: 1004, D: 1004 },
      jumpThreshold: 500,
      maxWait: 4,
      expected: "       a-------b---c---d",
      frames: {
        a: "a A complete",
        b: "b -not_arrived timeout",
        c: "c C complete",
        d: "d D complete",
      },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({});
  });

  test("one image with a stamp of the far future costs its camera one image, and no cloud", () => {
    const statistics = runScenario({
      clouds: "         a---b---c---d",
      images: { front: "A---X---C---D" },
      stamps: { X: 900_000 },
      expected: "       a---b---c---d",
      frames: { a: "a A complete", b: "b -no_match early", c: "c C complete", d: "d D complete" },
    });
    expect(statistics.jumps).toBe(0);
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ reset: 1 });
  });

  test("a forward gap resets nothing: the camera stays active and the join goes on", () => {
    const statistics = runScenario({
      clouds: "         a---b---c-----d---",
      images: { front: "A---B-----C---D---" },
      stamps: { c: 50_000, C: 50_000, d: 50_004, D: 50_004 },
      jumpThreshold: 10,
      expected: "       a---b-----c---d---",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete", d: "d D complete" },
    });
    expect(statistics.jumps).toBe(0);
    expect(statistics.cameras.get("front")).toMatchObject({ active: true });
  });

  test("sim time switched on: stamps fall from wall time to zero and the join starts again", () => {
    const statistics = runScenario({
      clouds: "         a---b---c---d",
      images: { front: "A-------C---D" },
      stamps: { a: 1_700_000_000, A: 1_700_000_000, b: 1_700_000_004, c: 1, C: 1, d: 5, D: 5 },
      resets: "         -------r-----",
      expected: "       a-------c---d",
      frames: { a: "a A complete", c: "c C complete", d: "d D complete" },
    });
    expect(statistics.jumps).toBe(1);
    expect(dropsOf(statistics.clouds)).toEqual({ reset: 1 });
  });

  test("sim time switched on and nobody says so: the stamps are enough", () => {
    const statistics = runScenario({
      clouds: "         a---b---c---d",
      images: { front: "A-------C---D" },
      stamps: { a: 1_700_000_000, A: 1_700_000_000, b: 1_700_000_004, c: 1, C: 1, d: 5, D: 5 },
      expected: "       a-------c---d",
      frames: { a: "a A complete", c: "c C complete", d: "d D complete" },
    });
    expect(statistics.jumps).toBe(1);
    expect(dropsOf(statistics.clouds)).toEqual({ reset: 1 });
  });
});
