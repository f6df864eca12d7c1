import { expect, test } from "@jest/globals";
import { cameraInfo } from "../messages/exampleMessages.js";
import { encodeImage, IMAGE_TYPE } from "../messages/image.js";
import { FrameImages } from "./FrameImages.js";
import type { FrameImage } from "./ScanFrame.js";

test("what of an image and of its CameraInfo was not believed is known once they are read", async () => {
  const cdr = encodeImage({
    header: { stamp: 5n, frameId: "c" },
    width: 4,
    height: 3,
    encoding: "mono8",
    isBigEndian: false,
    step: 4,
    data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
  });
  // step, 8 bytes before the pixels
  new DataView(cdr.buffer).setUint32(cdr.length - 12 - 8, 0, true);
  const image: FrameImage = {
    camera: "front",
    topic: "/front/image_raw",
    type: IMAGE_TYPE,
    frameId: "c",
    cdr,
    info: {
      ...cameraInfo,
      width: 4,
      height: 3,
      binningX: 0,
      binningY: 0,
      roi: { ...cameraInfo.roi, width: 0, height: 0 },
      k: [0, 0, 0, 0, 0, 0, 0, 0, 0],
    },
    cloudToCamera: new Float64Array(16),
    rectified: false,
    stamp: 0n,
    delta: 0n,
  };
  const images = new FrameImages([image]);
  const { image: rgb } = await images.located(image);
  expect([...rgb.data.subarray(0, 6)]).toEqual([0, 0, 0, 20, 20, 20]);
  expect(images.oddities(image)).toEqual([
    "step is 0 instead of 4 bytes: data has 12 bytes for 4x3 pixels of mono8",
    "K of the CameraInfo, which is for raw images, is not filled in; P is used instead",
  ]);
});
