import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import type { BundleManifest } from "../model/bundleManifest.js";
import type { LabellingMode } from "../perception/FusionPolicy.js";
import { renderLabelledScan } from "../report/renderLabelledScan.js";

/** A picture of the first fused scan of a labelled bag, or of its first scan where none was fused. */
export async function drawScan(
  reader: BagReader,
  { classes }: BundleManifest,
  modes: ReadonlyMap<bigint, LabellingMode>,
): Promise<{ mode: LabellingMode; png: Uint8Array }> {
  let first: Uint8Array | undefined;
  for await (const { data } of reader.messages({ topics: [OUTPUT_TOPICS.labelled] })) {
    if (modes.get(decodePointCloud2(data).header.stamp) === "fused") return draw(data, classes, "fused");
    first ??= data;
  }
  if (first === undefined) throw new Fault("bag-unreadable", `${reader.path} has no labelled clouds to draw`);
  return draw(first, classes, "image-free");
}

async function draw(
  cdr: Uint8Array,
  classes: BundleManifest["classes"],
  mode: LabellingMode,
): Promise<{ mode: LabellingMode; png: Uint8Array }> {
  const cloud = decodePointCloud2(cdr);
  const labels = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
  const seconds = (Number(cloud.header.stamp) / 1e9).toFixed(1);
  const title = `${mode} scan at ${seconds} s in ${cloud.header.frameId}`;
  return { mode, png: await renderLabelledScan({ xyz: readXyz(cloud), labels, classes, title }) };
}
