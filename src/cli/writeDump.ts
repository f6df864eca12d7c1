import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { LabelledScan } from "../perception/ScanFrame.js";
import { encodeNpy } from "../report/npy.js";

/**
 * Writes `<folder>/<stamp in ns>/`: `voxels.npy` [V, 3] int32 grid coordinates, `logits.npy` [V, classes] float32,
 * and `inputs/<name>.npy` of every graph input (and `image` of the image encoder).
 */
export async function writeDump(folder: string, scan: LabelledScan): Promise<void> {
  const { dump, stamp, voxelCount } = scan;
  if (dump === undefined) throw new Error("the pipeline was started without dumps");
  const scanFolder = path.join(folder, stamp.toString());
  const inputs = path.join(scanFolder, "inputs");
  await mkdir(inputs, { recursive: true });
  const classes = voxelCount === 0 ? 0 : dump.logits.length / voxelCount;
  await writeFile(
    path.join(scanFolder, "voxels.npy"),
    encodeNpy({ data: dump.voxelCoordinates, shape: [voxelCount, 3] }),
  );
  await writeFile(
    path.join(scanFolder, "logits.npy"),
    encodeNpy({ data: dump.logits, shape: [voxelCount, classes] }),
  );
  for (const { name, data, shape } of dump.inputs) {
    await writeFile(path.join(inputs, `${name}.npy`), encodeNpy({ data, shape }));
  }
}
