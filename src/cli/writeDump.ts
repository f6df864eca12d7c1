import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { asUnwritable } from "../files/systemError.js";
import type { LabelledScan } from "../perception/ScanFrame.js";
import { encodeNpy } from "../report/npy.js";

/**
 * Writes `<folder>/<stamp in ns>/`: `voxels.npy` [V, 3] int32 grid coordinates, `logits.npy` [V, classes] float32,
 * and `inputs/<name>.npy` of every graph input (and `image` of the image encoder). A link of such a name is replaced, and
 * what it leads to stays.
 * @throws Fault `bag-unwritable`
 */
export async function writeDump(folder: string, scan: LabelledScan): Promise<void> {
  const { dump, stamp, voxelCount } = scan;
  if (dump === undefined) throw new Error("the pipeline was started without dumps");
  const scanFolder = path.join(folder, stamp.toString());
  const inputs = path.join(scanFolder, "inputs");
  await asUnwritable(scanFolder, () => mkdir(inputs, { recursive: true }));
  const classes = voxelCount === 0 ? 0 : dump.logits.length / voxelCount;
  await write(scanFolder, "voxels", { data: dump.voxelCoordinates, shape: [voxelCount, 3] });
  await write(scanFolder, "logits", { data: dump.logits, shape: [voxelCount, classes] });
  // Tables of nothing have no shape.
  if (voxelCount === 0) return;
  for (const { name, data, shape } of dump.inputs) await write(inputs, name, { data, shape });
}

async function write(folder: string, name: string, array: Parameters<typeof encodeNpy>[0]): Promise<void> {
  const file = path.join(folder, `${name}.npy`);
  await asUnwritable(file, async () => {
    await rm(file, { force: true });
    await writeFile(file, encodeNpy(array), { flag: "wx" });
  });
}
