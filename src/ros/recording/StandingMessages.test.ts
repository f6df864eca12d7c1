import { expect, test } from "@jest/globals";
import { encodeCameraInfo, CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { cameraInfo, labelInfo, pointCloud2 } from "../../messages/exampleMessages.js";
import { encodeLabelInfo, LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { decodeTFMessage, encodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { StandingMessages } from "./StandingMessages.js";

function transforms(x: number, ...children: string[]): Uint8Array {
  return encodeTFMessage({
    transforms: children.map((childFrameId) => ({
      header: { stamp: 1n, frameId: "base_link" },
      childFrameId,
      translation: [x, 0, 0],
      rotation: [0, 0, 0, 1],
    })),
  });
}

test("static transforms of several publishers become one message, the last of each frame", () => {
  const standing = new StandingMessages();
  standing.add("/tf_static", TF_MESSAGE_TYPE, transforms(1, "lidar", "front"));
  standing.add("/tf_static", TF_MESSAGE_TYPE, transforms(2, "rear"));
  standing.add("/tf_static", TF_MESSAGE_TYPE, transforms(3, "front"));
  standing.add("/tf_static", TF_MESSAGE_TYPE, Uint8Array.of(0, 1, 0, 0, 255));
  standing.add("/tf", TF_MESSAGE_TYPE, transforms(4, "base_link"));
  const [message, ...others] = standing.messages();
  expect(others).toEqual([]);
  expect(message).toMatchObject({ topic: "/tf_static", type: TF_MESSAGE_TYPE });
  const held = decodeTFMessage(message!.cdr).transforms;
  expect(held.map(({ childFrameId, translation }) => [childFrameId, translation[0]])).toEqual([
    ["lidar", 1],
    ["front", 3],
    ["rear", 2],
  ]);
});

test("the last LabelInfo and CameraInfo of each topic stand, in copies; clouds do not", () => {
  const standing = new StandingMessages();
  const info = encodeCameraInfo(cameraInfo);
  standing.add("/front/camera_info", CAMERA_INFO_TYPE, encodeCameraInfo({ ...cameraInfo, width: 1 }));
  standing.add("/front/camera_info", CAMERA_INFO_TYPE, info);
  standing.add("/rear/camera_info", CAMERA_INFO_TYPE, info);
  standing.add("/label_info", LABEL_INFO_TYPE, encodeLabelInfo(labelInfo));
  standing.add("/points", POINT_CLOUD2_TYPE, encodePointCloud2(pointCloud2));
  const expected = encodeCameraInfo(cameraInfo);
  info.fill(0);
  expect(standing.messages()).toEqual([
    { topic: "/front/camera_info", type: CAMERA_INFO_TYPE, cdr: expected },
    { topic: "/rear/camera_info", type: CAMERA_INFO_TYPE, cdr: expected },
    { topic: "/label_info", type: LABEL_INFO_TYPE, cdr: encodeLabelInfo(labelInfo) },
  ]);
});

test("a peer that sends ever new frames does not fill the memory", () => {
  const standing = new StandingMessages();
  for (let i = 0; i < 3000; i++) standing.add("/tf_static", TF_MESSAGE_TYPE, transforms(1, `frame_${i}`));
  expect(decodeTFMessage(standing.messages()[0]!.cdr).transforms.length).toBe(1000);
});
