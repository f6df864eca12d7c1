import type { Rgb } from "../messages/packRgb.js";
import type { FusionPolicyOptions } from "./FusionPolicy.js";
import type { CloudFilter } from "./labelledClouds.js";

/** What may change while the pipeline runs; all of it holds from one scan to the next. */
export interface PipelineSettings {
  readonly fusion: FusionPolicyOptions;
  /** What the filtered cloud leaves out; there is no filtered cloud without it. */
  readonly filter?: CloudFilter;
  /** 0..1; in place of the bundle's for boxes. */
  readonly boxScoreThreshold?: number;
  /** By class id, in place of the bundle's colours. */
  readonly colors?: ReadonlyMap<number, Rgb>;
}
