// Messages as CDR bytes, through the readers and decoders that a run uses.
import { cameraModelFromInfo } from "../../dist/camera/CameraModel.js";
import { decodeDepth } from "../../dist/camera/decodeDepth.js";
import { decodeImage } from "../../dist/camera/decodeImage.js";
import { sharp } from "../../dist/camera/libvips.js";
import { emptyProjection, projectPoints } from "../../dist/camera/projection.js";
import { appendFields } from "../../dist/messages/appendFields.js";
import { decodeCameraInfo, encodeCameraInfo } from "../../dist/messages/cameraInfo.js";
import { EXAMPLE_LAYOUTS, exampleCloud } from "../../dist/messages/examplePointLayouts.js";
import { cameraInfo, labelInfo } from "../../dist/messages/exampleMessages.js";
import { filterPoints } from "../../dist/messages/filterPoints.js";
import {
  decodeCompressedImage,
  decodeImage as decodeImageMessage,
  encodeCompressedImage,
  encodeImage,
} from "../../dist/messages/image.js";
import { decodeLabelInfo, encodeLabelInfo } from "../../dist/messages/labelInfo.js";
import { decodePointCloud2, encodePointCloud2, pointCount } from "../../dist/messages/pointCloud2.js";
import { pointLayout } from "../../dist/messages/pointLayout.js";
import { readPointTimes } from "../../dist/messages/pointTimes.js";
import { decodeTFMessage, encodeTFMessage } from "../../dist/messages/tfMessage.js";
import { ScanPreparer } from "../../dist/perception/ScanPreparer.js";
import { CLOUDS_ONLY } from "../../dist/perception/WantedOutputs.js";
import { TransformBuffer } from "../../dist/transforms/TransformBuffer.js";
import { readManifest } from "./manifest.mjs";
import { mutate } from "./mutate.mjs";

const HEADER = { stamp: 1_700_000_001_987_654_321n, frameId: "sensor" };

/** A subject whose cases are mutations of messages: `use` must take any bytes, or throw a Fault. */
function messageSubject(makeOriginals, makeUse) {
  return {
    async create() {
      const originals = await makeOriginals();
      const use = makeUse();
      // An undamaged message is used before and after, whatever the damaged ones left behind.
      for (const original of originals) await use(Uint8Array.from(original));
      return {
        async run(random, index) {
          const original = random.of(originals);
          const { bytes } = mutate(original, random);
          try {
            await use(bytes);
          } finally {
            if (index % 50 === 0) await use(Uint8Array.from(original));
          }
        },
      };
    },
  };
}

const clouds = () => EXAMPLE_LAYOUTS.map((layout) => encodePointCloud2(exampleCloud(layout, 1)));

/** Decoding, geometry, features: all that a cloud goes through before the model, and the output after it. */
function useCloud() {
  const fusion = { mode: "image-free", minImages: 1, minSeenShare: 0.02, seenShareHysteresis: 0 };
  const preparer = new ScanPreparer(readManifest(), fusion);
  return async (cdr) => {
    const topic = "/points";
    const sources = [{ kind: "points", topic, frameId: "lidar", cdr }];
    const frame = { stamp: 1n, topic, sources, images: [], missing: [] };
    const { held, scan } = await preparer.prepare(frame, CLOUDS_ONLY);
    const count = pointCount(held.cloud);
    if (scan.voxelCount > count) throw new Error(`${scan.voxelCount} voxels of ${count} points`);
    const { time } = pointLayout(held.cloud);
    if (time !== undefined) readPointTimes(held.cloud, time);
    const label = { name: "label", datatype: 2, values: new Uint8Array(count) };
    const labelled = decodePointCloud2(appendFields(held.cloud, [label]));
    if (pointCount(labelled) !== count) throw new Error("points were lost");
    filterPoints(labelled, new Uint8Array(count).fill(1));
    preparer.release(held, []);
  };
}

const RAW_ENCODINGS = [
  "rgb8",
  "bgra8",
  "mono8",
  "mono16",
  "bayer_rggb8",
  "yuv422_yuy2",
  "nv21",
  "nv24",
  "16UC1",
  "32FC1",
];
const BYTES = { rgb8: 3, bgra8: 4, mono16: 2, yuv422_yuy2: 2, "16UC1": 2, "32FC1": 4 };
const ROWS = { nv21: 1.5, nv24: 3 };

const rawImages = () =>
  RAW_ENCODINGS.map((encoding) => {
    const [width, height] = [24, 16];
    const step = width * (BYTES[encoding] ?? 1);
    const data = Uint8Array.from({ length: step * height * (ROWS[encoding] ?? 1) }, (_, i) => (i * 37) % 251);
    return encodeImage({ header: HEADER, height, width, encoding, isBigEndian: false, step, data });
  });

