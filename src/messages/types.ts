/**
 * ROS messages as this project sees them. Stamps are integer nanoseconds. `data` of clouds and images
 * is a view over the CDR bytes that were read: valid as long as they are, and never a copy.
 */

/** std_msgs/Header */
export interface Header {
  /** Nanoseconds since the epoch of the sender's clock. */
  readonly stamp: bigint;
  /** Read without a leading "/" (see frameName). */
  readonly frameId: string;
}

/** sensor_msgs/PointField datatypes. */
export const PointFieldType = {
  INT8: 1,
  UINT8: 2,
  INT16: 3,
  UINT16: 4,
  INT32: 5,
  UINT32: 6,
  FLOAT32: 7,
  FLOAT64: 8,
} as const;
export type PointFieldType = (typeof PointFieldType)[keyof typeof PointFieldType];

/** sensor_msgs/PointField */
export interface PointField {
  readonly name: string;
  /** Byte offset from the start of a point. */
  readonly offset: number;
  readonly datatype: PointFieldType;
  readonly count: number;
}

/** sensor_msgs/PointCloud2; consistent by construction when it comes from `decodePointCloud2`. */
export interface PointCloud2 {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly fields: readonly PointField[];
  readonly isBigEndian: boolean;
  readonly pointStep: number;
  readonly rowStep: number;
  readonly data: Uint8Array;
  readonly isDense: boolean;
  /** What the decoder set right, one sentence each; absent when nothing. */
  readonly oddities?: readonly string[];
}

/** sensor_msgs/Image */
export interface Image {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly encoding: string;
  readonly isBigEndian: boolean;
  /** Bytes per row, padding included. */
  readonly step: number;
  readonly data: Uint8Array;
  /** What the decoder set right, one sentence each; absent when nothing. */
  readonly oddities?: readonly string[];
}

/** sensor_msgs/CompressedImage */
export interface CompressedImage {
  readonly header: Header;
  readonly format: string;
  readonly data: Uint8Array;
}

/** sensor_msgs/RegionOfInterest */
export interface RegionOfInterest {
  readonly xOffset: number;
  readonly yOffset: number;
  readonly height: number;
  readonly width: number;
  readonly doRectify: boolean;
}

/** sensor_msgs/CameraInfo; matrices are row-major. */
export interface CameraInfo {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly distortionModel: string;
  readonly d: readonly number[];
  /** 3x3 */
  readonly k: readonly number[];
  /** 3x3 */
  readonly r: readonly number[];
  /** 3x4 */
  readonly p: readonly number[];
  readonly binningX: number;
  readonly binningY: number;
  readonly roi: RegionOfInterest;
}

/** geometry_msgs/TransformStamped: the pose of the child frame in the header's frame. */
export interface TransformStamped {
  readonly header: Header;
  readonly childFrameId: string;
  /** Metres. */
  readonly translation: readonly [x: number, y: number, z: number];
  /** Unit quaternion. */
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
}

/** tf2_msgs/TFMessage */
export interface TFMessage {
  readonly transforms: readonly TransformStamped[];
}

/** vision_msgs/VisionClass */
export interface VisionClass {
  readonly classId: number;
  readonly className: string;
}

/** vision_msgs/LabelInfo */
export interface LabelInfo {
  readonly header: Header;
  readonly classMap: readonly VisionClass[];
  readonly threshold: number;
}

/** geometry_msgs/Pose */
export interface PoseMessage {
  /** Metres. */
  readonly position: readonly [x: number, y: number, z: number];
  /** Unit quaternion. */
  readonly orientation: readonly [x: number, y: number, z: number, w: number];
}

/** vision_msgs/ObjectHypothesisWithPose */
export interface ObjectHypothesis {
  /** The class: here always its name. */
  readonly classId: string;
  /** 0 to 1. */
  readonly score: number;
  readonly pose: PoseMessage;
  /** 6x6, row-major: x, y, z and the rotations about them. */
  readonly covariance: readonly number[];
}

