import { Fault } from "../faults/Fault.js";
import type { CameraInfo } from "../messages/types.js";

/** The part of the sensor that an image shows. */
export interface SentWindow {
  readonly left: number;
  readonly top: number;
  readonly binningX: number;
  readonly binningY: number;
  /** One sentence where the sizes of the CameraInfo were not believed. */
  readonly oddity?: string;
}

/** How far the principal point may be from the centre, as a share of the size, for a calibration to be of that size. */
const CENTRAL = 0.1;

/**
 * The window of an image of this size, by region of interest and binning. A size of the CameraInfo that is 0, or that of
 * another image, is not believed when its principal point is in the middle of the image that came, and not of the one
 * that it names.
 *
 * Throws Fault("camera-info-mismatch") when image and CameraInfo do not agree about the size.
 */
export function sentWindow(info: CameraInfo, imageWidth: number, imageHeight: number): SentWindow {
  const { roi } = info;
  const full = roi.width === 0 || roi.height === 0;
  const [left, top] = full ? [0, 0] : [roi.xOffset, roi.yOffset];
  const [width, height] = full ? [info.width, info.height] : [roi.width, roi.height];
  const [binningX, binningY] = [Math.max(1, info.binningX), Math.max(1, info.binningY)];
  const sizes = [imageWidth, imageHeight] as const;
  if (full && binningX * binningY === 1 && (width !== imageWidth || height !== imageHeight)) {
    const declared = [width, height] as const;
    if (isCentral(info, sizes) && !isCentral(info, declared)) {
      const oddity =
        `the CameraInfo says ${width}x${height} pixels, but its principal point is in the middle of the image of ` +
        `${imageWidth}x${imageHeight}, and it is used for that`;
      return { left: 0, top: 0, binningX: 1, binningY: 1, oddity };
    }
  }
  if (left + width > info.width || top + height > info.height) {
    throw new Fault(
      "camera-info-mismatch",
      `the region of interest of the CameraInfo, ${width}x${height} at (${left}, ${top}), ` +
        `must lie in its ${info.width}x${info.height} pixels`,
    );
  }
  // Drivers round the size of a binned image either way.
  const fits = (pixels: number, binning: number, sent: number) =>
    sent === Math.floor(pixels / binning) || sent === Math.ceil(pixels / binning);
  if (!fits(width, binningX, imageWidth) || !fits(height, binningY, imageHeight)) {
    const binned = binningX * binningY > 1 ? ` binned by ${binningX}x${binningY}` : "";
    throw new Fault(
      "camera-info-mismatch",
      `the CameraInfo is for images of ${width}x${height} pixels${binned}, ` +
        `but the image has ${imageWidth}x${imageHeight}`,
    );
  }
  return { left, top, binningX, binningY };
}

/** Is the principal point, of K or else of P, in the middle of an image of this size? */
function isCentral({ k, p }: CameraInfo, [width, height]: readonly [number, number]): boolean {
  if (width === 0 || height === 0) return false;
  const [cx, cy] = k[0] !== 0 ? [k[2]!, k[5]!] : [p[2]!, p[6]!];
  const offCentre = (centre: number, size: number) => Math.abs(centre - (size - 1) / 2) / size;
  return offCentre(cx, width) <= CENTRAL && offCentre(cy, height) <= CENTRAL;
}
