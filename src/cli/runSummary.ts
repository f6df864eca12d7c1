import { faultLines } from "../report/RunRecorder.js";
import type { NodePlacement } from "../model/nodePlacement.js";
import { formatTable } from "../report/formatTable.js";
import { dropsOf, isCloud } from "../library/inputStreams.js";
import { EXIT } from "./exitCodes.js";
import { exitCodeOf } from "./Interruption.js";
import type { RunResult } from "./runBag.js";

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
      isCloud(result.selection, name)
        ? `  cloud ${name}: ${camera.received} messages, ${camera.delivered} used, dropped ${JSON.stringify(dropsOf(camera))}`
        : `  camera ${name}: ${camera.received} images, ${camera.delivered} with a scan, ${recorder.imagesUsed(name)} used, dropped ${JSON.stringify(dropsOf(camera))}`,
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
