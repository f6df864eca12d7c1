import { faultLines } from "../report/RunRecorder.js";
import type { NodePlacement } from "../model/nodePlacement.js";
import { formatTable } from "../report/formatTable.js";
import type { StreamStatistics } from "../sync/SyncLedger.js";
import { EXIT } from "./exitCodes.js";
import { exitCodeOf } from "./Interruption.js";
import type { RunResult } from "./runBag.js";

/** Drops of one stream by cause, without the causes that did not occur. */
function drops({ dropped }: StreamStatistics): Record<string, number> {
  return Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0));
}

function className(result: RunResult, id: number): string {
  return result.bundle.manifest.classes.find((entry) => entry.id === id)?.name ?? `class ${id}`;
}

/** Further clouds are joined as cameras are, under the names of their topics. */
function isCloud({ selection }: RunResult, name: string): boolean {
  return selection.clouds.some(({ topic }) => topic === name);
}

/** What `--json` writes. */
export function runSummary(result: RunResult): unknown {
  const { recorder, sync, provider, selection, bundle, scans } = result;
  const { labelled } = scans;
  return {
    format_version: 1,
    input: result.input,
    output: result.output,
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
      dropped: drops(sync.clouds),
    },
    cameras: Object.fromEntries(
      [...sync.cameras].map(([name, camera]) => [
        name,
        {
          received: camera.received,
          delivered: camera.delivered,
          ...(!isCloud(result, name) && { used: recorder.imagesUsed(name) }),
          reused: camera.reused,
          dropped: drops(camera),
        },
      ]),
    ),
    points: recorder.points,
    class_points: Object.fromEntries(
      [...recorder.classCounts].map(([id, count]) => [className(result, id), count]),
    ),
    stage_ms: Object.fromEntries(recorder.stageSummaries()),
    seconds: result.seconds,
    scans_per_second: labelled / result.seconds,
    faults: result.faults.summary(),
    mode_spans: recorder.modeSpans(),
    per_scan: recorder.scans,
  };
}

/** What `ditr run` prints. */
export function runReport(result: RunResult): string {
  const { recorder, sync, provider, faults, scans, stoppedBy } = result;
  const { labelled, total, lost, withoutLabels } = scans;
  const { name, licence } = result.bundle.manifest;
  const lines = [
    ...(stoppedBy ? [stopSentence(result)] : []),
    `${result.output}: ${labelled} of ${total} scans labelled with ${name} on ${provider.obtained}, ` +
      `${(labelled / result.seconds).toFixed(2)} scans/s`,
    ...(lost > 0 ? [`  ${lost} ${lost === 1 ? "scan is" : "scans are"} lost; what follows says why`] : []),
    ...(withoutLabels > 0
      ? [
          `  ${withoutLabels} ${withoutLabels === 1 ? "scan has" : "scans have"} no point with a label; what follows says why`,
        ]
      : []),
    ...(labelled === 0 && !stoppedBy ? ["  no scan was labelled"] : []),
    ...(licence === undefined ? [] : [`  ${name}: ${licence}`]),
    ...provider.refused.map((refusal) => `  ${refusal.provider} was not to be had: ${refusal.reason}`),
    ...placementLines(provider.placement),
    ...recorder
      .modeSpans()
      .map(({ first, last, mode, reason }) => `  scans ${first} to ${last}: ${mode} (${reason})`),
    ...[...sync.cameras].map(([name, camera]) =>
      isCloud(result, name)
        ? `  cloud ${name}: ${camera.received} messages, ${camera.delivered} used, dropped ${JSON.stringify(drops(camera))}`
        : `  camera ${name}: ${camera.received} images, ${camera.delivered} with a scan, ${recorder.imagesUsed(name)} used, dropped ${JSON.stringify(drops(camera))}`,
    ),
    ...noReturnLines(recorder.points),
    ...faultLines(faults.summary()).map((line) => `  ${line}`),
  ];
  return `${lines.join("\n")}\n\n${stageTable(result)}`;
}

function noReturnLines({
  total,
  no_return,
}: {
  readonly total: number;
  readonly no_return: number;
}): string[] {
  return no_return === 0
    ? []
    : [`  ${no_return} of ${total} points are no returns, exactly at (0, 0, 0), and stay unlabeled`];
}

/** What `ditr run` exits with. */
export function runExitCode({ stoppedBy, scans }: RunResult): number {
  if (stoppedBy !== undefined) return exitCodeOf(stoppedBy);
  return scans.isIncomplete ? EXIT.incomplete : EXIT.ok;
}

function stopSentence({ stoppedBy, output, recorder, scans }: RunResult): string {
  const done = recorder.scans.length;
  return done === 0
    ? `stopped by ${stoppedBy ?? ""} before the first scan was labelled: ${output} is not written`
    : `stopped by ${stoppedBy ?? ""} after ${done} of ${scans.inBag} scans: ${output} is complete up to there, and has nothing of the rest`;
}

/** Where the nodes of the graphs ran, where there was a choice. */
function placementLines(placement: NodePlacement): string[] {
  const nodes = Object.entries(placement).map(([provider, count]) => `${count} by ${provider}`);
  return nodes.length === 0 ? [] : [`  graph nodes run: ${nodes.join(", ")}`];
}

/** Stage times of a run. */
export function stageTable({ recorder }: RunResult): string {
  return formatTable(
    ["stage", "p50 ms", "p95 ms", "max ms"],
    [...recorder.stageSummaries()].map(([stage, { p50, p95, max }]) => [
      stage,
      p50.toFixed(1),
      p95.toFixed(1),
      max.toFixed(1),
    ]),
  );
}
