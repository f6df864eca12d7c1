import { describe, expect, test } from "@jest/globals";
import { dropsOf, runScenario } from "./marbleScenario.js";

/**
 * The scenarios of ROS message_filters' ApproximateTime test (test_approximate_time_policy.cpp), with topic A as
 * the clouds. Where ApproximateTime drops a cloud or waits for proof that no better set comes, the
 * cloud-driven join still gives the cloud its frame, and never later.
 */
describe("the scenarios of ApproximateTime", () => {
  test("exact match: released on the spot", () => {
    runScenario({
      clouds: "       a--b--c",
      images: { B: "  A--B--C" },
      expected: "     a--b--c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
  });

  test("perfect match: released with the first image after the cloud, not one set later", () => {
    runScenario({
      clouds: "       a--b--c-",
      images: { B: "  -A--B--C" },
      expected: "     -a--b--c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
  });

  test("imperfect match: clouds without an image near enough go without, the others take the nearest", () => {
    runScenario({
      clouds: "       a-xb--c-",
      images: { B: "  -A---B-C" },
      tolerance: 1,
      expected: "     -a---x-c",
      frames: {
        a: "a A complete",
        x: "x A complete, b -no_match early",
        c: "c B complete",
      },
    });
  });

  test("acceleration: each cloud takes its nearest image, although both streams speed up", () => {
    runScenario({
      clouds: "       a-----------b----c-",
      images: { B: "  -------A-------B--C" },
      tolerance: 5,
      expected: "     -------a-------b--c",
      frames: { a: "a -no_match early", b: "b B complete", c: "c C complete" },
    });
  });

  test("dropped messages: a buffer of one image loses the image before the cloud is decided", () => {
    const statistics = runScenario({
      clouds: "                    a---b---c-d--e-",
      images: { B: { marbles: "    -A-B---C---D--E", queueSize: 1 } },
      tolerance: 2,
      expected: "                  -a-----b---c--e",
      frames: {
        a: "a A complete",
        b: "b -no_match early",
        c: "c -no_match early, d D complete",
        e: "e E complete",
      },
    });
    expect(dropsOf(statistics.cameras.get("B")!)).toEqual({ queue_full: 2 });
  });

  test("dropped messages: a buffer of two images is enough", () => {
    const statistics = runScenario({
      clouds: "                    a---b---c-d--e-",
      images: { B: { marbles: "    -A-B---C---D--E", queueSize: 2 } },
      tolerance: 2,
      expected: "                  -a-----b---c--e",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete, d D complete", e: "e E complete" },
    });
    expect(dropsOf(statistics.cameras.get("B")!)).toEqual({});
  });

  test("long queue: five images are kept for clouds that come late", () => {
    const statistics = runScenario({
      clouds: "                    ---------j----o-",
      images: { A: { marbles: "    abcdefghi-klmn-p", queueSize: 5 } },
      stamps: { j: 3, k: 9, l: 10, m: 11, n: 12, o: 10, p: 13 },
      tolerance: 2,
      expected: "                  ---------j----o-",
      frames: { j: "j e complete", o: "o l complete" },
    });
    expect(dropsOf(statistics.cameras.get("A")!)).toEqual({ queue_full: 7, no_match: 1 });
  });

  test("double publish: no set waits for the next", () => {
    runScenario({
      clouds: "       a--b",
      images: { B: "  -A-B" },
      expected: "     -a-b",
      frames: { a: "a A complete", b: "b B complete" },
    });
  });

  test("four topics: each camera gives its nearest image; a silent one costs the wait", () => {
    runScenario({
      clouds: "       a----e--i--m-n-----",
      images: {
        B: "          -b----g--j----o----",
        C: "          --c---h---k--------",
        D: "          ---d-f-----l-------",
      },
      stamps: { m: 10 },
      maxWait: 5,
      expected: "     ---a--e----i--m---n",
      frames: {
        a: "a b c d complete",
        e: "e g h f complete",
        i: "i j h f complete",
        m: "m j k l complete",
        n: "n o k l timeout",
      },
    });
  });

  test("early publish: the set is released when it is complete, with no later message to prove it", () => {
    runScenario({
      clouds: "       a------e",
      images: {
        B: "          -b------",
        C: "          --c-----",
        D: "          ---d----",
      },
      maxWait: 3,
      expected: "     ---a------e",
      frames: { a: "a b c d complete", e: "e -not_arrived -not_arrived -not_arrived timeout" },
    });
  });

  const beforeTheCloud = { clouds: "-a--b--c---", marbles: "A--B--C--D-" };

  test("rate bound: a known period releases with an earlier image when the next can only be farther", () => {
    runScenario({
      clouds: beforeTheCloud.clouds,
      images: { B: { marbles: beforeTheCloud.marbles, period: 3 } },
      expected: "-a--b--c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
  });

  test("without a rate bound the same clouds wait for the next image", () => {
    runScenario({
      clouds: beforeTheCloud.clouds,
      images: { B: beforeTheCloud.marbles },
      expected: "---a--b--c",
      frames: { a: "a A complete", b: "b B complete", c: "c C complete" },
    });
  });
});
