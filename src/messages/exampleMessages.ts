/**
 * One message of each type with a value in every field that no other field has, for tests. The same
 * values are written out in test/reference/messages_rosbags.py.
 */
import type { MessageTypeName } from "./messageTypes.js";
import {
  DiagnosticLevel,
  PointFieldType,
  type CameraInfo,
  type Clock,
  type CompressedImage,
  type Detection3DArray,
  type DiagnosticArray,
  type Header,
  type Image,
  type LabelInfo,
  MarkerAction,
  type MarkerArray,
  MarkerType,
  type PointCloud2,
  type ScanStatus,
  type TFMessage,
} from "./types.js";

export const header: Header = { stamp: 1_700_000_001_987_654_321n, frameId: "lidar_tópico_車" };

/** 2 rows of 3 points of 11 bytes with 5 bytes of padding per row; float64 and float32 out of alignment. */
export const pointCloud2: PointCloud2 = {
  header,
  height: 2,
  width: 3,
  fields: [
    { name: "z", offset: 7, datatype: PointFieldType.FLOAT32, count: 1 },
    { name: "x", offset: 1, datatype: PointFieldType.INT16, count: 1 },
    { name: "y", offset: 3, datatype: PointFieldType.FLOAT32, count: 1 },
    { name: "ring", offset: 0, datatype: PointFieldType.UINT8, count: 1 },
  ],
  isBigEndian: false,
  pointStep: 11,
  rowStep: 38,
  data: Uint8Array.from({ length: 76 }, (_, index) => (index * 37 + 11) % 251),
  isDense: true,
};

export const image: Image = {
  header,
  height: 2,
  width: 3,
  encoding: "bgr8",
  isBigEndian: true,
  step: 12,
  data: Uint8Array.from({ length: 24 }, (_, index) => 200 - index),
};

export const compressedImage: CompressedImage = {
  header,
  format: "bgr8; jpeg compressed bgr8",
  data: Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]),
};

export const cameraInfo: CameraInfo = {
  header,
  height: 375,
  width: 1242,
  distortionModel: "plumb_bob",
  d: [-0.37, 0.2, 0.001, -0.002, -0.07],
  k: [721.5, 0, 609.5, 0, 722.5, 172.8, 0, 0, 1],
  r: [0.9, 0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7],
  p: [721.25, 0, 609.25, 44.8, 0, 722.25, 172.5, 0.2, 0, 0, 1, 0.003],
  binningX: 2,
  binningY: 4,
  roi: { xOffset: 10, yOffset: 20, height: 300, width: 1000, doRectify: true },
};

export const tfMessage: TFMessage = {
  transforms: [
    { header, childFrameId: "cam", translation: [1.5, -2.25, 3], rotation: [0.5, -0.5, 0.5, 0.5] },
    {
      header: { stamp: -1n, frameId: "" },
      childFrameId: "imu_link",
      translation: [0, 1e-9, -1e9],
      rotation: [0, 0, 0, 1],
    },
  ],
};

export const labelInfo: LabelInfo = {
  header,
  classMap: [
    { classId: 0, className: "road" },
    { classId: 65535, className: "unlabeled" },
  ],
  threshold: 0.25,
};

export const detection3DArray: Detection3DArray = {
  header,
  detections: [
    {
      header: { stamp: 5_000_000_006n, frameId: "lidar" },
      results: [
        {
          classId: "bicyclist",
          score: 0.875,
          pose: { position: [1.5, -2.5, 0.25], orientation: [0, 0, 0.6, 0.8] },
          covariance: Array.from({ length: 36 }, (_, index) => index / 8),
        },
        {
          classId: "人",
          score: 0.125,
          pose: { position: [1, 2, 3], orientation: [0.5, -0.5, 0.5, 0.5] },
          covariance: Array.from({ length: 36 }, (_, index) => -index),
        },
      ],
      center: { position: [10.25, -20.5, 0.75], orientation: [0, 0, -0.8, 0.6] },
      size: [1.75, 0.625, 1.875],
      id: "actor 7",
    },
    {
      header: { stamp: 0n, frameId: "" },
      results: [],
      center: { position: [0, 0, 1e9], orientation: [0, 0, 0, 1] },
      size: [4.5, 1.8, 1.5],
      id: "",
    },
  ],
};

