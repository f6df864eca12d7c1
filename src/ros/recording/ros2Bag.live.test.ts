import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeWithRos, ros2, startWithRos } from "../../../test/support/ros.mjs";
import { type RosPeer, startPeer } from "../../../test/support/rosPeer.mjs";
import { CAMERA_INFO_TYPE, encodeCameraInfo } from "../../messages/cameraInfo.js";
import { encodeDiagnosticArray, DIAGNOSTIC_ARRAY_TYPE } from "../../messages/diagnosticArray.js";
import { cameraInfo, diagnosticArray, labelInfo, pointCloud2 } from "../../messages/exampleMessages.js";
import { encodeLabelInfo, LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { encodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { RecentMessages } from "./RecentMessages.js";

const START = 1_700_000_000_000_000_000n;

describeWithRos("a recording", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "ditr-recording-"));
  let file: string;
  let peer: RosPeer;

  beforeAll(async () => {
    let now = 0;
    const recent = new RecentMessages({
      duration: 1_000_000_000n,
      maxBytes: 1e8,
      directory,
      clock: () => now,
    });
    const add = (topic: string, type: string, cdr: Uint8Array): void => {
      recent.add(topic, type, cdr, START + BigInt(now) * 1_000_000n);
    };
    const transform = (childFrameId: string): Uint8Array =>
      encodeTFMessage({
        transforms: [
          {
            header: { stamp: START, frameId: "base_link" },
            childFrameId,
            translation: [1, 2, 3],
            rotation: [0, 0, 0, 1],
          },
        ],
      });
    // Said once, by two publishers, long before.
    add("/tf_static", TF_MESSAGE_TYPE, transform("lidar"));
    add("/tf_static", TF_MESSAGE_TYPE, transform("front"));
    add("/ditr_perception/label_info", LABEL_INFO_TYPE, encodeLabelInfo(labelInfo));
    add("/front/camera_info", CAMERA_INFO_TYPE, encodeCameraInfo(cameraInfo));
    for (now = 2000; now <= 3000; now += 100) {
      add("/points", POINT_CLOUD2_TYPE, encodePointCloud2(pointCloud2));
      add("/diagnostics", DIAGNOSTIC_ARRAY_TYPE, encodeDiagnosticArray(diagnosticArray));
    }
    now = 3000;
    ({ path: file } = await recent.save());
    peer = await startPeer();
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  test("is a bag to ros2 bag info", async () => {
    const info = await ros2(["bag", "info", "-s", "mcap", file]);
    expect(info).toMatch(/Topic: \/points \| Type: sensor_msgs\/msg\/PointCloud2 \| Count: 11 /);
    expect(info).toMatch(/Topic: \/tf_static \| Type: tf2_msgs\/msg\/TFMessage \| Count: 1 /);
    expect(info).toMatch(/Duration: +1\.0+s/);
  });

  test("is played by ros2 bag play: late listeners get what is latched, and every cloud comes as it was", async () => {
    await peer.subscribeRaw(POINT_CLOUD2_TYPE, "/points", { depth: 20 });
    await peer.subscribe(CAMERA_INFO_TYPE, "/front/camera_info");
    const player = startWithRos(["ros2", "bag", "play", "-s", "mcap", "--delay", "3", "--loop", file]);
    await peer.waitForMessage("/front/camera_info", ({ width }) => width === cameraInfo.width, 40);
    // Only now: it was sent before.
    await peer.subscribe(TF_MESSAGE_TYPE, "/tf_static", { durability: "transient_local", depth: 100 });
    const { transforms } = (await peer.waitForMessage("/tf_static")) as {
      transforms: { child_frame_id: string }[];
    };
    expect(transforms.map(({ child_frame_id }) => child_frame_id)).toEqual(["lidar", "front"]);
    const cloud = encodePointCloud2(pointCloud2);
    while (peer.rawMessages("/points").length < 5) await peer.counts("/points");
    for (const message of peer.rawMessages("/points")) {
      expect(Buffer.compare(Buffer.from(message).subarray(4, cloud.length), cloud.subarray(4))).toBe(0);
    }
    await player.stop();
  });
});
