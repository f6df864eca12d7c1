import { Fault } from "../../faults/Fault.js";
import { IntensityReader } from "../../messages/IntensityReader.js";
import { decodePointCloud2 } from "../../messages/pointCloud2.js";
import { clearNoReturns, findField, readXyz } from "../../messages/pointColumns.js";
import type { PointCloud2 } from "../../messages/types.js";
import type { BundleManifest } from "../../model/bundleManifest.js";
import { intensitySense, scanSense } from "../../perception/ScanSense.js";
import type { BagReader } from "../types.js";
import type { InputSelection } from "./InputSelection.js";

/** Clouds of each topic that are looked at. */
const CLOUDS = 3;

export interface SenseOptions {
  readonly intensityScale?: number;
  readonly intensityField?: string;
}

/**
 * What a run would say of the first clouds of the chosen topics: what makes no sense to the model, each once. Clouds that
 * are merged in another frame are not looked at for their range, which is that of the other frame.
 */
export async function senseOfClouds(
  reader: BagReader,
  { clouds, mergedFrame }: InputSelection,
  { backbone }: Pick<BundleManifest, "backbone">,
  options: SenseOptions = {},
): Promise<readonly Fault[]> {
  const found = new Map<string, Fault>();
  for (const { topic, kind } of clouds) {
    if (kind !== "points") continue;
    const intensity = new IntensityReader({
      ...(options.intensityScale !== undefined && { scale: options.intensityScale }),
      ...(options.intensityField !== undefined && { field: options.intensityField }),
    });
    let count = 0;
    for await (const { data } of reader.messages({ topics: [topic] })) {
      const cloud = readable(data);
      if (cloud !== undefined) {
        for (const fault of senseOfCloud(cloud, backbone, mergedFrame, intensity, options))
          found.set(`${topic} ${fault.code} ${fault.message.replace(/[\d.]+/g, "#")}`, fault.at({ topic }));
      }
      if (++count === CLOUDS) break;
    }
  }
  return [...found.values()];
}

function senseOfCloud(
  cloud: PointCloud2,
  { grid_size: gridSize, point_range: pointRange, input_features }: BundleManifest["backbone"],
  mergedFrame: string | undefined,
  intensity: IntensityReader,
  { intensityField }: SenseOptions,
): Fault[] {
  const faults: Fault[] = [];
  const { frameId } = cloud.header;
  if (mergedFrame === undefined || mergedFrame === frameId) {
    const xyz = readXyz(cloud);
    const noReturnCount = clearNoReturns(xyz);
    faults.push(...scanSense({ xyz, noReturnCount, frameId, pointRange, gridSize }));
  }
  if (!input_features.some(({ name }) => name === "intensity")) return faults;
  if (intensity.read(cloud) !== undefined) {
    const { field, beyond, scale } = intensity.last!;
    const fault = intensitySense(field, beyond, scale);
    if (fault !== undefined) faults.push(fault);
  } else if (intensityField !== undefined) {
    const fields = cloud.fields.map(({ name }) => name).join(", ");
    faults.push(
      new Fault(
        "feature-missing",
        `no field "${intensityField}" among the fields ${fields}; the model takes 0 instead`,
      ),
    );
  }
  return faults;
}

/** What a run says of a cloud that cannot be read is said elsewhere. */
function readable(data: Uint8Array): PointCloud2 | undefined {
  try {
    const cloud = decodePointCloud2(data);
    return ["x", "y", "z"].every((name) => findField(cloud, name) !== undefined) ? cloud : undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return undefined;
  }
}
