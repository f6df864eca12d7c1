import { beforeAll, expect, test } from "@jest/globals";
import { describeWithRos, startNode, type RosProcess } from "../../../test/support/ros.mjs";
import { startPeer, type PeerQos, type RosPeer } from "../../../test/support/rosPeer.mjs";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { PointFieldType } from "../../messages/types.js";

const RELIABLE: PeerQos = { reliability: "reliable", depth: 20 };
const BEST_EFFORT: PeerQos = { reliability: "best_effort", depth: 20 };
const POINT_BYTES = 16;

/** @param stamp nanoseconds */
function cloud(stamp: number, points = 10): Uint8Array {
  return encodePointCloud2({
    header: { stamp: BigInt(stamp), frameId: "lidar" },
    height: 1,
    width: points,
    fields: ["x", "y", "z", "intensity"].map((name, index) => ({
      name,
      offset: index * 4,
      datatype: PointFieldType.FLOAT32,
      count: 1,
    })),
    isBigEndian: false,
    pointStep: POINT_BYTES,
    rowStep: points * POINT_BYTES,
    data: new Uint8Array(points * POINT_BYTES),
    isDense: true,
  });
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

describeWithRos("SensorInputs with the reliability auto", () => {
  let node: RosProcess;
  let peer: RosPeer;
  let other: RosPeer;
  let nextStamp = 1;

  beforeAll(async () => {
    [peer, other] = await Promise.all([startPeer(), startPeer()]);
    await peer.advertise(POINT_CLOUD2_TYPE, "/reliable", RELIABLE);
    await peer.advertise(POINT_CLOUD2_TYPE, "/best_effort", BEST_EFFORT);
    node = startNode("test/ros/sensorInputs.mjs", ["auto=/reliable", "auto=/best_effort", "auto=/changing"]);
    await node.waitFor('"ready":true');
  });

  const stamps = (topic: string): number[] =>
    [...node.output.matchAll(/"heard":"([^"]+)","stamp":(\d+)/g)]
      .filter(([, heard]) => heard === topic)
      .map(([, , stamp]) => Number(stamp));

  /** Publishes until the node hears it: a volatile publisher sends nothing to a subscription that it does not know yet. */
  async function untilHeard(from: RosPeer, topic: string, qos: PeerQos): Promise<void> {
    const first = nextStamp;
    for (let tries = 0; !stamps(topic).some((stamp) => stamp >= first); tries++) {
      if (tries === 50) throw new Error(`${topic} is not heard:\n${node.output}`);
      await from.publish(POINT_CLOUD2_TYPE, topic, cloud(nextStamp++), qos);
      await sleep(100);
    }
  }

  test("reliable publishers are subscribed reliably, and no large cloud is lost", async () => {
    await node.waitFor("/reliable: all publishers are reliable, subscribing reliably");
    await untilHeard(peer, "/reliable", RELIABLE);
    const first = nextStamp;
    for (let index = 0; index < 20; index++) {
      await peer.publish(POINT_CLOUD2_TYPE, "/reliable", cloud(nextStamp++, 120_000), RELIABLE);
      await sleep(50);
    }
    await node.waitFor(`"heard":"/reliable","stamp":${nextStamp - 1},`);
    expect(stamps("/reliable").filter((stamp) => stamp >= first)).toEqual(
      Array.from({ length: 20 }, (_, index) => first + index),
    );
  });

  test("best-effort publishers are heard too", async () => {
    await untilHeard(peer, "/best_effort", BEST_EFFORT);
    await node.waitFor("/best_effort: 1 of 1 publishers best effort, subscribing best effort");
  });

  test("publishers that change are followed, and no message comes twice", async () => {
    await untilHeard(peer, "/changing", RELIABLE);
    await node.waitFor("/changing: all publishers are reliable, subscribing reliably");
    await untilHeard(peer, "/changing", RELIABLE);
    await other.advertise(POINT_CLOUD2_TYPE, "/changing", BEST_EFFORT);
    await node.waitFor("/changing: 1 of 2 publishers best effort, subscribing best effort");
    await untilHeard(peer, "/changing", RELIABLE);
    await untilHeard(other, "/changing", BEST_EFFORT);
    await peer.unadvertise("/changing");
    await untilHeard(other, "/changing", BEST_EFFORT);
    await other.unadvertise("/changing");
    await untilHeard(other, "/changing", RELIABLE);
    await node.waitFor(/(\/changing: all publishers are reliable[^]*){2}/);
    await untilHeard(other, "/changing", RELIABLE);
    const heard = stamps("/changing");
    expect(new Set(heard).size).toBe(heard.length);
    expect(node.running).toBe(true);
  });
});
