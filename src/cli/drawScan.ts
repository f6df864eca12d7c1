import type { RgbImage } from "../camera/RgbImage.js";
import { addCameraStrip } from "../report/cameraStrip.js";
import { paintLabelledScan } from "../report/renderLabelledScan.js";
import type { DrawableScan } from "./labelledScans.js";

export interface DrawScanOptions {
  /** What the scan is called, before its time. */
  readonly title: string;
  readonly withImages: boolean;
  /** See LabelledScanOptions. */
  readonly range?: number;
}

/** The points of a scan in the colours of their classes, above the images that belong to it. */
export async function drawScan(
  { stamp, frameId, xyz, labels, classes, boxes, images }: DrawableScan,
  { title, withImages, range }: DrawScanOptions,
): Promise<RgbImage> {
  const seconds = (Number(stamp) / 1e9).toFixed(1);
  const picture = await paintLabelledScan({
    xyz,
    labels,
    classes,
    ...(boxes && { boxes }),
    title: `${title} at ${seconds} s in ${frameId}`,
    ...(range !== undefined && { range }),
  });
  return withImages ? addCameraStrip(picture, await images()) : picture;
}
