// The small model of random weights that finds boxes, and a scan with what Python finds in it: test/reference/boxes_bundle.py.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { encodePointCloud2 } from "../../dist/messages/pointCloud2.js";
import { PointFieldType } from "../../dist/messages/types.js";
import { decodeNpy } from "../../dist/report/npy.js";

export const BOXES_MODEL = fileURLToPath(new URL("../models/boxes", import.meta.url));

/** The arrays that Python wrote beside a bundle. */
export function expectedBoxes(bundle = BOXES_MODEL) {
  const folder = path.join(bundle, "expected");
  return Object.fromEntries(
    readdirSync(folder).map((file) => [
      path.basename(file, ".npy"),
      decodeNpy(readFileSync(path.join(folder, file))),
    ]),
  );
}

/** The scan as a message of x, y, z and intensity. */
export function boxesCloud(stamp, scan = expectedBoxes().scan) {
  const count = scan.shape[0];
  const { buffer, byteOffset, byteLength } = scan.data;
  const fields = ["x", "y", "z", "intensity"].map((name, index) => ({
    name,
    offset: 4 * index,
    datatype: PointFieldType.FLOAT32,
    count: 1,
  }));
  const cdr = encodePointCloud2({
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: count,
    fields,
    isBigEndian: false,
    pointStep: 16,
    rowStep: 16 * count,
    data: new Uint8Array(buffer, byteOffset, byteLength),
    isDense: true,
  });
  // Alone in its buffer, which the pipeline takes.
  return Uint8Array.from(cdr);
}
