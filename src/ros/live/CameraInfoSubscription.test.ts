import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { MemoryRosNode } from "../port/MemoryRosNode.js";
import type { OfferedQos } from "../port/RosNode.js";
import { CameraInfoSubscription } from "./CameraInfoSubscription.js";

const LATCHED: OfferedQos = { reliability: "reliable", durability: "transient_local" };
const VOLATILE: OfferedQos = { reliability: "reliable", durability: "volatile" };
const BEST_EFFORT: OfferedQos = { reliability: "best_effort", durability: "transient_local" };

function subscribe(ros: MemoryRosNode): {
  subscription: CameraInfoSubscription;
  got: number[];
  asked: () => string[];
} {
  const got: number[] = [];
  const subscription = new CameraInfoSubscription(ros, "camera_info", (cdr) => got.push(cdr[0]!));
  const asked = (): string[] =>
    ros
      .subscriptions("camera_info")
      .map(({ qos: { reliability, durability } }) => `${reliability} ${durability}`);
  return { subscription, got, asked };
}

test("what was published once, before the subscription, is received", async () => {
  const ros = new MemoryRosNode({ name: "n" });
  ros.peerLatches("camera_info", Uint8Array.of(7));
  const { got } = subscribe(ros);
  await nextTurn();
  await nextTurn();
  expect(got).toEqual([7]);
});

test("also when DDS tells of the publisher later", async () => {
  const ros = new MemoryRosNode({ name: "n" });
  const { subscription, got } = subscribe(ros);
  ros.peerLatches("camera_info", Uint8Array.of(7));
  subscription.adaptToPublishers();
  await nextTurn();
  await nextTurn();
  expect(got).toEqual([7]);
});

test("publishers of every kind are heard, each message once, as they come and go", () => {
  const ros = new MemoryRosNode({ name: "n" });
  const { subscription, got, asked } = subscribe(ros);
  const plain = "best_effort volatile";
  const latched = "reliable transient_local";
  const steps: [readonly OfferedQos[], string[]][] = [
    [[], [plain]],
    [[VOLATILE], [plain]],
    // Without reliability nothing is kept for late joiners.
    [[BEST_EFFORT], [plain]],
    [[LATCHED], [latched]],
    [[], [latched]],
    [
      [LATCHED, VOLATILE],
      [plain, latched],
    ],
    [[VOLATILE, BEST_EFFORT], [plain]],
  ];
  steps.forEach(([offered, expected], step) => {
    ros.peerPublishes("camera_info", offered);
    subscription.adaptToPublishers();
    expect(asked()).toEqual(expected);
    ros.deliver("camera_info", Uint8Array.of(step));
    expect(got).toEqual(Array.from({ length: step + 1 }, (_, i) => i));
  });
  subscription.destroy();
  ros.deliver("camera_info", Uint8Array.of(99));
  expect(got).not.toContain(99);
});
