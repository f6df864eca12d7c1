import { openBag } from "../bag/openBag.js";
import { FaultLog } from "../faults/FaultLog.js";
import { writeOutput } from "../files/writeOutput.js";
import type { InputOptions } from "../library/InputOptions.js";
import type { LabellingResult } from "../library/LabellingResult.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { readRunRecord } from "../report/scene/RunRecord.js";
import { buildReport } from "./buildReport.js";
import { printFault } from "./printFault.js";
import { REPORT_DEFAULTS } from "./reportDefaults.js";

export interface ReportOfRunOptions {
  /** The bag that the run wrote. */
  readonly labelled: string;
  /** Page to write. */
  readonly output: string;
  /** What the run was told of its inputs. */
  readonly inputs: InputOptions;
  readonly force: boolean;
}

/** Writes the page of a bag that was just labelled; returns a line about it. */
export async function reportOfRun(
  result: LabellingResult,
  { labelled, output, inputs, force }: ReportOfRunOptions,
): Promise<string> {
  const reader = await openBag(labelled);
  try {
    // Labels are on another topic than the points were.
    const others = { ...inputs };
    delete others.cloudTopics;
    const { file, what } = await buildReport(
      reader,
      {
        inputs: others,
        firstScan: 1,
        maxScans: REPORT_DEFAULTS.scans,
        points: REPORT_DEFAULTS.points,
        imageWidth: REPORT_DEFAULTS.imageWidth,
        withImages: true,
        record: readRunRecord(labellingSummary(result), labelled),
      },
      new FaultLog({ announce: printFault }),
    );
    await writeOutput(output, file, { force });
    return `${output}: ${what}`;
  } finally {
    await reader.close();
  }
}
