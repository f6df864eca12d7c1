import type { CameraView } from "./PatchAssigner.js";
import { DepthBuffer } from "./DepthBuffer.js";
import { sharp } from "./libvips.js";
import { emptyProjection, projectPoints } from "./projection.js";
import type { RgbImage } from "./RgbImage.js";

/** Overlays are made of wider images after these have been shrunk to this width: enough to look at. */
export const MAXIMUM_OVERLAY_WIDTH = 800;
/** Edge of the square that stands for a point, pixels of the overlay. */
const POINT_SIZE = 2;

/** An image, and what of a scan is seen where in it. */
export interface OverlayDraft {
  /** At most MAXIMUM_OVERLAY_WIDTH wide. */
  readonly image: RgbImage;
  /** [height, width] the voxel of the nearest point at each pixel; -1 without any. */
  readonly voxels: Int32Array;
}

export interface OverlayScan {
  /** [N, 3] x, y, z, cloud frame, metres. */
  readonly xyz: Float32Array;
  /** [N] -1 for points that are not painted. */
  readonly pointToVoxel: Int32Array;
}

/** Finds where a scan's points are seen in images: hidden ones nowhere. Memory is kept from scan to scan. */
export class OverlayDrawer {
  readonly #projected = emptyProjection();
  readonly #depthBuffer = new DepthBuffer();
  #depths = new Float64Array(0);

  async draft(
    original: RgbImage,
    { model, cloudToOptical }: CameraView,
    { xyz, pointToVoxel }: OverlayScan,
  ): Promise<OverlayDraft> {
    const image = await shrink(original);
    const { width, height } = image;
    const count = pointToVoxel.length;
    const projected = this.#projected;
    projectPoints(model, cloudToOptical, xyz, count, projected);
    this.#depthBuffer.fill(model, projected, count);
    if (this.#depths.length < width * height) this.#depths = new Float64Array(width * height);
    const depths = this.#depths.fill(Infinity, 0, width * height);
    const voxels = new Int32Array(width * height).fill(-1);
    const scaleX = width / model.width;
    const scaleY = height / model.height;
    for (let point = 0; point < count; point++) {
      const voxel = pointToVoxel[point]!;
      if (voxel < 0 || projected.visible[point] === 0) continue;
      const u = projected.u[point]!;
      const v = projected.v[point]!;
      const depth = projected.depth[point]!;
      if (this.#depthBuffer.occludes(u, v, depth)) continue;
      const left = Math.round((u + 0.5) * scaleX - POINT_SIZE / 2);
      const top = Math.round((v + 0.5) * scaleY - POINT_SIZE / 2);
      for (let y = Math.max(0, top); y < Math.min(height, top + POINT_SIZE); y++) {
        for (let x = Math.max(0, left); x < Math.min(width, left + POINT_SIZE); x++) {
          const pixel = y * width + x;
          if (depth >= depths[pixel]!) continue;
          depths[pixel] = depth;
          voxels[pixel] = voxel;
        }
      }
    }
    return { image, voxels };
  }
}

/**
 * Colours the pixels that show points.
 * @param pixels [height, width, 3] in place
 * @param voxelLabel [V] index into `colors`
 */
export function paintPoints(
  pixels: Uint8Array,
  voxels: Int32Array,
  voxelLabel: Int32Array,
  colors: readonly (readonly [red: number, green: number, blue: number])[],
): void {
  for (let pixel = 0, at = 0; pixel < voxels.length; pixel++, at += 3) {
    const voxel = voxels[pixel]!;
    if (voxel < 0) continue;
    const color = colors[voxelLabel[voxel]!]!;
    pixels[at] = color[0];
    pixels[at + 1] = color[1];
    pixels[at + 2] = color[2];
  }
}

async function shrink({ width, height, data }: RgbImage): Promise<RgbImage> {
  if (width <= MAXIMUM_OVERLAY_WIDTH) return { width, height, data };
  const size = {
    width: MAXIMUM_OVERLAY_WIDTH,
    height: Math.max(1, Math.round((height * MAXIMUM_OVERLAY_WIDTH) / width)),
  };
  const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ ...size, fit: "fill", kernel: "linear" })
    .raw()
    .toBuffer();
  return { ...size, data: pixels };
}
