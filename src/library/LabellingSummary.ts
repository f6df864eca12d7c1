import type { FaultSummary } from "../faults/FaultLog.js";
import type { ProviderReport } from "../model/providers.js";
import type { ModeSpan, ScanRecord, StageSummary } from "../report/RunRecorder.js";
import { dropsOf, isCloud } from "./inputStreams.js";
import type { LabellingResult } from "./LabellingResult.js";

/** What became of a bag that was labelled, as JSON: what `ditr run --json` writes. Times are milliseconds unless named. */
export interface LabellingSummary {
  readonly format_version: 1;
  /** The bag that was labelled. */
  readonly input: string;
  /** The labelled bag; absent when none was to be written. */
  readonly output?: string;
  readonly model: { readonly name: string; readonly folder: string; readonly licence?: string };
  readonly provider: ProviderReport;
  readonly inputs: {
    readonly cloud_topic: string;
    /** When several clouds are merged. */
    readonly merged?: { readonly frame: string; readonly cloud_topics: readonly string[] };
    readonly cameras: readonly {
      readonly name: string;
      readonly image_topic: string;
      readonly camera_info_topic: string;
      /** Image stamp minus cloud stamp of the same moment. */
      readonly offset_ms: number;
      readonly offset_from: "middle" | "stamp";
    }[];
    readonly transform_offset_ms: number;
  };
  /** Why it ended early, for example "SIGINT". */
  readonly stopped_by?: string;
  readonly scans: {
    /** Clouds that the join was given. */
    readonly received: number;
    /** Not labelled, for whatever reason. */
    readonly lost: number;
    readonly labelled: number;
    /** In the output, but without a label. */
    readonly without_labels: number;
    readonly fused: number;
    readonly image_free: number;
    readonly failed: number;
    /** By cause. */
    readonly dropped: Readonly<Record<string, number>>;
  };
  /** By name; further clouds go by their topics, and have no `used`. */
  readonly cameras: Readonly<
    Record<
      string,
      {
        readonly received: number;
        /** With a scan. */
        readonly delivered: number;
        /** Labels were made with them. */
        readonly used?: number;
        readonly reused: number;
        readonly dropped: Readonly<Record<string, number>>;
      }
    >
  >;
  readonly points: { readonly total: number; readonly unlabeled: number; readonly no_return: number };
  /** Points by name of the class. */
  readonly class_points: Readonly<Record<string, number>>;
  /** Boxes of all scans by name of the class; absent of a model that finds none. */
  readonly boxes?: Readonly<Record<string, number>>;
  /** By stage, in the order in which a scan goes through them. */
  readonly stage_ms: Readonly<Record<string, StageSummary>>;
  readonly seconds: number;
  readonly scans_per_second: number;
  /** The worst first. */
  readonly faults: readonly FaultSummary[];
  /** Scans in a row that were labelled alike. */
  readonly mode_spans: readonly ModeSpan[];
  readonly per_scan: readonly ScanRecord[];
}

export function labellingSummary(result: LabellingResult): LabellingSummary {
  const { recorder, sync, provider, selection, bundle, scans } = result;
  const { labelled } = scans;
  return {
    format_version: 1,
    input: result.input,
    ...(result.output !== undefined && { output: result.output }),
    model: {
      name: bundle.manifest.name,
      folder: bundle.folder,
      ...(bundle.manifest.licence !== undefined && { licence: bundle.manifest.licence }),
    },
    provider: provider,
    inputs: {
      cloud_topic: selection.clouds[0].topic,
      ...(selection.mergedFrame !== undefined && {
        merged: {
          frame: selection.mergedFrame,
          cloud_topics: selection.clouds.map(({ topic }) => topic),
        },
      }),
      cameras: selection.cameras.map(({ name, imageTopic, cameraInfoTopic }) => ({
        name,
        image_topic: imageTopic,
        camera_info_topic: cameraInfoTopic,
        offset_ms: Number(result.clocks.cameras.get(name)!.offset) / 1e6,
        offset_from: result.clocks.cameras.get(name)!.fromMiddle ? "middle" : "stamp",
      })),
      transform_offset_ms: Number(result.clocks.transformOffset) / 1e6,
    },
    ...(result.stoppedBy && { stopped_by: result.stoppedBy }),
    scans: {
      received: sync.clouds.received,
      lost: scans.lost,
      labelled,
      without_labels: scans.withoutLabels,
      fused: recorder.count("fused"),
      image_free: recorder.count("image-free"),
      failed: recorder.count("failed"),
      dropped: dropsOf(sync.clouds),
    },
    cameras: Object.fromEntries(
      [...sync.cameras].map(([name, camera]) => [
        name,
        {
          received: camera.received,
          delivered: camera.delivered,
          ...(!isCloud(selection, name) && { used: recorder.imagesUsed(name) }),
          reused: camera.reused,
          dropped: dropsOf(camera),
        },
      ]),
    ),
    points: recorder.points,
    class_points: Object.fromEntries(
      [...recorder.classCounts].map(([id, count]) => [className(result, id), count]),
    ),
    ...(bundle.findsBoxes && { boxes: Object.fromEntries(recorder.boxCounts) }),
    stage_ms: Object.fromEntries(recorder.stageSummaries()),
    seconds: result.seconds,
    scans_per_second: labelled / result.seconds,
    faults: result.faults.summary(),
    mode_spans: recorder.modeSpans(),
    per_scan: recorder.scans,
  };
}

function className({ bundle }: LabellingResult, id: number): string {
  return bundle.manifest.classes.find((entry) => entry.id === id)?.name ?? `class ${id}`;
}
