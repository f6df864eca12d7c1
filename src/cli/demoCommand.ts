import path from "node:path";
import { Command } from "commander";
import { openBag } from "../bag/openBag.js";
import type { BagReader } from "../bag/types.js";
import type { RgbImage } from "../camera/RgbImage.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog } from "../faults/FaultLog.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { writeOutput } from "../files/writeOutput.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import { DEFAULT_FUSION, type LabellingMode } from "../perception/FusionPolicy.js";
import type { ProviderChoice } from "../model/providers.js";
import { SIMULATOR_MODEL } from "../model/shippedModels.js";
import { readPage } from "../report/scene/writePage.js";
import { encodePng } from "../report/renderLabelledScan.js";
import { columnsByMode, scoreTable } from "./scoreTable.js";
import { wholeNumber } from "./arguments.js";
import { forceOption } from "./forceOption.js";
import { Interruption } from "./Interruption.js";
import { labelledScans, type DrawableScan } from "./labelledScans.js";
import { modelOption, providerOption } from "./modelOption.js";
import { drawScan } from "./drawScan.js";
import { printFault } from "./printFault.js";
import { reportOfRun } from "./reportOfRun.js";
import { runBag, type RunResult } from "./runBag.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { runExitCode, runReport } from "./runSummary.js";
import { writeSimulation } from "./simulateCommand.js";

/** A street that no shipped model was trained on: training uses seeds below 1,000,000. */
const DEMO_SEED = 1_000_042;
const SECONDS_PER_SCAN = 0.1;
/** Nanoseconds between an image and its scan. */
const TOLERANCE = 50_000_000n;

interface DemoFlags {
  readonly output: string;
  readonly scans: number;
  readonly model: string;
  readonly provider: ProviderChoice;
  readonly force: boolean;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "simulate a drive whose camera fails half way, label it, score it, draw a scan and make a page",
    )
    .option("-o, --output <folder>", "where the results go", "demo-output")
    .option("--scans <count>", "LiDAR scans at 10 Hz", wholeNumber, 32)
    .addOption(modelOption(SIMULATOR_MODEL))
    .addOption(providerOption())
    .addOption(forceOption())
    .action(async (flags: DemoFlags) => {
      const { output, force } = flags;
      const [drive, labelled, summary, picture, page] = [
        path.join(output, "drive.mcap"),
        path.join(output, "labelled.mcap"),
        path.join(output, "summary.json"),
        path.join(output, "labelled-scan.png"),
        path.join(output, "report.html"),
      ] as const;
      await checkOutputs({ inputs: [flags.model], files: [drive, labelled, summary, picture, page], force });
      await readPage();
      if (!(await simulate(drive, flags))) return;
      const result = await label(drive, labelled, flags);
      console.log(runReport(result));
      await writeOutput(summary, `${JSON.stringify(labellingSummary(result), null, 2)}\n`, { force });
      process.exitCode = runExitCode(result);
      if (result.stoppedBy !== undefined) return;
      const modes = modesOf(result);
      const reader = await openBag(labelled);
      try {
        const confusion = await evaluateBag(reader, { modeOf: (stamp) => modes.get(stamp) });
        console.log(`\n${scoreTable(columnsByMode(confusion))}`);
        const drawn = await drawFirst(reader, modes);
        await writeOutput(picture, await encodePng(drawn.picture), { force });
        console.log(
          `\n${drive}: the simulated drive\n${labelled}: the labelled bag\n${summary}: every figure above`,
        );
        console.log(`${picture}: ${drawn.title}`);
        console.log(
          await reportOfRun(result, { labelled, output: page, inputs: { tolerance: TOLERANCE }, force }),
        );
      } finally {
        await reader.close();
      }
    });
}

/** @returns false when it was stopped */
function simulate(drive: string, { scans: scanCount, force }: DemoFlags): Promise<boolean> {
  const failure = (scanCount * SECONDS_PER_SCAN) / 2;
  return writeSimulation(
    drive,
    {
      seed: DEMO_SEED,
      scanCount,
      lidar: "hdl-64e",
      columns: 720,
      cameras: [{ name: "front", failures: [[failure, Infinity]] }],
    },
    force,
  );
}

async function label(
  drive: string,
  output: string,
  { model, provider, force }: DemoFlags,
): Promise<RunResult> {
  const reader = await openBag(drive);
  const interruption = new Interruption("the scans under way");
  try {
    return await runBag(reader, {
      output,
      model,
      provider,
      threads: 0,
      fusion: DEFAULT_FUSION,
      tolerance: TOLERANCE,
      copy: "all",
      force,
      interruption,
      onFault: printFault,
    });
  } finally {
    interruption.close();
    await reader.close();
  }
}

/** The first fused scan, or the first where none was fused. */
async function drawFirst(
  labelled: BagReader,
  modes: ReadonlyMap<bigint, LabellingMode>,
): Promise<{ title: string; picture: RgbImage }> {
  const draw = async (scan: DrawableScan, mode: LabellingMode) => {
    const title = `${mode} scan`;
    return { title, picture: await drawScan(scan, { title, withImages: true }) };
  };
  const faults = new FaultLog({ announce: printFault });
  let first: DrawableScan | undefined;
  for await (const scan of labelledScans(
    labelled,
    { tolerance: TOLERANCE, withImages: true, withBoxes: true },
    faults,
  )) {
    if (modes.get(scan.stamp) === "fused") return draw(scan, "fused");
    first ??= scan;
  }
  if (first !== undefined) return draw(first, "image-free");
  throw new Fault("bag-unreadable", `${labelled.path} has no labelled clouds to draw`);
}

function modesOf({ recorder }: RunResult): Map<bigint, LabellingMode> {
  return new Map(
    recorder.scans.flatMap(({ stamp, mode }) => (mode === "failed" ? [] : [[BigInt(stamp), mode] as const])),
  );
}
