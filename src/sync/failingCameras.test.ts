import { describe, expect, test } from "@jest/globals";
import { dropsOf, runScenario } from "./marbleScenario.js";

/** A LiDAR with a period of 10 frames; the ruler above the marbles counts tens. */
describe("cameras that are late, slow, dead or back", () => {
  test("a late image: the cloud leaves after maxWait without it, and the image is counted as late", () => {
    const statistics = runScenario({
      //              0         1         2
      clouds: "       a---------b---------c",
      images: { front: "A-------------B-----C" },
      stamps: { B: 10 },
      maxWait: 3,
      expected: "     a------------b------c",
      frames: { a: "a A complete", b: "b -not_arrived timeout", c: "c C complete" },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ late: 1 });
  });

  test("a dropped image: the cloud leaves as soon as the camera's next image shows the hole", () => {
    const statistics = runScenario({
      //              0         1         2
      clouds: "       a---------b---------c---",
      images: { front: "A-------------------C---" },
      expected: "     a-------------------c---",
      frames: { a: "a A complete", c: "b -no_match early, c C complete" },
    });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({});
  });

  test("a constant latency below maxWait is waited for", () => {
    const statistics = runScenario({
      //                        0         1         2
      clouds: "                 a---------b---------c------",
      images: { front: { marbles: "------A---------B---------C", latency: 6 } },
      maxWait: 8,
      expected: "               ------a---------b---------c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true, delivered: 3, pending: 0 });
  });

  test("a camera that is always later than maxWait becomes inactive and lends what it has", () => {
    const statistics = runScenario({
      //                        0         1         2         3         4
      clouds: "                 a---------b---------c---------d---------e",
      images: { front: { marbles: "--------A---------B---------C---------D--", latency: 8 } },
      tolerance: 12,
      maxWait: 4,
      settings: { inactiveAfter: 2 },
      expected: "               ----a---------b-----c---------d---------e",
      frames: {
        a: "a -never_seen timeout",
        b: "b A timeout",
        c: "c B complete",
        d: "d C complete",
        e: "e D complete",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: false });
  });

  test("a dead camera: after two missed clouds nobody waits for it, and the other camera is still used", () => {
    const statistics = runScenario({
      //              0         1         2         3         4
      clouds: "       a---------b---------c---------d---------e",
      images: {
        front: "      A---------B---------C---------D---------E",
        left: "       L----------------------------------------",
      },
      maxWait: 6,
      settings: { inactiveAfter: 2 },
      expected: "     a---------------b---------c---d---------e",
      frames: {
        a: "a A L complete",
        b: "b B -not_arrived timeout",
        c: "c C -not_arrived timeout",
        d: "d D -inactive early",
        e: "e E -inactive early",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true });
    expect(statistics.cameras.get("left")).toMatchObject({ active: false });
  });

  test("single misses do not add up: a camera that comes every other time stays active", () => {
    const statistics = runScenario({
      //                0         1         2         3
      clouds: "         a---------b---------c---------d------",
      images: { front: "A-------------------C----------------" },
      maxWait: 6,
      settings: { inactiveAfter: 2 },
      expected: "       a---------------b---c---------------d",
      frames: {
        a: "a A complete",
        b: "b -not_arrived timeout",
        c: "c C complete",
        d: "d -not_arrived timeout",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true });
  });

  test("a slow camera may miss as many of its own periods as a fast one", () => {
    runScenario({
      clouds: "                   a---b---c---d---e---f---g---h---i---j---k",
      images: { front: { marbles: "A-----------D----------------------------", period: 12 } },
      tolerance: 1,
      maxWait: 2,
      settings: { inactiveAfter: 1 },
      // d is at 12; f (20) is the last that needs no wait, because the next image is due at 24.
      expected: "                 a---b---c---d---e---f-----g---h---i-j---k",
      frames: {
        a: "a A complete",
        b: "b -no_match early",
        c: "c -no_match early",
        d: "d D complete",
        e: "e -no_match early",
        f: "f -no_match early",
        g: "g -not_arrived timeout",
        h: "h -not_arrived timeout",
        i: "i -not_arrived timeout",
        j: "j -inactive early",
        k: "k -inactive early",
      },
    });
  });

  test("clouds that already wait leave when the camera becomes inactive", () => {
    runScenario({
      clouds: "       a--b--c--",
      images: { front: "---------" },
      maxWait: 7,
      settings: { inactiveAfter: 1 },
      expected: "     -------a-",
      frames: { a: "a -never_seen timeout, b -never_seen early, c -never_seen early" },
    });
  });

  test("a returning camera is waited for again, although its latency makes it late for the first cloud", () => {
    const statistics = runScenario({
      //                         0         1         2         3         4         5
      clouds: "                  a---------b---------c---------d---------e---------f---",
      images: { front: { marbles: " ---A-----------------------------D---------E---------F", latency: 3 } },
      maxWait: 6,
      settings: { inactiveAfter: 2 },
      expected: "                ---a------------b---------c---d------------e---------f",
      frames: {
        a: "a A complete",
        b: "b -not_arrived timeout",
        c: "c -not_arrived timeout",
        d: "d -inactive early",
        e: "e E complete",
        f: "f F complete",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true });
    expect(dropsOf(statistics.cameras.get("front")!)).toEqual({ late: 1 });
  });

  const thirdRate = {
    //       0         1         2         3         4         5         6
    clouds: "a---------b---------c---------d---------e---------f---------g",
    images: "A-----------------------------D-----------------------------G",
  };

  test("a third-rate camera of known period: clouds between its images go without, and do not wait", () => {
    const statistics = runScenario({
      clouds: thirdRate.clouds,
      images: { front: { marbles: thirdRate.images, period: 30 } },
      expected: thirdRate.clouds,
      frames: {
        a: "a A complete",
        b: "b -no_match early",
        c: "c -no_match early",
        d: "d D complete",
        e: "e -no_match early",
        f: "f -no_match early",
        g: "g G complete",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true, delivered: 3, reused: 0 });
  });

  test("a third-rate camera whose images may be 20 frames old serves every cloud, without a wait", () => {
    const statistics = runScenario({
      clouds: thirdRate.clouds,
      images: { front: { marbles: thirdRate.images, period: 30, maximumAge: 20 } },
      expected: thirdRate.clouds,
      frames: {
        a: "a A complete",
        b: "b A complete",
        c: "c A complete",
        d: "d D complete",
        e: "e D complete",
        f: "f D complete",
        g: "g G complete",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ delivered: 3, reused: 4 });
  });

  test("the period of a third-rate camera is learned; until then clouds wait for the next image", () => {
    const statistics = runScenario({
      //                0         1         2         3         4         5         6         7
      clouds: "         a---b---c---d---e---f---g---h---i---j---k---l---m",
      images: { front: "A-----------D-----------G-----------J-----------M" },
      tolerance: 1,
      expected: "       a---------b-c---------e-f---------h-i---k---l---m",
      maxWait: 6,
      frames: {
        a: "a A complete",
        b: "b -not_arrived timeout",
        c: "c -no_match early, d D complete",
        e: "e -not_arrived timeout",
        f: "f -no_match early, g G complete",
        h: "h -not_arrived timeout",
        i: "i -no_match early, j J complete",
        k: "k -no_match early",
        l: "l -no_match early",
        m: "m M complete",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ active: true, period: 12_000_000n });
  });

  test("a camera with an offset is compared with the shifted cloud stamp", () => {
    runScenario({
      //                0         1         2
      clouds: "         a---------b---------c----",
      images: { front: { marbles: "----A---------B---------C", offset: 4, tolerance: 0 } },
      expected: "       ----a---------b---------c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
  });

  test("a camera on a clock of its own never matches, becomes inactive, and does no harm", () => {
    const statistics = runScenario({
      //                0         1         2         3
      clouds: "         a---------b---------c---------d",
      images: { front: { marbles: "-A---------B---------C--------", latency: 900_000 } },
      maxWait: 4,
      settings: { inactiveAfter: 2 },
      expected: "       ----a---------b-----c---------d",
      frames: {
        a: "a -not_arrived timeout",
        b: "b -not_arrived timeout",
        c: "c -inactive early",
        d: "d -inactive early",
      },
    });
    expect(statistics.cameras.get("front")).toMatchObject({ delivered: 0, pending: 3 });
  });
});
