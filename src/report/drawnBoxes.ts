import type { CameraView } from "../camera/PatchAssigner.js";
import { sharp } from "../camera/libvips.js";
import { emptyProjection, projectPoints } from "../camera/projection.js";
import type { RgbImage } from "../camera/RgbImage.js";
import { boxStrokes, type Point3 } from "../geometry/boxOutline.js";
import type { OrientedBox } from "../geometry/OrientedBox.js";
import { projectToView, type ScanView } from "./scanViews.js";

/** A box as a picture shows it. */
export interface DrawnBox {
  readonly box: OrientedBox;
  /** Red, green, blue, 0 to 255. */
  readonly color: readonly [number, number, number];
}

/** Where points are in a picture, pixels from its upper left corner; undefined where they are not in it. */
export type Projection = (
  points: readonly Point3[],
) => readonly (readonly [u: number, v: number] | undefined)[];

/** Parts of a stroke: lenses bend it, and some of it may be behind who looks. */
const PARTS = 24;

/** The edges of boxes as SVG, without the parts that are not in the picture. */
export function boxesSvg(boxes: readonly DrawnBox[], projection: Projection, width: number): string {
  return boxes
    .map(({ box, color }) => {
      const path = boxStrokes(box)
        .map((stroke) => strokePath(stroke, projection))
        .join("");
      return `<path fill="none" stroke="rgb(${color.join(",")})" stroke-width="${width}" d="${path}"/>`;
    })
    .join("");
}

function strokePath([start, end]: readonly [Point3, Point3], projection: Projection): string {
  const along = Array.from({ length: PARTS + 1 }, (_, part): Point3 => {
    const share = part / PARTS;
    const at = (axis: 0 | 1 | 2): number => start[axis] + share * (end[axis] - start[axis]);
    return [at(0), at(1), at(2)];
  });
  let path = "";
  let isDrawing = false;
  for (const place of projection(along)) {
    if (place !== undefined) path += `${isDrawing ? "L" : "M"}${place[0].toFixed(1)} ${place[1].toFixed(1)}`;
    isDrawing = place !== undefined;
  }
  return path;
}

export function viewProjection(view: ScanView): Projection {
  return (points) => points.map(([x, y, z]) => projectToView(view, x, y, z));
}

/** Into the image of a camera, `scale` times as large as what it sent. */
export function cameraProjection({ model, cloudToOptical }: CameraView, scale: number): Projection {
  const projected = emptyProjection();
  return (points) => {
    const { length } = points;
    projectPoints(model, cloudToOptical, Float32Array.from(points.flat()), length, projected);
    // A pixel's centre is half a pixel from its corner.
    const at = (pixels: Float64Array, point: number): number => (pixels[point]! + 0.5) * scale;
    return points.map((_, point) =>
      projected.visible[point] === 1 ? [at(projected.u, point), at(projected.v, point)] : undefined,
    );
  };
}

/** The picture with an SVG of its size over it. */
export async function overSvg({ width, height, data }: RgbImage, svg: string): Promise<RgbImage> {
  if (svg === "") return { width, height, data };
  const page = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${svg}</svg>`;
  const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(page) }])
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, data: pixels };
}
