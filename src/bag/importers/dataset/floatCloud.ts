import { Fault } from "../../../faults/Fault.js";
import { type Header, type PointCloud2, PointFieldType } from "../../../messages/types.js";
import { columnCounts, isPlausible } from "./plausibleColumns.js";

/**
 * A cloud of little-endian float32 rows, as the .bin files of KITTI and nuScenes hold them.
 * @param names of the columns
 * @throws Fault `data-set-unreadable` for no points, for a part of a point at the end, and for values that show another
 *   number of columns
 */
export function floatCloud(header: Header, names: readonly string[], data: Uint8Array): PointCloud2 {
  const pointStep = 4 * names.length;
  const columns = `${names.join(", ")} as float32: ${pointStep} bytes a point`;
  if (data.byteLength === 0 || data.byteLength % pointStep !== 0) {
    throw new Fault(
      "data-set-unreadable",
      `it has ${data.byteLength} bytes, not a multiple of ${pointStep} (${columns})${alternatives(names, data)}`,
    );
  }
  const width = data.byteLength / pointStep;
  if (!isPlausible(data, names)) {
    throw new Fault(
      "data-set-unreadable",
      `its values make no sense as ${width} points of ${columns}${alternatives(names, data)}`,
    );
  }
  return {
    header,
    height: 1,
    width,
    fields: names.map((name, i) => ({ name, offset: 4 * i, datatype: PointFieldType.FLOAT32, count: 1 })),
    isBigEndian: false,
    pointStep,
    rowStep: data.byteLength,
    data,
    isDense: true,
  };
}

function alternatives(names: readonly string[], data: Uint8Array): string {
  // Multiples of the right number fit too.
  const count = columnCounts(data, names).find((fitting) => fitting !== names.length);
  if (count === undefined) return "";
  return `; it fits ${data.byteLength / (4 * count)} points of ${count} columns (${4 * count} bytes a point), which are not read`;
}
