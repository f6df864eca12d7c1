import { describe, expect, test } from "@jest/globals";
import { MemoryRosNode } from "../port/MemoryRosNode.js";
import type { Reliability } from "../port/RosNode.js";
import { SensorSubscription } from "./SensorSubscription.js";

function subscribe(
  reliability: Reliability | "auto",
  offered: readonly Reliability[] = [],
): {
  ros: MemoryRosNode;
  subscription: SensorSubscription;
  got: number[];
  asked: () => Reliability[];
  lines: () => string[];
} {
  const ros = new MemoryRosNode({ name: "n" });
  ros.peerPublishes("points", offered);
  const got: number[] = [];
  const subscription = new SensorSubscription(ros, {
    topic: "points",
    type: "sensor_msgs/msg/PointCloud2",
    qos: { reliability, durability: "volatile", depth: 3 },
    onMessage: (cdr) => got.push(cdr[0]!),
  });
  const asked = (): Reliability[] => ros.subscriptions("/points").map(({ qos }) => qos.reliability);
  return { ros, subscription, got, asked, lines: () => ros.logLines.map(({ text }) => text) };
}

describe("SensorSubscription", () => {
  test.each([
    [[], "best_effort"],
    [["reliable"], "reliable"],
    [["reliable", "reliable"], "reliable"],
    [["best_effort"], "best_effort"],
    [["reliable", "best_effort"], "best_effort"],
  ] as const)("auto with publishers that offer %j starts %s", (offered, expected) => {
    const { asked, subscription } = subscribe("auto", offered);
    expect([asked(), subscription.reliability, subscription.changes]).toEqual([[expected], expected, 0]);
  });

  test("follows publishers that come, change and go, and tells of it", () => {
    const { ros, subscription, asked, lines } = subscribe("auto");
    const steps: [readonly Reliability[], Reliability, number][] = [
      [["best_effort"], "best_effort", 0],
      [["reliable"], "reliable", 1],
      [[], "reliable", 1],
      [["reliable", "reliable"], "reliable", 1],
      [["best_effort", "reliable", "best_effort"], "best_effort", 2],
      [[], "best_effort", 2],
      [["reliable"], "reliable", 3],
    ];
    for (const [offered, expected, changes] of steps) {
      ros.peerPublishes("points", offered);
      subscription.adaptToPublishers();
      expect([asked(), subscription.reliability, subscription.changes]).toEqual([
        [expected],
        expected,
        changes,
      ]);
    }
    const reliably = "/points: all publishers are reliable, subscribing reliably";
    expect(lines()).toEqual([
      "/points: 1 of 1 publishers best effort, subscribing best effort",
      reliably,
      "/points: 2 of 3 publishers best effort, subscribing best effort",
      reliably,
    ]);
    expect(ros.subscriptions("points")[0]!.qos).toEqual({
      reliability: "reliable",
      durability: "volatile",
      depth: 3,
    });
  });

  test("each message comes once, and none after the end", () => {
    const { ros, subscription, got } = subscribe("auto");
    ros.deliver("points", Uint8Array.of(1));
    ros.peerPublishes("points", ["reliable"]);
    subscription.adaptToPublishers();
    ros.deliver("points", Uint8Array.of(2));
    subscription.destroy();
    ros.deliver("points", Uint8Array.of(3));
    expect(got).toEqual([1, 2]);
  });

  test.each(["reliable", "best_effort"] as const)("%s stays what it is", (reliability) => {
    const { ros, subscription, asked, lines } = subscribe(reliability, ["reliable", "best_effort"]);
    for (const offered of ["reliable", "best_effort"] as const) {
      ros.peerPublishes("points", [offered]);
      subscription.adaptToPublishers();
    }
    expect([asked(), subscription.changes, lines()]).toEqual([[reliability], 0, []]);
  });
});
