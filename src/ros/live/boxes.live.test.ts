import { expect, test } from "@jest/globals";
import { BOXES_MODEL, boxesCloud, expectedBoxes } from "../../../test/support/boxesModel.mjs";
import { describeWithRos, startWithRos } from "../../../test/support/ros.mjs";
import { startPeer, type PeerMessage, type RosPeer } from "../../../test/support/rosPeer.mjs";
import { DETECTION3D_ARRAY_TYPE } from "../../messages/detection3DArray.js";
import { MARKER_ARRAY_TYPE } from "../../messages/markerArray.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";

const SECONDS = 150;
const DETECTIONS = "/ditr_perception/detections";
const MARKERS = "/ditr_perception/detection_markers";

interface Detection extends PeerMessage {
  readonly results: readonly { readonly hypothesis: { readonly class_id: string; readonly score: number } }[];
}

function detectionsOf(message: PeerMessage): readonly Detection[] {
  return message["detections"] as readonly Detection[];
}

describeWithRos("boxes of the node, as rclpy reads them", () => {
  test(
    "come while someone subscribes, above a threshold that ros2 param sets",
    async () => {
      const peer = await startPeer({ seconds: SECONDS });
      const node = startWithRos(
        [
          process.execPath,
          ...["dist/ros/main.js", "--ros-args"],
          ...["-p", `model:=${BOXES_MODEL}`, "-p", "mode:=image-free"],
        ],
        { seconds: SECONDS },
      );
      await node.waitFor("is ready on", 60);
      await peer.subscribe(DETECTION3D_ARRAY_TYPE, DETECTIONS);
      const expected = expectedBoxes()["found_scores"]!.data;
      let stamp = 1_800_000_000_000_000_000n;
      const before = peer.messages(DETECTIONS).length;
      stamp = await sendUntil(peer, stamp, () => peer.messages(DETECTIONS).length > before);
      const first = detectionsOf(peer.messages(DETECTIONS)[0]!);
      expect(first).toHaveLength(expected.length);
      const best = first[0]!.results[0]!.hypothesis;
      expect(best.score).toBeCloseTo(Number(expected[0]), 2);
      expect(["car", "person"]).toContain(best.class_id);
      // Nobody has asked for them yet.
      expect((await peer.counts(MARKERS)).subscribers).toBe(0);

      await peer.subscribe(MARKER_ARRAY_TYPE, MARKERS);
      stamp = await sendUntil(peer, stamp, () => peer.messages(MARKERS).length > 0);
      const { markers } = peer.messages(MARKERS)[0] as { markers?: readonly { readonly action: number }[] };
      expect(markers).toHaveLength(2 + expected.length);
      expect(markers![0]!.action).toBe(3);

      const threshold = first[2]!.results[0]!.hypothesis.score - 1e-6;
      const answer = await peer.call("rcl_interfaces/srv/SetParameters", "/ditr_perception/set_parameters", {
        parameters: [{ name: "box_score_threshold", value: { type: 3, double_value: threshold } }],
      });
      expect(answer).toMatchObject({ results: [{ successful: true }] });
      await sendUntil(peer, stamp, () => detectionsOf(peer.messages(DETECTIONS).at(-1)!).length === 3);
      await peer.stop();
      expect((await node.stop("SIGINT")).code).toBe(0);
    },
    SECONDS * 1000,
  );
});

/** Sends clouds until it holds, or throws; gives the last stamp. */
async function sendUntil(peer: RosPeer, from: bigint, holds: () => boolean): Promise<bigint> {
  let stamp = from;
  for (let tries = 0; !holds(); tries++) {
    if (tries === 300) throw new Error("the boxes that were waited for did not come");
    stamp += 100_000_000n;
    await peer.publish(POINT_CLOUD2_TYPE, "/points", boxesCloud(stamp));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return stamp;
}
