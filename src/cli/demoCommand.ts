import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { openBag } from "../bag/openBag.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import { DEFAULT_FUSION, type LabellingMode } from "../perception/FusionPolicy.js";
import type { ProviderChoice } from "../model/providers.js";
import { columnsByMode, scoreTable } from "./scoreTable.js";
import { wholeNumber } from "./arguments.js";
import { EXIT } from "./exitCodes.js";
import { modelOption, providerOption } from "./modelOption.js";
import { drawScan } from "./drawScan.js";
import { printFault } from "./printFault.js";
import { runBag, type RunResult } from "./runBag.js";
import { runReport, runSummary } from "./runSummary.js";
import { writeSimulation } from "./simulateCommand.js";

/** A street that no shipped model was trained on: training uses seeds below 1,000,000. */
const DEMO_SEED = 1_000_042;
const SECONDS_PER_SCAN = 0.1;

interface DemoFlags {
  readonly output: string;
  readonly scans: number;
  readonly model: string;
  readonly provider: ProviderChoice;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("simulate a drive whose camera fails half way, label it, score it and draw a scan")
    .option("-o, --output <folder>", "where the results go", "demo-output")
    .option("--scans <count>", "LiDAR scans at 10 Hz", wholeNumber, 32)
    .addOption(modelOption())
    .addOption(providerOption())
    .action(async ({ output, scans, model, provider }: DemoFlags) => {
      await mkdir(output, { recursive: true });
      const drive = path.join(output, "drive.mcap");
      const labelled = path.join(output, "labelled.mcap");
      await simulate(drive, scans);
      const result = await label(drive, labelled, model, provider);
      console.log(runReport(result));
      const summary = path.join(output, "summary.json");
      await writeFile(summary, `${JSON.stringify(runSummary(result), null, 2)}\n`);
      const modes = modesOf(result);
      const reader = await openBag(labelled);
      try {
        const confusion = await evaluateBag(reader, { modeOf: (stamp) => modes.get(stamp) });
        console.log(`\n${scoreTable(columnsByMode(confusion))}`);
        const picture = path.join(output, "labelled-scan.png");
        const { mode, png } = await drawScan(reader, result.bundle.manifest, modes);
        await writeFile(picture, png);
        console.log(
          `\n${drive}: the simulated drive\n${labelled}: the labelled bag\n${summary}: every figure above`,
        );
        console.log(`${picture}: a ${mode} scan`);
      } finally {
        await reader.close();
      }
      if (result.recorder.count("failed") > 0) process.exitCode = EXIT.incomplete;
    });
}

async function simulate(drive: string, scanCount: number): Promise<void> {
  const failure = (scanCount * SECONDS_PER_SCAN) / 2;
  const writer = await McapBagWriter.create(drive);
  try {
    await writeSimulation(writer, {
      seed: DEMO_SEED,
      scanCount,
      lidar: "hdl-64e",
      columns: 720,
      cameras: [{ name: "front", failures: [[failure, Infinity]] }],
    });
    await writer.close();
  } finally {
    await writer.abort();
  }
}

async function label(
  drive: string,
  output: string,
  model: string,
  provider: ProviderChoice,
): Promise<RunResult> {
  const reader = await openBag(drive);
  try {
    return await runBag(reader, {
      output,
      model,
      provider,
      threads: 0,
      fusion: DEFAULT_FUSION,
      tolerance: 50_000_000n,
      copy: "all",
      announce: printFault,
    });
  } finally {
    await reader.close();
  }
}

function modesOf({ recorder }: RunResult): Map<bigint, LabellingMode> {
  return new Map(
    recorder.scans.flatMap(({ stamp, mode }) => (mode === "failed" ? [] : [[BigInt(stamp), mode] as const])),
  );
}
