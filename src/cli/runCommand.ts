import { Command, Option } from "commander";
import { bagFiles, openBag } from "../bag/openBag.js";
import { Fault } from "../faults/Fault.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { writeOutput } from "../files/writeOutput.js";
import { PROVIDER_CHOICES, type ProviderChoice } from "../model/providers.js";
import { DEFAULT_FUSION, FUSION_MODES, type FusionMode } from "../perception/FusionPolicy.js";
import { readPage } from "../report/scene/writePage.js";
import { share, wholeNumber } from "./arguments.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { Interruption } from "./Interruption.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { printFault } from "./printFault.js";
import { modelOption, providerOption } from "./modelOption.js";
import { reportOfRun } from "./reportOfRun.js";
import { runBag, type RunBagOptions } from "./runBag.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { runExitCode, runReport } from "./runSummary.js";

interface RunFlags extends InputFlags {
  readonly output: string;
  readonly model: string;
  readonly provider: ProviderChoice;
  readonly threads: number;
  readonly mode: FusionMode;
  readonly minImages: number;
  readonly minSeenShare: number;
  readonly filter?: string;
  readonly filterProbability?: number;
  readonly boxScoreThreshold?: number;
  readonly copy: "none" | "tf" | "all";
  readonly maxScans?: number;
  readonly json?: string;
  readonly report?: string;
  readonly dump?: string;
  readonly force: boolean;
}

export function runCommand(): Command {
  const command = new Command("run")
    .description("label every point of a recorded bag and write a labelled bag")
    .argument("<bag>", "MCAP or .db3 file, also zstd-compressed, or rosbag2 folder")
    .requiredOption("-o, --output <file>", "labelled bag to write (.mcap)")
    .addOption(modelOption())
    .addOption(providerOption())
    .option(
      "--threads <count>",
      "threads inside an operator of the model; 0 leaves it to ONNX Runtime",
      wholeNumber,
      0,
    )
    .addOption(
      new Option("--mode <mode>", "auto decides scan by scan: fused when enough of it is seen in images")
        .choices(FUSION_MODES)
        .default("auto"),
    )
    .option("--min-images <count>", "auto: fewest cameras for fusion", wholeNumber, DEFAULT_FUSION.minImages)
    .option(
      "--min-seen-share <share>",
      "auto: smallest share of voxels that a camera must see, 0 to 1",
      share,
      DEFAULT_FUSION.minSeenShare,
    );
  return addInputOptions(command)
    .option("--filter <classes>", "also write a cloud without these classes (comma-separated names)")
    .option(
      "--filter-probability <p>",
      "filter points by the probability of these classes instead of the label",
      share,
    )
    .option(
      "--box-score-threshold <p>",
      "of a model that finds boxes: leave out those with a lower score (default: what the model says)",
      share,
    )
    .addOption(
      new Option("--copy <what>", "what else to copy into the labelled bag")
        .choices(["none", "tf", "all"])
        .default("tf"),
    )
    .option("--max-scans <count>", "stop after this many scans", wholeNumber)
    .option("--json <file>", "write a summary: modes, times, drops, faults, one record per scan")
    .option("--report <file>", "write a page to look at the labels, as ditr report does (.html)")
    .option("--dump <folder>", "write voxel coordinates, logits and graph inputs of every scan as .npy")
    .addOption(forceOption())
    .addHelpText(
      "after",
      `
The labelled cloud has all fields of the input, and label, confidence and rgb; same points, same order, same
header. A model that finds boxes also gives boxes of each scan, in the frame of its points. Exit code ${EXIT.incomplete} when some scans were lost or none was labelled: the summary says
why. Ctrl-C ends with a finished bag of what was labelled until then, and exit code ${EXIT.interrupted}; a second one ends at once.
Providers: ${PROVIDER_CHOICES.join(", ")}; \`ditr doctor\` shows which of them work here.`,
    )
    .action(async (bag: string, flags: RunFlags) => {
      const { output, json, report, dump, model, force } = flags;
      await checkOutputs({
        inputs: [...(await bagFiles(bag)), bag, model],
        bagFolders: [bag],
        files: [output, json, report],
        folders: [dump],
        force,
      });
      // Said before the work and not after it.
      if (report !== undefined) await readPage();
      const reader = await openBag(bag);
      const interruption = new Interruption("the scans under way");
      try {
        const result = await runBag(reader, { ...optionsOf(flags), onFault: printFault, interruption });
        console.log(runReport(result));
        if (json !== undefined) {
          await writeOutput(json, `${JSON.stringify(labellingSummary(result), null, 2)}\n`, { force });
        }
        process.exitCode = runExitCode(result);
        if (report !== undefined && result.scans.labelled > 0) {
          const inputs = inputOptions(flags);
          console.log(`\n${await reportOfRun(result, { labelled: output, output: report, inputs, force })}`);
        }
      } finally {
        interruption.close();
        await reader.close();
      }
    });
}

function optionsOf(flags: RunFlags): RunBagOptions {
  const { filter, filterProbability } = flags;
  if (filterProbability !== undefined && filter === undefined) {
    throw new Fault(
      "invalid-configuration",
      "--filter-probability needs --filter with the classes that it is about",
    );
  }
  return {
    output: flags.output,
    model: flags.model,
    provider: flags.provider,
    threads: flags.threads,
    fusion: {
      mode: flags.mode,
      minImages: flags.minImages,
      minSeenShare: flags.minSeenShare,
      seenShareHysteresis: Math.min(DEFAULT_FUSION.seenShareHysteresis, flags.minSeenShare / 2),
    },
    copy: flags.copy,
    force: flags.force,
    ...inputOptions(flags),
    ...(filter !== undefined && { filterClasses: filter.split(",").map((name) => name.trim()) }),
    ...(filterProbability !== undefined && { filterProbability }),
    ...(flags.boxScoreThreshold !== undefined && { boxScoreThreshold: flags.boxScoreThreshold }),
    ...(flags.maxScans !== undefined && { maxScans: flags.maxScans }),
    ...(flags.dump !== undefined && { dump: flags.dump }),
  };
}