export const markerArray: MarkerArray = {
  markers: [
    {
      header,
      namespace: "boxes",
      id: -7,
      type: MarkerType.LINE_LIST,
      action: MarkerAction.ADD,
      pose: { position: [3.5, -4.25, 5], orientation: [0, 0, 0.6, 0.8] },
      scale: [0.0625, 2, 3],
      color: [0.25, 0.5, 0.75, 0.875],
      lifetime: 250_000_001n,
      frameLocked: true,
      points: [
        [1, 2, 3],
        [-1, -2, -3.5],
      ],
      colors: [
        [1, 0, 0.5, 1],
        [0, 1, 0.125, 0.25],
      ],
      text: "",
    },
    {
      header: { stamp: 1n, frameId: "l" },
      namespace: "",
      id: 2_000_000_000,
      type: MarkerType.TEXT_VIEW_FACING,
      action: MarkerAction.DELETE_ALL,
      pose: { position: [0, 0, 0], orientation: [0, 0, 0, 1] },
      scale: [0, 0, 0.5],
      color: [1, 1, 1, 1],
      lifetime: 0n,
      frameLocked: false,
      points: [],
      colors: [],
      text: "Fußgänger 87 %",
    },
  ],
};

export const clock: Clock = { clock: 1_234_567_890_000_000_321n };

export const diagnosticArray: DiagnosticArray = {
  header: { ...header, frameId: "" },
  status: [
    {
      level: DiagnosticLevel.WARN,
      name: "ditr_perception: camera front",
      message: "delta of 51.2 ms zu groß",
      hardwareId: "robot-7",
      values: [
        { key: "Rate (Hz)", value: "12.1" },
        { key: "", value: "" },
      ],
    },
    { level: DiagnosticLevel.STALE, name: "a", message: "", hardwareId: "", values: [] },
  ],
};

/** Fractions that a float32 holds exactly. */
export const scanStatus: ScanStatus = {
  header,
  mode: "image-free",
  reason: "too-few-images",
  cameras: [
    { name: "front", used: true, delta: 12_345_678n, missingReason: "" },
    { name: "rear_左", used: false, delta: 0n, missingReason: "inactive" },
    { name: "l", used: true, delta: -1n, missingReason: "" },
  ],
  seenShare: 0.375,
  pointCount: 123_397,
  voxelCount: 4_000_000_000,
  unlabeledCount: 7,
  decodeMs: 1.5,
  geometryMs: 21.25,
  imagesMs: 3.125,
  projectionMs: 4.0625,
  imageEncoderMs: 55.5,
  backboneMs: 66.75,
  detectionMs: 9.5,
  composeMs: 7.875,
  latencyMs: 161.03125,
};

const EXAMPLES: Record<MessageTypeName, unknown> = {
  "std_msgs/msg/Header": header,
  "sensor_msgs/msg/PointCloud2": pointCloud2,
  "sensor_msgs/msg/Image": image,
  "sensor_msgs/msg/CompressedImage": compressedImage,
  "sensor_msgs/msg/CameraInfo": cameraInfo,
  "tf2_msgs/msg/TFMessage": tfMessage,
  "vision_msgs/msg/LabelInfo": labelInfo,
  "vision_msgs/msg/Detection3DArray": detection3DArray,
  "visualization_msgs/msg/MarkerArray": markerArray,
  "rosgraph_msgs/msg/Clock": clock,
  "diagnostic_msgs/msg/DiagnosticArray": diagnosticArray,
  "ditr_perception/msg/ScanStatus": scanStatus,
};

/** `never` lets a test pass it to the encoder of a type that it has only by name. */
export function exampleOf(type: MessageTypeName): never {
  return EXAMPLES[type] as never;
}