async function useRawImage(cdr) {
  const message = decodeImageMessage(cdr);
  if (message.encoding === "16UC1" || message.encoding === "32FC1") await decodeDepth(message);
  else {
    const { width, height, data } = await decodeImage(message);
    if (data.length !== width * height * 3) throw new Error("the picture has not its size");
  }
}

async function compressedImages() {
  const [width, height] = [64, 48];
  const raw = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i * 7) ^ (i >> 5)) & 255);
  const picture = sharp(raw, { raw: { width, height, channels: 3 } });
  const grey = sharp(
    Uint16Array.from({ length: width * height }, (_, i) => (i * 7) % 8000),
    {
      raw: { width, height, channels: 1 },
    },
  ).toColourspace("grey16");
  const depthHeader = Buffer.alloc(12);
  const compressed = (format, data) =>
    encodeCompressedImage({ header: HEADER, format, data: Uint8Array.from(data) });
  // RVL of pixels without depth: one run of 3072 zeros, 3 bits per nibble, the first nibble uppermost.
  const rvl = Buffer.alloc(20);
  rvl.writeUInt32LE(width, 12);
  rvl.writeUInt32LE(height, 16);
  return [
    compressed("rgb8; jpeg compressed bgr8", await picture.clone().jpeg().toBuffer()),
    compressed("jpeg", await picture.clone().jpeg({ progressive: true }).toBuffer()),
    compressed("bgr8; png compressed bgr8", await picture.clone().png().toBuffer()),
    compressed("16UC1; compressedDepth png", Buffer.concat([depthHeader, await grey.png().toBuffer()])),
    compressed("16UC1; compressedDepth rvl", Buffer.concat([rvl, Buffer.from([0, 0, 0x86, 0x88])])),
  ];
}

async function useCompressedImage(cdr) {
  const message = decodeCompressedImage(cdr);
  await (message.format.includes("compressedDepth") ? decodeDepth(message) : decodeImage(message));
}

const cameraInfos = () =>
  [
    ["plumb_bob", [-0.3, 0.1, 0.001, -0.002, -0.02]],
    ["rational_polynomial", [0.3, 0.1, 0.001, -0.002, 0.02, 0.6, 0.2, 0.05]],
    ["equidistant", [0.05, 0.01, -0.002, 0.0003]],
  ].map(([distortionModel, d]) =>
    encodeCameraInfo({
      ...cameraInfo,
      binningX: 0,
      binningY: 0,
      roi: { ...cameraInfo.roi, width: 0, height: 0 },
      distortionModel,
      d,
    }),
  );

function useCameraInfo() {
  const points = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i) * 10 + (i % 3 === 2 ? 11 : 0));
  const identity = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  const projected = emptyProjection();
  return async (cdr) => {
    const info = decodeCameraInfo(cdr);
    for (const rectified of [false, true]) {
      const model = cameraModelFromInfo(info, {
        rectified,
        imageWidth: info.width,
        imageHeight: info.height,
      });
      projectPoints(model, identity, points, 100, projected);
    }
  };
}

const transforms = () => {
  const transform = (parent, childFrameId, stamp) => ({
    header: { stamp, frameId: parent },
    childFrameId,
    translation: [1, -2, 0.5],
    rotation: [0.5, -0.5, 0.5, 0.5],
  });
  return [
    encodeTFMessage({
      transforms: [transform("map", "base", 10n ** 18n), transform("base", "lidar", 10n ** 18n)],
    }),
    encodeTFMessage({ transforms: [transform("base", "camera", 10n ** 18n + 5n)] }),
  ];
};

function useTransforms() {
  let buffer = new TransformBuffer();
  let uses = 0;
  return async (cdr) => {
    if (++uses % 200 === 0) buffer = new TransformBuffer();
    let fault;
    try {
      buffer.add(decodeTFMessage(cdr), uses % 3 === 0);
    } catch (error) {
      fault = error;
    }
    // What was taken of a bad message must not spoil the tree.
    if (buffer.has("lidar") && buffer.has("camera")) {
      const matrix = lookupIfKnown(buffer);
      if (matrix?.some((value) => !Number.isFinite(value))) throw new Error(`a lookup gave ${matrix}`);
    }
    if (fault !== undefined) throw fault;
  };
}

function lookupIfKnown(buffer) {
  try {
    return buffer.lookup("camera", "lidar", "latest");
  } catch (error) {
    if (error.code === "transform-missing") return undefined;
    throw error;
  }
}

export const subjects = {
  PointCloud2: messageSubject(clouds, useCloud),
  Image: messageSubject(rawImages, () => useRawImage),
  CompressedImage: messageSubject(compressedImages, () => useCompressedImage),
  CameraInfo: messageSubject(cameraInfos, useCameraInfo),
  TFMessage: messageSubject(transforms, useTransforms),
  LabelInfo: messageSubject(
    () => [encodeLabelInfo(labelInfo)],
    () => async (cdr) => decodeLabelInfo(cdr),
  ),
};
