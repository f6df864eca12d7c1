import { pointCount } from "../messages/pointCloud2.js";
import { PointFieldType, type Header, type PointCloud2, type PointField } from "../messages/types.js";

/** One source's points, ready for the model. */
export interface CloudPart {
  /** As ScanSource.index. */
  readonly index: number;
  readonly cloud: PointCloud2;
  /** [N, 3] in the scan's frame at the scan's stamp, motion undone. */
  readonly xyz: Float32Array;
  /** [N, 3] in the scan's frame, as measured. */
  readonly shown: Float32Array;
  /** [N] 0..1 */
  readonly intensity: Float32Array | undefined;
  /** Points that measured nothing; NaN in `xyz` and `shown`. */
  readonly noReturnCount: number;
}

const FIELDS: readonly PointField[] = [
  ...["x", "y", "z", "intensity"].map((name, index) => ({
    name,
    offset: 4 * index,
    datatype: PointFieldType.FLOAT32,
    count: 1,
  })),
  { name: "source", offset: 16, datatype: PointFieldType.UINT8, count: 1 },
];
const POINT_STEP = 20;

/**
 * The points of all parts, one part after the other, as one unorganized cloud of x, y, z in metres, intensity 0..1 and
 * source (the part's index, whichever others are missing).
 */
export function mergedCloud(
  parts: readonly CloudPart[],
  header: Header,
): { cloud: PointCloud2; xyz: Float32Array; intensity: Float32Array } {
  const count = parts.reduce((sum, { cloud }) => sum + pointCount(cloud), 0);
  const xyz = new Float32Array(3 * count);
  const intensity = new Float32Array(count);
  const data = new Uint8Array(POINT_STEP * count);
  const floats = new Float32Array(data.buffer);
  let point = 0;
  for (const part of parts) {
    xyz.set(part.xyz, 3 * point);
    if (part.intensity !== undefined) intensity.set(part.intensity, point);
    for (let i = 0; i < part.shown.length; i += 3, point++) {
      const at = (POINT_STEP / 4) * point;
      floats[at] = part.shown[i]!;
      floats[at + 1] = part.shown[i + 1]!;
      floats[at + 2] = part.shown[i + 2]!;
      floats[at + 3] = intensity[point]!;
      data[POINT_STEP * point + 16] = part.index;
    }
  }
  const cloud: PointCloud2 = {
    header,
    height: 1,
    width: count,
    fields: FIELDS,
    isBigEndian: false,
    pointStep: POINT_STEP,
    rowStep: POINT_STEP * count,
    data,
    isDense: false,
  };
  return { cloud, xyz, intensity };
}
