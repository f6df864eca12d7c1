/** What somebody listens to; nothing else is made of a scan. How it was labelled is told in any case. */
export interface WantedOutputs {
  readonly labelled: boolean;
  /** Has no effect while there is no filter. */
  readonly filtered: boolean;
  /** Names of the cameras whose images are wanted with the labelled points painted on them. */
  readonly overlays: ReadonlySet<string>;
  /** Boxes as vision_msgs/Detection3DArray; has no effect with a model that finds none. */
  readonly detections: boolean;
  /** Boxes as visualization_msgs/MarkerArray; likewise. */
  readonly markers: boolean;
}

/** The clouds, and nothing else. */
export const CLOUDS_ONLY = {
  labelled: true,
  filtered: true,
  overlays: new Set<string>(),
  detections: false,
  markers: false,
} as const satisfies WantedOutputs;

/** What a bag gets. */
export const OUTPUTS_OF_BAGS = {
  ...CLOUDS_ONLY,
  detections: true,
  markers: true,
} as const satisfies WantedOutputs;
