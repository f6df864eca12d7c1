import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { bagFiles, openBag } from "../bag/openBag.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog } from "../faults/FaultLog.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { reasonOf } from "../files/systemError.js";
import { writeOutput } from "../files/writeOutput.js";
import { readRunRecord, type RunRecord } from "../report/scene/RunRecord.js";
import { wholeNumber } from "./arguments.js";
import { buildReport } from "./buildReport.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { printFault } from "./printFault.js";
import { REPORT_DEFAULTS } from "./reportDefaults.js";

interface ReportFlags extends InputFlags {
  readonly output: string;
  readonly summary?: string;
  readonly scan: number;
  readonly scans: number;
  readonly points: number;
  /** Show them. */
  readonly images: boolean;
  readonly imageWidth: number;
  readonly force: boolean;
}

export function reportCommand(): Command {
  const command = new Command("report")
    .description("a page to look at a labelled bag in a browser: one file, no network")
    .argument("<bag>", "a bag that `ditr run` wrote, or one with clouds of the live node")
    .option("-o, --output <file>", "page to write (.html)", "report.html")
    .option("--summary <file>", "JSON summary of the run: adds modes, stage times, model and faults")
    .option("--scan <number>", "the first scan, from 1", wholeNumber, 1)
    .option("--scans <count>", "at most this many scans", wholeNumber, REPORT_DEFAULTS.scans)
    .option("--points <count>", "at most this many points a scan", wholeNumber, REPORT_DEFAULTS.points)
    .option("--image-width <pixels>", "of the widest image", wholeNumber, REPORT_DEFAULTS.imageWidth)
    .option("--no-images", "only the points");
  return addInputOptions(command)
    .addOption(forceOption())
    .action(async (bag: string, flags: ReportFlags) => {
      for (const [name, value] of [
        ["--scan", flags.scan],
        ["--scans", flags.scans],
        ["--points", flags.points],
      ] as const) {
        if (value === 0) command.error(`error: ${name} 0: 1 is the least`);
      }
      if (flags.imageWidth < 16) command.error(`error: --image-width ${flags.imageWidth}: 16 is the least`);
      const { output, summary, force } = flags;
      await checkOutputs({
        inputs: [...(await bagFiles(bag)), bag, ...(summary === undefined ? [] : [summary])],
        bagFolders: [bag],
        files: [output],
        force,
      });
      const record = summary === undefined ? undefined : await readSummary(summary);
      const faults = new FaultLog({ announce: printFault });
      const reader = await openBag(bag);
      try {
        const { file, what } = await buildReport(
          reader,
          {
            inputs: inputOptions(flags),
            firstScan: flags.scan,
            maxScans: flags.scans,
            points: flags.points,
            withImages: flags.images,
            imageWidth: flags.imageWidth,
            ...(record && { record }),
          },
          faults,
        );
        await writeOutput(output, file, { force });
        console.log(`${output}: ${what}`);
        if (faults.hasErrors) process.exitCode = EXIT.incomplete;
      } finally {
        await reader.close();
      }
    });
}

async function readSummary(file: string): Promise<RunRecord> {
  let summary: unknown;
  try {
    summary = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new Fault("data-set-unreadable", `${file} is no JSON that can be read: ${reasonOf(error)}`);
  }
  return readRunRecord(summary, file);
}
