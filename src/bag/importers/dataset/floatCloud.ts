import { Fault } from "../../../faults/Fault.js";
import { type Header, type PointCloud2, PointFieldType } from "../../../messages/types.js";

/**
 * A cloud of little-endian float32 rows, as the .bin files of KITTI and nuScenes hold them.
 * @param names of the columns
 * @throws Fault `data-set-unreadable` for no points and for a part of a point at the end
 */
export function floatCloud(header: Header, names: readonly string[], data: Uint8Array): PointCloud2 {
  const pointStep = 4 * names.length;
  if (data.byteLength === 0 || data.byteLength % pointStep !== 0) {
    throw new Fault(
      "data-set-unreadable",
      `it has ${data.byteLength} bytes, not a multiple of ${pointStep} (${names.join(", ")} as float32)`,
    );
  }
  return {
    header,
    height: 1,
    width: data.byteLength / pointStep,
    fields: names.map((name, i) => ({ name, offset: 4 * i, datatype: PointFieldType.FLOAT32, count: 1 })),
    isBigEndian: false,
    pointStep,
    rowStep: data.byteLength,
    data,
    isDense: true,
  };
}
