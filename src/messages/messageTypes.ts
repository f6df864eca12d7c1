import { CAMERA_INFO_TYPE, decodeCameraInfo, encodeCameraInfo } from "./cameraInfo.js";
import {
  decodeDetection3DArray,
  DETECTION3D_ARRAY_TYPE,
  encodeDetection3DArray,
} from "./detection3DArray.js";
import { decodeDiagnosticArray, DIAGNOSTIC_ARRAY_TYPE, encodeDiagnosticArray } from "./diagnosticArray.js";
import { decodeHeader, encodeHeader, HEADER_TYPE } from "./header.js";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeCompressedImage,
  decodeImage,
  encodeCompressedImage,
  encodeImage,
  IMAGE_TYPE,
} from "./image.js";
import { decodeLabelInfo, encodeLabelInfo, LABEL_INFO_TYPE } from "./labelInfo.js";
import { decodeMarkerArray, encodeMarkerArray, MARKER_ARRAY_TYPE } from "./markerArray.js";
import { decodePointCloud2, encodePointCloud2, POINT_CLOUD2_TYPE } from "./pointCloud2.js";
import { decodeScanStatus, encodeScanStatus, SCAN_STATUS_TYPE } from "./scanStatus.js";
import { decodeTFMessage, encodeTFMessage, TF_MESSAGE_TYPE } from "./tfMessage.js";
import { CLOCK_TYPE, decodeClock, encodeClock } from "./time.js";

/** The messages that this project reads and writes, by their ROS 2 type name. */
export const MESSAGE_TYPES = {
  [HEADER_TYPE]: { decode: decodeHeader, encode: encodeHeader },
  [POINT_CLOUD2_TYPE]: { decode: decodePointCloud2, encode: encodePointCloud2 },
  [IMAGE_TYPE]: { decode: decodeImage, encode: encodeImage },
  [COMPRESSED_IMAGE_TYPE]: { decode: decodeCompressedImage, encode: encodeCompressedImage },
  [CAMERA_INFO_TYPE]: { decode: decodeCameraInfo, encode: encodeCameraInfo },
  [TF_MESSAGE_TYPE]: { decode: decodeTFMessage, encode: encodeTFMessage },
  [LABEL_INFO_TYPE]: { decode: decodeLabelInfo, encode: encodeLabelInfo },
  [DETECTION3D_ARRAY_TYPE]: { decode: decodeDetection3DArray, encode: encodeDetection3DArray },
  [MARKER_ARRAY_TYPE]: { decode: decodeMarkerArray, encode: encodeMarkerArray },
  [CLOCK_TYPE]: { decode: decodeClock, encode: encodeClock },
  [DIAGNOSTIC_ARRAY_TYPE]: { decode: decodeDiagnosticArray, encode: encodeDiagnosticArray },
  [SCAN_STATUS_TYPE]: { decode: decodeScanStatus, encode: encodeScanStatus },
} as const;

export type MessageTypeName = keyof typeof MESSAGE_TYPES;

export function isMessageTypeName(type: string): type is MessageTypeName {
  return Object.hasOwn(MESSAGE_TYPES, type);
}
