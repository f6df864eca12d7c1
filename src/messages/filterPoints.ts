import { layOutPointCloud2, pointCount } from "./pointCloud2.js";
import type { PointCloud2 } from "./types.js";

/**
 * The CDR bytes of an unorganized cloud (height 1) of the points whose `keep` is not 0, in their order,
 * with all their bytes and fields. `keep` [N]; throws a RangeError when it is not.
 */
export function filterPoints(cloud: PointCloud2, keep: Uint8Array): Uint8Array<ArrayBuffer> {
  const points = pointCount(cloud);
  if (keep.length !== points) {
    throw new RangeError(`keep has ${keep.length} elements for ${points} points`);
  }
  let kept = 0;
  for (let i = 0; i < points; i++) kept += keep[i] === 0 ? 0 : 1;
  const { data, width, pointStep } = cloud;
  const rowStep = pointStep * kept;
  const { cdr, payload } = layOutPointCloud2({ ...cloud, height: 1, width: kept, rowStep }, rowStep);
  for (let row = 0, i = 0, to = 0; i < points; row++) {
    let from = row * cloud.rowStep;
    for (let column = 0; column < width; column++, i++, from += pointStep) {
      if (keep[i] === 0) continue;
      for (let k = 0; k < pointStep; k++) payload[to + k] = data[from + k]!;
      to += pointStep;
    }
  }
  return cdr;
}