/** vision_msgs/Detection3D */
export interface Detection3D {
  readonly header: Header;
  readonly results: readonly ObjectHypothesis[];
  /** Pose of the box's centre. */
  readonly center: PoseMessage;
  /** Metres along the axes of `center`: length, width, height. */
  readonly size: readonly [x: number, y: number, z: number];
  readonly id: string;
}

/** vision_msgs/Detection3DArray */
export interface Detection3DArray {
  readonly header: Header;
  readonly detections: readonly Detection3D[];
}

/** Of visualization_msgs/Marker's types, those that this project draws. */
export const MarkerType = { CUBE: 1, LINE_LIST: 5, TEXT_VIEW_FACING: 9 } as const;

/** visualization_msgs/Marker's actions. */
export const MarkerAction = { ADD: 0, DELETE: 2, DELETE_ALL: 3 } as const;

/** std_msgs/ColorRGBA, 0 to 1. */
export type ColorRgba = readonly [red: number, green: number, blue: number, alpha: number];

/** visualization_msgs/Marker without textures and meshes. */
export interface Marker {
  readonly header: Header;
  readonly namespace: string;
  readonly id: number;
  readonly type: number;
  readonly action: number;
  readonly pose: PoseMessage;
  /** Metres. */
  readonly scale: readonly [x: number, y: number, z: number];
  readonly color: ColorRgba;
  /** Nanoseconds after which it goes; 0: it stays. */
  readonly lifetime: bigint;
  readonly frameLocked: boolean;
  readonly points: readonly (readonly [x: number, y: number, z: number])[];
  /** Of each point, or none. */
  readonly colors: readonly ColorRgba[];
  readonly text: string;
}

/** visualization_msgs/MarkerArray */
export interface MarkerArray {
  readonly markers: readonly Marker[];
}

/** rosgraph_msgs/Clock */
export interface Clock {
  /** Simulated time, nanoseconds. */
  readonly clock: bigint;
}

/** diagnostic_msgs/DiagnosticStatus levels. */
export const DiagnosticLevel = { OK: 0, WARN: 1, ERROR: 2, STALE: 3 } as const;
export type DiagnosticLevel = (typeof DiagnosticLevel)[keyof typeof DiagnosticLevel];

/** diagnostic_msgs/KeyValue */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** diagnostic_msgs/DiagnosticStatus */
export interface DiagnosticStatus {
  readonly level: DiagnosticLevel;
  readonly name: string;
  readonly message: string;
  readonly hardwareId: string;
  readonly values: readonly KeyValue[];
}

/** diagnostic_msgs/DiagnosticArray */
export interface DiagnosticArray {
  readonly header: Header;
  readonly status: readonly DiagnosticStatus[];
}

/** ditr_perception/CameraUse */
export interface CameraUse {
  readonly name: string;
  /** Was its image part of the fusion? */
  readonly used: boolean;
  /** Image stamp minus (cloud stamp + the camera's offset), nanoseconds; zero when there was no image. */
  readonly delta: bigint;
  /** Empty when there was an image. */
  readonly missingReason: string;
}

/** ditr_perception/ScanStatus modes. */
export const SCAN_MODES = ["fused", "image-free", "failed"] as const;
export type ScanMode = (typeof SCAN_MODES)[number];

/** ditr_perception/ScanStatus: how one scan was labelled; see msg/ScanStatus.msg. Times are milliseconds. */
export interface ScanStatus {
  readonly header: Header;
  readonly mode: ScanMode;
  readonly reason: string;
  readonly cameras: readonly CameraUse[];
  /** Share (0..1) of the voxels that some camera sees. */
  readonly seenShare: number;
  readonly pointCount: number;
  readonly voxelCount: number;
  readonly unlabeledCount: number;
  readonly decodeMs: number;
  readonly geometryMs: number;
  readonly imagesMs: number;
  readonly projectionMs: number;
  readonly imageEncoderMs: number;
  readonly backboneMs: number;
  readonly detectionMs: number;
  readonly composeMs: number;
  readonly latencyMs: number;
}
