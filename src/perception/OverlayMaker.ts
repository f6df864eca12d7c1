import { OverlayDrawer, paintPoints, type OverlayDraft, type OverlayScan } from "../camera/OverlayDrawer.js";
import { Fault } from "../faults/Fault.js";
import { encodeImage } from "../messages/image.js";
import { decodeHeader } from "../messages/header.js";
import type { Rgb } from "../messages/packRgb.js";
import type { Header } from "../messages/types.js";
import type { FrameImages } from "./FrameImages.js";
import type { OverlayImage } from "./ScanFrame.js";

/** Overlays of a scan that lack only the colours. */
export interface OverlayDrafts {
  readonly drafts: readonly (OverlayDraft & { readonly camera: string; readonly header: Header })[];
  /** Why some images have none. */
  readonly faults: readonly Fault[];
  readonly ms: number;
}

/** Makes overlays in two steps: what needs only the points, while the model runs, and the colours when it is done. */
export class OverlayMaker {
  readonly #drawer = new OverlayDrawer();

  /** @param wanted names of cameras */
  async draft(images: FrameImages, wanted: ReadonlySet<string>, scan: OverlayScan): Promise<OverlayDrafts> {
    const start = performance.now();
    const drafts: OverlayDrafts["drafts"][number][] = [];
    const faults: Fault[] = [];
    for (const source of images.all) {
      const { camera, topic, cdr, cloudToCamera } = source;
      if (!wanted.has(camera)) continue;
      try {
        const { image, model } = await images.located(source);
        const draft = await this.#drawer.draft(image, { model, cloudToOptical: cloudToCamera }, scan);
        drafts.push({ ...draft, camera, header: decodeHeader(cdr) });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(error.at({ topic, stamp: decodeHeader(cdr).stamp }));
      }
    }
    return { drafts, faults, ms: performance.now() - start };
  }
}

/**
 * @param voxelLabel [V] index into the bundle's classes
 * @param colors of the bundle's classes
 */
export function paintOverlays(
  drafts: OverlayDrafts["drafts"],
  voxelLabel: Int32Array,
  colors: readonly Rgb[],
): OverlayImage[] {
  return drafts.map(({ camera, header, image: { width, height, data }, voxels }) => {
    const image = { header, width, height, encoding: "rgb8", isBigEndian: false, step: 3 * width, data };
    const cdr = encodeImage(image);
    // The pixels are the end of the message.
    paintPoints(cdr.subarray(cdr.length - data.length), voxels, voxelLabel, colors);
    return { camera, cdr };
  });
}
