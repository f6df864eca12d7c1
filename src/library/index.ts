/**
 * Labels of LiDAR points, with and without camera images: the code that the `ditr` command and the ROS 2 node run on.
 *
 * `labelBag` labels a recorded bag; `PerceptionPipeline` labels scans that come from anywhere else. Expected failures are
 * thrown as a `Fault` with a code; nothing prints or ends the process. Names that are not exported here may change at any
 * time; those that are follow semantic versioning.
 *
 * @packageDocumentation
 */
export { labelBag } from "./labelBag.js";
export type { BagLabelling } from "./BagLabelling.js";
export type { InputOptions } from "./InputOptions.js";
export type { LabelBagOptions, LabellingStart } from "./LabelBagOptions.js";
export type { LabellingResult } from "./LabellingResult.js";
export type { LabellingSummary } from "./LabellingSummary.js";

export { PerceptionPipeline, type PerceptionPipelineOptions } from "../perception/PerceptionPipeline.js";
export type { PipelineSettings } from "../perception/PipelineSettings.js";
export {
  DEFAULT_FUSION,
  type FusionMode,
  type FusionPolicyOptions,
  type LabellingMode,
  type ModeReason,
} from "../perception/FusionPolicy.js";
export type { CloudFilter } from "../perception/labelledClouds.js";
export type {
  FailedScan,
  FrameImage,
  LabelledScan,
  MissingImage,
  OverlayImage,
  ScanBoxes,
  ScanFrame,
  ScanOutcome,
  ScanSource,
  ScanWithCloud,
  StageTimes,
  UsedImage,
} from "../perception/ScanFrame.js";
export { CLOUDS_ONLY, OUTPUTS_OF_BAGS, type WantedOutputs } from "../perception/WantedOutputs.js";

export { ModelBundle } from "../model/ModelBundle.js";
export type { Provider, ProviderChoice, ProviderReport } from "../model/providers.js";
export { DEFAULT_MODEL, SIMULATOR_MODEL, shippedModels } from "../model/shippedModels.js";

export { openBag } from "../bag/openBag.js";
export { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
export type { BagMessage, BagReader, BagTopic, MessageFilter } from "../bag/types.js";

export type { OrientedBox } from "../geometry/OrientedBox.js";
export type { BoxDetection } from "../messages/boxDetections.js";
export { decodePointCloud2, encodePointCloud2, pointCount } from "../messages/pointCloud2.js";
export { findField, hasField, readColumn, readXyz } from "../messages/pointColumns.js";
export { PointFieldType, type CameraInfo, type PointCloud2, type PointField } from "../messages/types.js";

export { Fault, type FaultCode, type MessagePlace, type Severity } from "../faults/Fault.js";
export type { FaultAnnouncement, FaultSummary } from "../faults/FaultLog.js";
