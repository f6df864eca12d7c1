import type { MissingImage, ScanFrame } from "../../perception/ScanFrame.js";

/** What is still to be said of a scan when it is labelled and its messages have gone to the workers. */
export interface ScanInfo {
  /** Nanoseconds. */
  readonly stamp: bigint;
  /** Of the points. */
  readonly frameId: string;
  readonly images: readonly {
    readonly camera: string;
    readonly topic: string;
    /** Image stamp minus (cloud stamp + the camera's offset), nanoseconds. */
    readonly delta: bigint;
  }[];
  readonly missing: readonly MissingImage[];
}

export function scanInfo({ stamp, sources, mergedFrame, images, missing }: ScanFrame): ScanInfo {
  return {
    stamp,
    frameId: mergedFrame ?? sources[0]?.frameId ?? "",
    images: images.map(({ camera, topic, delta }) => ({ camera, topic, delta })),
    missing,
  };
}
