import { CAMERA_PARAMETERS, CLOUD_PARAMETERS, INPUT_PARAMETERS, SYNC_PARAMETERS } from "./inputParameters.js";
import {
  DIAGNOSTICS_PARAMETERS,
  FUSION_PARAMETERS,
  MODEL_PARAMETERS,
  MOTION_PARAMETERS,
  OUTPUT_PARAMETERS,
  RECORDING_PARAMETERS,
} from "./nodeParameters.js";
import type { ParameterTable, ValuesOf } from "./ParameterDeclaration.js";

/** Parameters that every node has. */
export const NODE_PARAMETERS = {
  ...INPUT_PARAMETERS,
  ...MODEL_PARAMETERS,
  ...FUSION_PARAMETERS,
  ...SYNC_PARAMETERS,
  ...MOTION_PARAMETERS,
  ...OUTPUT_PARAMETERS,
  ...RECORDING_PARAMETERS,
  ...DIAGNOSTICS_PARAMETERS,
} as const satisfies ParameterTable;

export type NodeValues = ValuesOf<typeof NODE_PARAMETERS>;
export type CloudValues = ValuesOf<typeof CLOUD_PARAMETERS>;
export type CameraValues = ValuesOf<typeof CAMERA_PARAMETERS>;

export interface ParameterSection {
  readonly title: string;
  /** In front of the keys: "", or "cameras.<name>." for parameters that every camera has. */
  readonly prefix: "" | "clouds.<name>." | "cameras.<name>.";
  readonly parameters: ParameterTable;
}

/** All parameters, in the order of the documentation. */
export const PARAMETER_SECTIONS: readonly ParameterSection[] = [
  { title: "Inputs", prefix: "", parameters: INPUT_PARAMETERS },
  { title: "Each cloud", prefix: "clouds.<name>.", parameters: CLOUD_PARAMETERS },
  { title: "Each camera", prefix: "cameras.<name>.", parameters: CAMERA_PARAMETERS },
  { title: "Model", prefix: "", parameters: MODEL_PARAMETERS },
  { title: "Fusion", prefix: "", parameters: FUSION_PARAMETERS },
  { title: "Synchronization", prefix: "", parameters: SYNC_PARAMETERS },
  { title: "Transforms and motion", prefix: "", parameters: MOTION_PARAMETERS },
  { title: "Outputs", prefix: "", parameters: OUTPUT_PARAMETERS },
  { title: "Recording", prefix: "", parameters: RECORDING_PARAMETERS },
  { title: "Diagnostics", prefix: "", parameters: DIAGNOSTICS_PARAMETERS },
];
