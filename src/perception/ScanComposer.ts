import { appendFields } from "../messages/appendFields.js";
import { filterPoints } from "../messages/filterPoints.js";
import type { Rgb } from "../messages/packRgb.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import type { PointCloud2 } from "../messages/types.js";
import type { BundleManifest } from "../model/bundleManifest.js";
import { keptPoints, labelColumns, PointLabeller } from "./labelledClouds.js";
import type { OverlayDrafts } from "./OverlayMaker.js";
import { paintOverlays } from "./OverlayMaker.js";
import type { PipelineSettings } from "./PipelineSettings.js";
import { serializeFault, type ComposedScan, type VoxelLabels } from "./preparationProtocol.js";
import type { WantedOutputs } from "./WantedOutputs.js";

export interface ComposableScan {
  readonly cloud: PointCloud2;
  /** [N] -1 where no voxel holds the point. */
  readonly pointToVoxel: Int32Array;
  readonly wanted: WantedOutputs;
  readonly overlays: OverlayDrafts;
}

/** Makes what comes out of a labelled scan, under settings that do not change. */
export class ScanComposer {
  readonly #manifest: BundleManifest;
  readonly #filter: PipelineSettings["filter"];
  /** Of the bundle's classes, in their order. */
  readonly #colors: readonly Rgb[];
  readonly #labeller: PointLabeller;

  constructor(manifest: BundleManifest, { filter, colors }: PipelineSettings) {
    this.#manifest = manifest;
    this.#filter = filter;
    this.#colors = manifest.classes.map(({ id, color }) => colors?.get(id) ?? color);
    this.#labeller = new PointLabeller(manifest, this.#colors);
  }

  compose(scan: ComposableScan, { label, confidence, logits }: VoxelLabels): ComposedScan {
    const start = performance.now();
    const { cloud, pointToVoxel, wanted, overlays } = scan;
    const counts = this.#labeller.count(pointToVoxel, label);
    const filter = wanted.filtered ? this.#filter : undefined;
    const labelledCloud =
      wanted.labelled || filter !== undefined
        ? appendFields(cloud, labelColumns(this.#labeller.label(pointToVoxel, label, confidence)))
        : undefined;
    const filteredCloud =
      filter &&
      filterPoints(
        decodePointCloud2(labelledCloud!),
        keptPoints(filter, this.#manifest, pointToVoxel, label, logits),
      );
    const cloudsReady = performance.now();
    const painted = paintOverlays(overlays.drafts, label, this.#colors);
    return {
      ...(wanted.labelled && labelledCloud && { labelledCloud }),
      ...(filteredCloud && { filteredCloud }),
      overlays: painted,
      faults: overlays.faults.map(serializeFault),
      ...counts,
      composeMs: cloudsReady - start,
      overlaysMs: overlays.ms + performance.now() - cloudsReady,
    };
  }
}
