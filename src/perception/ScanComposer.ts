import { appendFields } from "../messages/appendFields.js";
import { boxMarkers, detectionArray } from "../messages/boxMarkers.js";
import { encodeDetection3DArray } from "../messages/detection3DArray.js";
import { filterPoints } from "../messages/filterPoints.js";
import { encodeMarkerArray } from "../messages/markerArray.js";
import type { Rgb } from "../messages/packRgb.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import type { Header, PointCloud2 } from "../messages/types.js";
import type { BundleManifest } from "../model/bundleManifest.js";
import type { BoxProposals } from "../model/inferenceProtocol.js";
import { keptPoints, labelColumns, PointLabeller } from "./labelledClouds.js";
import type { OverlayDrafts } from "./OverlayMaker.js";
import { paintOverlays } from "./OverlayMaker.js";
import type { PipelineSettings } from "./PipelineSettings.js";
import { serializeFault, type ComposedScan, type VoxelLabels } from "./preparationProtocol.js";
import type { ScanBoxes } from "./ScanFrame.js";
import { selectBoxes } from "./selectBoxes.js";
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
  readonly #boxScoreThreshold: number | undefined;
  /** By class of boxes. */
  readonly #boxColors: ReadonlyMap<string, Rgb>;

  constructor(manifest: BundleManifest, { filter, colors, boxScoreThreshold }: PipelineSettings) {
    this.#manifest = manifest;
    this.#filter = filter;
    this.#colors = manifest.classes.map(({ id, color }) => colors?.get(id) ?? color);
    this.#boxScoreThreshold = boxScoreThreshold;
    this.#boxColors = new Map(manifest.detection?.classes.map(({ name, color }) => [name, color]));
    this.#labeller = new PointLabeller(manifest, this.#colors);
  }

  compose(scan: ComposableScan, { label, confidence, logits, proposals }: VoxelLabels): ComposedScan {
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
    const boxes = this.#boxes(proposals, wanted, cloud.header);
    const boxesReady = performance.now();
    const painted = paintOverlays(overlays.drafts, label, this.#colors);
    return {
      ...(wanted.labelled && labelledCloud && { labelledCloud }),
      ...(filteredCloud && { filteredCloud }),
      overlays: painted,
      ...(boxes && { boxes }),
      faults: overlays.faults.map(serializeFault),
      ...counts,
      composeMs: cloudsReady - start,
      detectionMs: boxesReady - cloudsReady,
      overlaysMs: overlays.ms + performance.now() - boxesReady,
    };
  }

  #boxes(proposals: BoxProposals | undefined, wanted: WantedOutputs, header: Header): ScanBoxes | undefined {
    const { detection } = this.#manifest;
    if (detection === undefined || !(wanted.detections || wanted.markers)) return undefined;
    const found = proposals === undefined ? [] : selectBoxes(proposals, detection, this.#boxScoreThreshold);
    const color = (name: string): Rgb => this.#boxColors.get(name)!;
    return {
      found,
      ...(wanted.detections && { detections: encodeDetection3DArray(detectionArray(found, header)) }),
      ...(wanted.markers && { markers: encodeMarkerArray(boxMarkers(found, header, color)) }),
    };
  }
}
